"""What boto3 raises, turned into messages that say what to try and hold no secret."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Any

from moviehouse.errors import SourceError
from moviehouse.steps.fetch.remote import trouble, without_tls


@dataclass(frozen=True)
class Asked:
    """What was asked of whom: the address for messages, the server's host, how it was signed."""

    address: str
    bucket: str
    host: str
    signed: str


_COPY = 'or give a local copy, for example of Kaggle\'s "The Movies Dataset".'
_PUBLIC = "use --no-sign-request for a public bucket"

# Error code of S3: what is wrong, what to try.
_MISSING_BUCKET = (
    "there is no bucket {bucket}",
    "Check the address and AWS_ENDPOINT_URL ({host} was asked), " + _COPY,
)
_MISSING_KEY = (
    "the bucket has no such object",
    "Check the key (`aws s3 ls s3://{bucket}/` lists them), " + _COPY,
)
_EXPIRED = (
    "the credentials have expired ({code}; the request was {signed})",
    f"Sign in again (`aws sso login`, or a new session token), or {_PUBLIC}.",
)
_INVALID = (
    "the credentials are not valid there (403 {code}; the request was {signed})",
    f"Set AWS_PROFILE to another profile, {_PUBLIC}, {_COPY}",
)
_FORBIDDEN = (
    "access is forbidden, or there is no such key (403 {code}; the request was {signed})",
    f"Set AWS_PROFILE to a profile that may read it, {_PUBLIC}, {_COPY}",
)
_FORBIDDEN_UNSIGNED = (
    "access is forbidden, or there is no such key (403 {code}; the request was unsigned)",
    f"Give credentials that may read it (AWS_PROFILE, `aws sso login`) without --no-sign-request, {_COPY}",
)
_CODES = {
    "NoSuchBucket": _MISSING_BUCKET,
    "NoSuchKey": _MISSING_KEY,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidToken": _EXPIRED,
    "InvalidAccessKeyId": _INVALID,
    "SignatureDoesNotMatch": _INVALID,
    "RequestTimeTooSkewed": ("this machine's clock is wrong ({code})", "Set the clock."),
    "InvalidObjectState": (
        "the object is archived",
        "Restore it first (`aws s3api restore-object`), " + _COPY,
    ),
}

# What goes wrong before there is an answer.
_TLS = (
    "the TLS certificate of {host} was not accepted",
    "Check the clock. If a proxy signs its own certificates, set AWS_CA_BUNDLE.",
)
_NO_TLS = (
    "{host} does not speak TLS on that port",
    "Check the port in AWS_ENDPOINT_URL, or write http:// there if the server has no TLS.",
)
_UNREACHABLE = (
    "{host} cannot be reached ({code})",
    "Check the network, the proxy settings and AWS_ENDPOINT_URL, then try again; " + _COPY,
)
_NO_PROFILE = (
    "the AWS profile that is set does not exist",
    "Set AWS_PROFILE to one that `aws configure list-profiles` shows, or unset it.",
)
_CREDENTIALS = (
    "the AWS credentials could not be obtained ({code})",
    f"Sign in again (`aws sso login`), set AWS_PROFILE, or {_PUBLIC}.",
)
_OTHER = (
    "it could not be requested ({code})",
    "Check the address, AWS_REGION, AWS_ENDPOINT_URL and the AWS configuration file.",
)


def explain(exc: Exception, asked: Asked) -> SourceError:
    """Turn what boto3 raised into a SourceError; `retry` is true where it may work later."""
    from botocore import exceptions as boto

    if isinstance(exc, boto.ClientError):
        return _answer(exc, asked)
    code, cause = type(exc).__name__, _cause(exc)
    if isinstance(exc, boto.SSLError) and isinstance(cause, ssl.SSLCertVerificationError):
        return _error(_TLS, asked, code)
    if without_tls(cause):
        return _error(_NO_TLS, asked, code)
    if isinstance(exc, boto.ConnectionError | boto.HTTPClientError):
        return _error(_UNREACHABLE, asked, words(exc), retry=True)
    if isinstance(exc, boto.ProfileNotFound):
        return _error(_NO_PROFILE, asked, code)
    return _error(_CREDENTIALS if re.search("Credential|Token|SSO|Login", code) else _OTHER, asked, code)


def words(exc: Exception) -> str:
    """Say what kept a connection from coming about, or cut it, without boto3's own text."""
    from botocore import exceptions as boto

    if isinstance(exc, boto.ReadTimeoutError | boto.ConnectTimeoutError):
        return trouble(TimeoutError())
    if isinstance(exc, boto.IncompleteReadError | boto.ResponseStreamingError | boto.ConnectionClosedError):
        return trouble(ConnectionError())
    return trouble(_cause(exc) or exc)


def _cause(exc: Exception) -> BaseException | None:
    """What the system said: boto3 wraps what urllib3 wraps; None where they keep it to themselves."""
    wrapped = getattr(exc, "kwargs", {}).get("error")
    inside = [*getattr(wrapped, "args", ()), getattr(wrapped, "__cause__", None)]
    return next((each for each in inside if isinstance(each, OSError)), None)


def _answer(exc: Any, asked: Asked) -> SourceError:
    """Explain what the server answered; its own text is left out, for it may repeat keys."""
    code = re.sub("[^A-Za-z0-9.]", "", str(exc.response.get("Error", {}).get("Code", "")))[:60]
    number = status(exc) or 0
    text = _CODES.get(code)
    if text is None and number == 404:
        text = _MISSING_KEY
    elif text is None and number == 403:
        text = _FORBIDDEN_UNSIGNED if asked.signed == "unsigned" else _FORBIDDEN
    if text is not None:
        return _error(text, asked, code)
    later = number >= 500 or number == 429 or code in ("SlowDown", "RequestTimeout")
    text = (f"the server answered {number} {{code}} (the request was {{signed}})", _OTHER[1])
    return _error((text[0], "Try again later, " + _COPY) if later else text, asked, code, retry=later)


def _error(text: tuple[str, str], asked: Asked, code: str, *, retry: bool = False) -> SourceError:
    said = {"bucket": asked.bucket, "host": asked.host, "signed": asked.signed, "code": code}
    return SourceError(f"{asked.address}: {text[0].format(**said)}.", text[1].format(**said), retry=retry)


def status(exc: Exception) -> int | None:
    """The HTTP status of a server's answer; None if there was none."""
    response = getattr(exc, "response", None)
    if not isinstance(response, dict):
        return None
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))

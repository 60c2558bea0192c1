"""What a source's address means, and how it is written where others can read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from moviehouse.errors import SourceError
from moviehouse.safe import SCHEME, shown

_CUT_SCHEME = re.compile(r"(s3|https?|file|ftp):/?", re.IGNORECASE)
_KINDS = "Give an s3://, https:// or file:// address, the path of a zip, or a directory of CSV files."

# These differ from one signed address of an object to the next.
_SIGNATURE = re.compile(
    r"x-(amz|goog)-.*|signature|expires|awsaccesskeyid|googleaccessid|policy|key-pair-id"
    r"|sig|se|sp|spr|sr|ss|srt|st|sv|sip|sk[a-z]+",
    re.IGNORECASE,
)
_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d+"
_AWS_HOST = re.compile(
    rf"(?:(?P<bucket>[a-z0-9][a-z0-9.-]+)\.)?s3(?:\.dualstack)?(?:[.-](?P<region>{_REGION}))?"
    r"\.amazonaws\.com(?:\.cn)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Local:
    """A file or a directory on this machine."""

    shown: str
    path: Path


@dataclass(frozen=True)
class S3Object:
    """An object in an S3 bucket; `region` where the address names one."""

    shown: str
    bucket: str
    key: str
    region: str | None = None


@dataclass(frozen=True)
class WebPage:
    """Anything behind http:// or https://.

    `url` has no user name and password, which are in `login`; `identity` lacks what signs it too.
    """

    shown: str
    url: str = field(repr=False)
    login: str | None = field(repr=False)
    identity: str
    name: str


def parse(source: str) -> Local | S3Object | WebPage:
    """Say what `source` means; SourceError if it cannot be understood."""
    if not source or "\0" in source:
        raise SourceError("No source was given." if not source else "The source contains a NUL byte.", _KINDS)
    if SCHEME.fullmatch(source.strip()):
        source = source.strip()
    match = SCHEME.fullmatch(source)
    if match is None and (cut := _CUT_SCHEME.match(source)):
        raise _cut(cut[1], source[cut.end(1) : cut.end()], source[cut.end() :])
    if match is None:
        return Local(source, Path(source))
    scheme, rest = match[1].lower(), match[2]
    if scheme == "s3":
        return _s3(rest)
    if scheme == "file":
        return _file(source, rest)
    if scheme in ("http", "https"):
        return _web(source)
    raise SourceError(f"{shown(source)}: {scheme}:// is not supported.", _KINDS)


def _cut(scheme: str, mark: str, rest: str) -> SourceError:
    """Say what is wrong with an address that lacks slashes, without a password in it."""
    whole = shown(f"{scheme}://{rest}")
    given = whole.replace("://", mark, 1)
    if scheme.lower() == "ftp":
        return SourceError(f"{given}: ftp: is not supported.", _KINDS)
    if scheme.lower() == "file":
        return SourceError(f"{given}: three slashes belong after file:", f"Write file:///{rest}.")
    return SourceError(f"{given}: two slashes belong after {scheme}:", f"Write {whole}.")


def _s3(rest: str) -> S3Object:
    bucket, _, key = rest.partition("/")
    seen = shown(f"s3://{rest}")
    if "@" in bucket or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", bucket):
        raise SourceError(f"{seen} is not an S3 address.", "Write it as s3://bucket/folder/file.zip.")
    return _object(seen, bucket, key, None)


def _object(seen: str, bucket: str, key: str, region: str | None) -> S3Object:
    if not key or key.endswith("/"):
        raise SourceError(
            f"{seen} does not name an object.",
            "Give the full key of the zip, not a folder: s3://bucket/folder/file.zip.",
        )
    return S3Object(seen, bucket, key, region)


def _file(source: str, rest: str) -> Local:
    host, slash, path = rest.partition("/")
    if host.lower() not in ("", "localhost"):
        raise SourceError(
            f"{shown(source)}: a file:// address cannot name another machine.",
            f"For a file on this machine write three slashes: file:///{host.rpartition('@')[2]}{slash}{path}",
        )
    if "%00" in path:
        raise SourceError(f"{shown(source)}: the path contains a NUL byte.", _KINDS)
    return Local(source, Path(unquote(slash + path)))


def _web(source: str) -> WebPage | S3Object:
    seen = shown(source)
    try:
        parts = urlsplit(source)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, SplitResult("", "", "", "", "")
    if not host or re.search(r"[\s\x00-\x20\x7f]", source):
        raise SourceError(f"{seen} is not a web address.", _KINDS)
    aws = _aws(parts, host, seen) if port is None and not parts.query else None
    if aws is not None:
        return aws
    userinfo, at, netloc = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=netloc, fragment="")
    kept = [item for item in parts.query.split("&") if not _SIGNATURE.fullmatch(item.partition("=")[0])]
    name = unquote(parts.path.rpartition("/")[2])
    return WebPage(seen, bare.geturl(), userinfo if at else None, bare._replace(query="&".join(kept)).geturl(), name)


def _aws(parts: SplitResult, host: str, seen: str) -> S3Object | None:
    """Recognise an S3 object's web address, so that credentials and regions work for it."""
    match = _AWS_HOST.fullmatch(host)
    if match is None or "@" in parts.netloc:
        return None
    path = unquote(parts.path.removeprefix("/"))
    bucket, _, key = (match["bucket"], "/", path) if match["bucket"] else path.partition("/")
    return _object(seen, bucket, key, match["region"]) if bucket else None

"""Objects in S3 buckets: credentials, regions and endpoints as the AWS tools know them.

Errors are raised `from None`: the text of boto3's own may hold the password of an endpoint's URL.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Generator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from moviehouse.steps.fetch import remote, s3_errors
from moviehouse.steps.fetch.address import S3Object
from moviehouse.steps.fetch.remote import Broken, Changed, Version

_PROFILES = {"shared-credentials-file", "config-file", "sso", "assume-role", "custom-process", "login"}
_SUMS = {"ChecksumSHA256": "sha256", "ChecksumSHA1": "sha1", "ChecksumCRC32": "crc32"}


class S3:
    """One object; its client is made with the standard credential chain, or unsigned.

    Raises SourceError where the credentials or the endpoint that are configured cannot be used.
    """

    def __init__(
        self, where: S3Object, *, sign: bool, endpoint_url: str | None, region: str | None, threads: int
    ) -> None:
        self.address = where.shown
        self.name = where.key.rpartition("/")[2]
        self._place = {"Bucket": where.bucket, "Key": where.key}
        self._asked = s3_errors.Asked(where.shown, where.bucket, "the endpoint", "unsigned")
        try:
            self._client, signed = _connect(where, sign, endpoint_url, region, threads)
        except Exception as exc:
            raise s3_errors.explain(exc, self._asked) from None
        host = urlsplit(self._client.meta.endpoint_url).netloc.rpartition("@")[2]
        self._asked = s3_errors.Asked(where.shown, where.bucket, host, signed)
        self.key = f"{'' if _is_aws(host) else host}|s3://{where.bucket}/{where.key}"

    def head(self) -> Version:
        """Ask for the object's version. A refused HEAD says not why, so a GET of one byte asks again."""
        try:
            return _version(self._client.head_object(**self._place, ChecksumMode="ENABLED"))
        except Exception as exc:
            if s3_errors.status(exc) is None:
                raise s3_errors.explain(exc, self._asked) from None
        try:
            got = self._client.get_object(**self._place, Range="bytes=0-0")
            got["Body"].close()
            return _version(got | {"ContentLength": int(got["ContentRange"].rpartition("/")[2])})
        except Exception as exc:
            raise s3_errors.explain(exc, self._asked) from None

    def read(self, version: Version, first: int, length: int | None) -> Generator[bytes]:
        """Yield a range of exactly this version of the object."""
        wanted: dict[str, str] = {}
        if length is not None:
            wanted = {"Range": f"bytes={first}-{first + length - 1}", "IfMatch": f'"{version.etag}"'}
        try:
            got = self._client.get_object(**self._place, **wanted)
            with closing(got["Body"]) as body:
                _same(version, got, first, length)
                yield from body.iter_chunks(remote.CHUNK_BYTES)
        except (Broken, Changed):
            raise
        except Exception as exc:
            raise self._during(exc) from None

    def _during(self, exc: Exception) -> Exception:
        """Say what an exception during a transfer means: another version, a retry, or the end."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError, SSLError
        from urllib3.exceptions import HTTPError

        if s3_errors.status(exc) in (412, 416):
            return Changed()
        broken = isinstance(exc, IncompleteReadError | HTTPClientError | HTTPError | OSError)
        if broken and not isinstance(exc, SSLError):  # which comes before an answer: no connection at all
            return Broken(s3_errors.words(exc))
        return s3_errors.explain(exc, self._asked)


def _same(version: Version, got: dict[str, Any], first: int, length: int | None) -> None:
    """Hold an answer to what was asked for, whether or not its server knows If-Match and Range."""
    now = _version(got)
    if now.etag != version.etag or (now.etag is None and now.last_modified != version.last_modified):
        raise Changed
    if length is None:
        if now.size != version.size:
            raise Changed
    elif now.size != length:
        raise Broken(f"{now.size} bytes instead of {length}")
    elif got.get("ContentRange") != f"bytes {first}-{first + length - 1}/{version.size}":
        raise Broken("the server sent a different range")


def _connect(
    where: S3Object, sign: bool, endpoint_url: str | None, region: str | None, threads: int
) -> tuple[Any, str]:
    """Make a client, and say how it signs."""
    import boto3  # 0.4 s, not needed for other sources
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    core = botocore.session.get_session()
    session = boto3.Session(botocore_session=core)
    credentials = session.get_credentials() if sign else None
    config = Config(
        connect_timeout=remote.CONNECT_SECONDS,
        read_timeout=remote.READ_SECONDS,
        max_pool_connections=threads,
        retries={
            "mode": "standard",
            "total_max_attempts": core.get_config_variable("max_attempts") or remote.ATTEMPTS,
        },
        # A range has no checksum of its own, and some servers send the whole object's with it.
        response_checksum_validation="when_required",
    )
    if credentials is None:
        config = config.merge(Config(signature_version=UNSIGNED))

    # boto3 itself reads AWS_DEFAULT_REGION only. A wrong region is mended: it follows S3's redirect.
    region = region or where.region or os.environ.get("AWS_REGION")

    def client(config: Config) -> Any:
        return session.client("s3", endpoint_url=endpoint_url, region_name=region, config=config)

    made = client(config)
    own_server = not _is_aws(urlsplit(made.meta.endpoint_url).hostname or "")
    settled = (core.get_scoped_config().get("s3") or {}).get("addressing_style")
    # A wildcard certificate covers no dots; a server of one's own rarely has a name for each bucket.
    if "." in where.bucket or (own_server and not settled):
        made = client(config.merge(Config(s3={"addressing_style": "path"})))
    return made, _kind(credentials.method, session.profile_name) if credentials else "unsigned"


def _version(got: dict[str, Any]) -> Version:
    # A composite checksum is one of the parts' checksums, not of the content.
    whole = got.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    told = {name: got[field] for field, name in _SUMS.items() if whole and "-" not in got.get(field, "-")}
    modified = got.get("LastModified")
    etag = got.get("ETag") or None
    if etag and etag.startswith('"'):
        etag = etag.strip('"')
    return Version(
        size=got["ContentLength"],
        etag=etag,
        last_modified=remote.utc(modified) if modified else None,
        # Parts belong together by a strong ETag alone; without one the object comes in one answer.
        ranges=etag is not None and not etag.startswith("W/"),
        sums={name: base64.b64decode(value).hex() for name, value in told.items()},
    )


def _kind(method: str, profile: str) -> str:
    """Name the credentials without showing them."""
    if method == "env":
        return "signed with the credentials in the environment (AWS_ACCESS_KEY_ID)"
    if method in _PROFILES or os.environ.get("AWS_PROFILE"):
        return f"signed with the credentials of profile {profile}"
    return f"signed with the credentials of this machine ({method})"


def _is_aws(host: str) -> bool:
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

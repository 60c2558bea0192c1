"""Files behind http:// and https://, in ranges where the server can, else in one stream."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from moviehouse.errors import SourceError
from moviehouse.steps.fetch.address import WebPage
from moviehouse.steps.fetch.remote import (
    ATTEMPTS,
    CHUNK_BYTES,
    READ_SECONDS,
    Broken,
    Changed,
    Version,
    pause,
    trouble,
    utc,
    without_tls,
)

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirects to the web only, and never from https:// to http://."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        """Refuse a redirect that leaves the web or its encryption."""
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise HTTPError(req.full_url, code, "unsafe redirect", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Web:
    """One file on a web server."""

    def __init__(self, where: WebPage) -> None:
        self.address = where.shown
        self.key = where.identity
        self.name = where.name
        self._url = where.url
        self._host = urlsplit(where.url).hostname or ""
        self._login = where.login
        self._opener: OpenerDirector = build_opener(_SafeRedirects)

    def head(self) -> Version:
        """Ask for the version with a GET of one byte.

        Servers may refuse HEAD (to signed addresses for one), and this tells whether ranges work.
        """
        for tried in range(ATTEMPTS):
            time.sleep(pause(tried))
            try:
                return self._probe()
            except Broken as exc:
                broken = exc
        raise SourceError(
            f"{self.address}: {self._host} cannot be reached ({broken}).",
            "Check the address, the network and the proxy settings, then try again, or give a local copy.",
            retry=True,
        ) from broken

    def _probe(self) -> Version:
        try:
            with self._open({"Range": "bytes=0-0"}) as response:
                return _version(response.status, response.headers)
        except HTTPError as exc:
            if exc.code == 416:  # no first byte: the file is empty
                return _version(416, exc.headers)
            raise self._refused(exc) from exc

    def read(self, version: Version, first: int, length: int | None) -> Generator[bytes]:
        """Yield a range of exactly this version, or all of it."""
        headers = {} if length is None else {"Range": f"bytes={first}-{first + length - 1}"}
        # 200 with everything instead of 206 means that the file has changed.
        if length is not None and version.etag and not version.etag.startswith("W/"):
            headers["If-Range"] = f'"{version.etag}"'
        try:
            with self._open(headers) as response:
                self._same(version, response, first, length)
                yield from self._body(response, version.size if length is None else length)
        except HTTPError as exc:
            if exc.code in (412, 416):
                raise Changed from exc
            raise self._refused(exc) from exc

    def _same(self, version: Version, response: Any, first: int, length: int | None) -> None:
        now = _version(response.status, response.headers)
        pairs = [
            (now.etag, version.etag),
            (now.last_modified, version.last_modified),
            (now.size, version.size),
        ]
        # The answer to a request for everything may know more than the answer to one for a byte.
        if any(new != old for new, old in pairs if length is not None or None not in (new, old)):
            raise Changed
        if length is not None:
            if response.status != 206:
                raise Changed
            match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match is None or match[1] != str(first) or match[2] != str(first + length - 1):
                raise Broken("the server sent a different range")

    def _body(self, response: Any, length: int | None) -> Generator[bytes]:
        came = 0
        try:
            while chunk := response.read(CHUNK_BYTES):
                came += len(chunk)
                yield chunk
        except (OSError, http.client.HTTPException) as exc:
            raise Broken(trouble(exc)) from None
        if length is not None and came != length:
            raise Broken(f"{came} bytes instead of {length}")

    def _open(self, headers: dict[str, str]) -> Any:
        request = Request(self._url, headers={"User-Agent": "moviehouse", **headers})  # noqa: S310  (checked)
        if self._login is not None:
            token = base64.b64encode(unquote(self._login).encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {token}")
        try:
            return self._opener.open(request, timeout=READ_SECONDS)
        except HTTPError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise self._failed(exc) from None  # urllib's own text may hold the whole address

    def _failed(self, exc: Exception) -> Exception:
        """Say what a connection that did not come about means."""
        reason = exc.reason if isinstance(exc, URLError) else exc
        if isinstance(reason, ssl.SSLCertVerificationError):
            return SourceError(
                f"{self.address}: the server's TLS certificate was not accepted.",
                "Check the clock. If a proxy signs its own certificates, set SSL_CERT_FILE.",
            )
        if without_tls(reason):
            return SourceError(
                f"{self.address}: {self._host} does not speak TLS on that port.",
                "Check the port, or write http:// if the server has no TLS.",
            )
        if isinstance(reason, ValueError | http.client.InvalidURL):
            return SourceError(f"{self.address} cannot be requested.", "Check the address.")
        return Broken(trouble(reason) if isinstance(reason, Exception) else "no connection")

    def _refused(self, exc: HTTPError) -> Exception:
        """Say what an error status means; it may come before or during a transfer."""
        exc.close()
        if exc.code >= 500 or exc.code == 429:
            return Broken(f"HTTP status {exc.code}")
        if exc.code == 407:
            return SourceError(
                f"{self.address}: the proxy wants a user name and a password, or others (407).",
                "Check HTTP_PROXY and HTTPS_PROXY.",
            )
        copy = 'or give a local copy, for example of Kaggle\'s "The Movies Dataset"'
        if exc.code in (404, 410):
            return SourceError(f"{self.address}: no such file ({exc.code}).", f"Check the address, {copy}.")
        if exc.code in (400, 401, 403):
            return SourceError(
                f"{self.address}: access is forbidden ({exc.code}).",
                f"A signed address may have expired: get a new one. Check the user name and password, {copy}.",
            )
        if 300 <= exc.code < 400:
            return SourceError(
                f"{self.address} redirects in a loop, or to an unsafe address ({exc.code}).",
                "Give the final address.",
            )
        return SourceError(f"{self.address}: the server answered {exc.code}.", f"Check the address, {copy}.")


def _version(status: int, headers: Any) -> Version:
    """Read the version from a response's headers; ranges need something to tell versions apart."""
    match = _RANGE.fullmatch(headers.get("Content-Range", "")) if status in (206, 416) else None
    total = match[3] if match else headers.get("Content-Length", "") if status == 200 else ""
    size = int(total) if total.isdecimal() else None
    etag = headers.get("ETag")
    if etag and etag.startswith('"'):
        etag = etag.strip('"')
    modified = headers.get("Last-Modified")
    ranges = status == 206 and size is not None and bool(etag or modified)
    return Version(size, etag or None, _moment(modified), ranges)


def _moment(text: str | None) -> str | None:
    try:
        return utc(parsedate_to_datetime(text)) if text else None
    except ValueError:
        return text

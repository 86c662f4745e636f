"""One file over HTTP: resumed where it broke off, and refused when it is not the file."""

from __future__ import annotations

import os
import re
import shutil
import time
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from intertwiner.data._part import Part
from intertwiner.data._progress import Report
from intertwiner.data.cache import VARIABLE, unwritable
from intertwiner.errors import DataError

__all__ = ["Unserved", "download"]

ATTEMPTS = 4
BACKOFF = 0.5
"""Seconds before the second attempt; doubled before each further one."""
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as lost."""
_CHUNK = 1 << 16
_TRANSIENT = {408, 416, 429, 500, 502, 503, 504}
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


class Unserved(DataError):
    """The server does not give the file."""


class _Lost(Exception):
    """This attempt failed; another may not."""


def download(url: str, part: Part, report: Report, *, page: bool = False) -> None:
    """Fetches `url` into `part`, going on where an earlier call stopped.

    page: whether the file wanted is itself a web page.

    Raises `Unserved` when the server refuses, sends a web page in place of the file, or is lost
    every time; what came until then is kept for the next call. Raises `DataError` when the file
    cannot be stored.
    """
    if not url.startswith(("http://", "https://")):
        raise Unserved(f"{url}: only http and https addresses can be downloaded")
    reason = ""
    for attempt in range(ATTEMPTS):
        time.sleep(BACKOFF * 2 ** (attempt - 1) if attempt else 0)
        try:
            return _attempt(url, part, report, page)
        except _Lost as lost:
            reason = str(lost)
    raise Unserved(f"{url}: {reason} ({ATTEMPTS} attempts; {part.size:,} bytes kept to go on from)")


def _attempt(url: str, part: Part, report: Report, page: bool) -> None:
    with _open(url, part) as response:
        total = _total(response)
        head = _read(response, _CHUNK)
        if response.status == 200:
            _refuse_page(url, response, head, page)
        try:
            if response.status == 200:
                part.start(url, dict(response.headers))
            _check_space(part, total)
            _append(part, head, response, report, total)
        except OSError as error:
            raise unwritable(part.path.parent, error.strerror or str(error)) from error
    if total is not None and part.size < total:
        raise _Lost(f"the connection closed after {part.size:,} of {total:,} bytes")


def _append(
    part: Part, chunk: bytes, response: HTTPResponse, report: Report, total: int | None
) -> None:
    with part.path.open("ab") as file:
        while chunk:
            file.write(chunk)
            report(file.tell(), total)
            chunk = _read(response, _CHUNK)
        os.fsync(file.fileno())


def _open(url: str, part: Part) -> HTTPResponse:
    """The response to a request for the whole file (status 200) or for its rest (status 206)."""
    headers = {"User-Agent": "intertwiner", "Accept-Encoding": "identity"}
    headers |= part.resume_headers(url)
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        with error:
            raise _refused(url, error, part) from error
    except (OSError, HTTPException) as error:
        raise _Lost(f"no answer: {getattr(error, 'reason', error)}") from error
    with_range = response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-")
    if response.status == 200 or (response.status == 206 and with_range and "Range" in headers):
        return response
    with response:
        raise Unserved(f"{url}: the server answered {response.status} {response.reason}, no file")


def _refused(url: str, error: HTTPError, part: Part) -> Exception:
    if error.code == 416:
        part.discard()
    if error.code in _TRANSIENT:
        return _Lost(f"the server answered {error.code} {error.reason}")
    if 300 <= error.code < 400:
        reason = str(error.reason).partition("\n")[0]
        return Unserved(f"{url}: the server redirects, but not to a file ({error.code}: {reason})")
    return Unserved(f"{url}: the server answered {error.code} {error.reason}")


def _read(response: HTTPResponse, count: int) -> bytes:
    try:
        return response.read(count)
    except (OSError, HTTPException) as error:
        raise _Lost(f"the connection broke: {error or type(error).__name__}") from error


def _total(response: HTTPResponse) -> int | None:
    """The size of the whole file, where the server says it."""
    length = response.headers.get("Content-Length", "")
    if response.status == 206:
        length = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(length) if length.isdigit() else None


def _refuse_page(url: str, response: HTTPResponse, head: bytes, page: bool) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    typed = response.headers.get_content_type() == "text/html" and start.startswith(b"<")
    if page or not (typed or start.startswith((b"<!doctype html", b"<html"))):
        return
    title = _TITLE.search(head)
    called = f" called {title[1][:80].decode('utf-8', 'replace')!r}" if title else ""
    raise Unserved(f"{url}: the server sent a web page{called} in place of the file")


def _check_space(part: Part, total: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    missing = (total or 0) - part.size
    if missing > free:
        raise DataError(
            f"{part.path.parent}: {missing:,} bytes are still to come and {free:,} are free; free "
            f"some space or set the environment variable {VARIABLE} to a folder on another disk"
        )

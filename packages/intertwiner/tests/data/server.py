"""A web server on the loopback interface that misbehaves as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 1000


@dataclass
class Behaviour:
    """How `/file` is answered.

    cuts: how many times the connection closes half way; statuses: what is answered first, one
    status a request; seconds: how long an answer takes.
    """

    content: bytes = CONTENT
    content_type: str = "application/octet-stream"
    etag: str | None = '"one"'
    last_modified: str | None = None
    ranges: bool = True
    cuts: int = 0
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0.0
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        behaviour = self.behaviour
        behaviour.requests.append({name.lower(): value for name, value in self.headers.items()})
        time.sleep(behaviour.seconds)
        status = behaviour.statuses.pop(0) if behaviour.statuses else 200
        if self.path == "/loop":
            self._head(302, 0, {"Location": "/loop"})
        elif self.path == "/astray":
            self._head(302, 0, {"Location": "file:///etc/hostname"})
        elif self.path == "/moved":
            self._head(301, 0, {"Location": "/file"})
        elif status != 200:
            self._head(status, 0, {})
        else:
            self._file(behaviour)

    def _file(self, behaviour: Behaviour) -> None:
        size, start, headers = len(behaviour.content), 0, {}
        asked = self.headers.get("Range")
        current = self.headers.get("If-Range") in (behaviour.etag, behaviour.last_modified)
        if asked and behaviour.ranges and current:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self._head(206 if headers else 200, size - start, headers)
        body = behaviour.content[start:]
        if behaviour.cuts:
            behaviour.cuts -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        headers = {**headers, "Content-Length": str(length)}
        headers["Content-Type"] = self.behaviour.content_type
        for name, value in (("ETag", "etag"), ("Last-Modified", "last_modified")):
            if getattr(self.behaviour, value):
                headers[name] = getattr(self.behaviour, value)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Behaviour]:
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        behaviour.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield behaviour
        finally:
            server.shutdown()
            thread.join()

"""An unfinished download, and what must be known to go on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Part"]


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes so far lie at `path`; beside them are the address and the server's validator.

    The validator (strong ETag or Last-Modified) lets the server say whether it still serves the
    same file (RFC 9110, 13.1.5). Without one a download starts again.
    """

    path: Path

    @property
    def _notes(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resume_headers(self, url: str) -> dict[str, str]:
        """What to ask of `url` for the rest alone; empty when it must be the whole."""
        notes: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            notes = json.loads(self._notes.read_text("utf-8"))
        if not self.size or notes.get("url") != url or not notes.get("validator"):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": notes["validator"]}

    def start(self, url: str, headers: Mapping[str, str]) -> None:
        """Empties the file and notes what the server said about the new one."""
        said = {name.lower(): value for name, value in headers.items()}
        tag = said.get("etag", "")
        validator = tag if tag.startswith('"') else said.get("last-modified")
        self.path.write_bytes(b"")
        self._notes.write_text(json.dumps({"url": url, "validator": validator}), "utf-8")

    def discard(self) -> None:
        """Forgets what was downloaded so far."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

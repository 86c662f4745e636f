"""Outcomes kept on disk while a run is under way, so that an interrupted run continues.

One JSON object per line: first the identity of the run, then one outcome per candidate, in order.
Rows are arrays as they will be packed; integers and shortest-form floats survive JSON unchanged.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from .arrays import Arrays

Outcome = Arrays | str
"""The row of a finished molecule, or the reason why there is none."""


class WorkLog:
    """An append-only log of outcomes; use it as a context manager."""

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        """Open or create ``path``; raise ``ValueError`` when it belongs to another run."""
        self._header = json.dumps(identity, sort_keys=True)
        self._path = path
        self.outcomes: list[Outcome] = self._recovered() if path.exists() else []
        self._stream = path.open("a", encoding="utf-8")
        if self._stream.tell() == 0:
            self._stream.write(self._header + "\n")

    def append(self, outcome: Outcome) -> None:
        """Store the outcome of the next candidate."""
        self._stream.write(json.dumps(outcome, default=_as_json) + "\n")
        self._stream.flush()
        self.outcomes.append(outcome)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()

    def _recovered(self) -> list[Outcome]:
        """Read complete lines and cut off the half-written one an interruption may leave."""
        content = self._path.read_bytes()
        complete = content[: content.rfind(b"\n") + 1]
        header, *lines = complete.decode().splitlines() or [self._header]
        if header != self._header:
            raise ValueError(
                f"{self._path} was begun with another recipe or other package versions: "
                f"expected {self._header}, found {header}. Move it away to start afresh."
            )
        with self._path.open("r+b") as stream:
            stream.truncate(len(complete))
        return [_from_json(json.loads(line)) for line in lines]


def _as_json(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    values = array.astype(str) if array.dtype.kind == "S" else array
    return {"dtype": array.dtype.str, "values": values.tolist()}


def _from_json(stored: Any) -> Outcome:
    if isinstance(stored, str):
        return stored
    return {key: np.array(entry["values"], entry["dtype"]) for key, entry in stored.items()}

"""A npz file whose bytes depend on its contents alone."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import Arrays

_EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
Meta = dict[str, Any]


def packed(arrays: Arrays, meta: Meta) -> bytes:
    """Return the npz as bytes: keys sorted, dates fixed, nothing pickled.

    ``meta`` becomes an array of the UTF-8 bytes of its JSON text, under the key ``meta``.
    """
    text = json.dumps(meta, sort_keys=True, ensure_ascii=False, indent=1)
    everything = arrays | {"meta": np.frombuffer(text.encode(), dtype=np.uint8)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key in sorted(everything):
            entry = zipfile.ZipInfo(f"{key}.npy", date_time=_EARLIEST_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same byte whichever system writes the archive
            archive.writestr(entry, _npy_bytes(everything[key]), compresslevel=9)
    return buffer.getvalue()


def unpacked(path: Path) -> tuple[Arrays, Meta]:
    """Read back what ``packed`` made."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    meta: Meta = json.loads(arrays.pop("meta").tobytes())
    return arrays, meta


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside ``path``, flush to disk and rename, so that no reader sees half a file."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _npy_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()

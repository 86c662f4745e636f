"""Records as files: extended XYZ for atoms and particles, NPZ for every structure.

XYZ has three columns of positions: those of fewer dimensions are filled up with zeros. A particle
that is no element (z = 0) is written as X. Fields with one value per record, such as `log_prob`,
go into the comment line. NPZ holds the arrays of one batch: node fields one record after the
other, `ptr` with the first node of each, and one row per record of graph fields.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.atomic import write_atomically
from intertwiner.config import suggestion
from intertwiner.elements import symbol
from intertwiner.errors import ConfigError, DataError

__all__ = ["check_suffix", "write_records"]


def write_records(path: Path, records: Sequence[Data], *, setting: str = "--out") -> None:
    """Writes `records` to `path`, whole or not at all, in the format of its suffix.

    setting: the flag by which the user chose the path. Raises `ConfigError` for a suffix that is
    not written, `DataError` for records that the format cannot hold, `RunError` when the disk
    refuses.
    """
    check_suffix(path, setting)
    write_atomically(path, WRITERS[path.suffix.lower()](records), setting=setting)


def check_suffix(path: Path, setting: str = "--out") -> None:
    """Raises `ConfigError` unless files with the suffix of `path` are written."""
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise ConfigError(f"{setting} {path}: cannot write {suffix!r}{suggestion(suffix, WRITERS)}")


def _xyz(records: Sequence[Data]) -> Iterator[bytes]:
    for number, record in enumerate(records):
        yield _frame(record, number).encode()


def _frame(record: Data, number: int) -> str:
    """One frame: the number of atoms, a comment line with all else, a line for every atom."""
    if "pos" not in record or "z" not in record or record.pos.shape[1] > 3:
        raise DataError(
            f"record {number}: XYZ holds atoms with z and pos in at most 3 dimensions; "
            "write an .npz file"
        )
    pos = torch.nn.functional.pad(record.pos.double(), (0, 3 - record.pos.shape[1]))
    comment = ["Properties=species:S:1:pos:R:3", *_graph_values(record)]
    comment.append(f'name="{str(record.get("name", number)).translate(_UNQUOTED)}"')
    rows = (
        f"{symbol(int(z)):<2s} " + " ".join(f"{value:.8f}" for value in place)
        for z, place in zip(record.z, pos.tolist(), strict=True)
    )
    return "\n".join([str(len(pos)), " ".join(comment), *rows, ""])


_UNQUOTED: Final = str.maketrans({'"': "'", "\n": " "})


def _graph_values(record: Data) -> Iterator[str]:
    for name, value in record.to_dict().items():
        if name in ("pos", "z") or not isinstance(value, Tensor) or value.numel() != 1:
            continue
        if value.dim() == 1:
            yield f"{name}={value.item():.10g}"


def _npz(records: Sequence[Data]) -> Iterator[bytes]:
    batch = Batch.from_data_list(list(records))
    arrays = {
        name: value.detach().cpu().numpy()
        for name, value in batch.to_dict().items()
        if isinstance(value, Tensor) and name != "batch"
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    yield file.getvalue()


WRITERS: Final[Mapping[str, Callable[[Sequence[Data]], Iterator[bytes]]]] = {
    ".xyz": _xyz,
    ".extxyz": _xyz,
    ".npz": _npz,
}

"""Generated samples in the cache: each file with its SHA-256 and the record of its self-tests."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import Float
from torch import Tensor

from intertwiner.atomic import write_atomically
from intertwiner.data.cache import dataset_folder, make_folder
from intertwiner.errors import DataError
from intertwiner_enflow.generators import Generated, generate
from intertwiner_enflow.targets import Target

__all__ = ["packed", "samples", "unpacked"]

_log = logging.getLogger(__name__)
_VERSION: Final = 1
"""Of the generator: raised when the same seed gives other samples."""


def samples(target: Target, dataset: str, count: int, seed: int) -> Float[Tensor, "count N D"]:
    """`count` samples of the run `seed` from the cache of `dataset`, generated when not there.

    One process generates while others wait. Raises `DataError` when a self-test of the generator
    fails, and when the file is damaged.
    """
    folder = make_folder(dataset_folder(dataset))
    path = folder / f"{target.name}-{count}-seed{seed}-v{_VERSION}.npz"
    with FileLock(folder / f".{path.name}.lock"):
        if not path.is_file():
            _log.warning("%s: generating %d samples of %s", path, count, target.name)
            made = generate(target, count, seed)
            _require_passed(target, made, seed)
            write_atomically(path, [packed(made, seed)], setting="INTERTWINER_DATA")
    return unpacked(path, target)[0]


def packed(made: Generated, seed: int) -> bytes:
    """Samples and the record of their making as a npz file."""
    x = made.run.x.float().numpy()
    record = {
        "seed": seed,
        "sha256": hashlib.sha256(x.tobytes()).hexdigest(),
        "log_z": made.run.log_z,
        "log_z_error": made.run.log_z_error,
        "levels": made.run.levels,
        "step": made.run.step,
        "checks": [str(check) for check in made.checks],
    }
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    np.savez_compressed(buffer, x=x, record=text)
    return buffer.getvalue()


def unpacked(path: Path, target: Target) -> tuple[Float[Tensor, "count N D"], dict[str, Any]]:
    """Samples and record of a file that `packed` made.

    Raises `DataError` when it cannot be read, is damaged, or holds another target's samples.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            x, text = stored["x"], stored["record"]
        record: dict[str, Any] = json.loads(text.tobytes())
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); delete it to have it made anew"
        ) from error
    seen = hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()
    if seen != record.get("sha256"):
        raise DataError(
            f"{path}: SHA-256 of the samples is {seen}, recorded is {record.get('sha256')}; "
            "delete the file to have it made anew"
        )
    if x.shape[1:] != (target.particles, target.dimension):
        raise DataError(f"{path}: samples are {list(x.shape)}, not those of {target.name}")
    return torch.from_numpy(x), record


def _require_passed(target: Target, made: Generated, seed: int) -> None:
    failed = [str(check) for check in made.checks if not check.passed]
    if failed:
        raise DataError(
            f"{target.name}, seed {seed}: the generated samples fail their self-tests "
            f"({'; '.join(failed)}); take another seed, or more samples"
        )

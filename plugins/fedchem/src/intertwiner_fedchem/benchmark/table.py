"""Runs gathered by set, clients and method; means over seeds, and paired differences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intertwiner.training.folder import RunFolder

__all__ = ["Cell", "Key", "difference", "finished_runs", "parse_arm"]

_SEED = re.compile(r"seed-(\d+)")
T_95 = (float("nan"), 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t of 97.5 %, by degrees of freedom."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """alpha: "" for arms that have no such division."""

    dataset: str
    alpha: str
    method: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Values by seed."""

    values: dict[int, float]

    @property
    def mean(self) -> float:
        return float(np.mean(list(self.values.values())))

    @property
    def spread(self) -> float | None:
        """The standard deviation over seeds."""
        return float(np.std(list(self.values.values()), ddof=1)) if len(self.values) > 1 else None

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" ± {self.spread:.3f}"
        return f"{self.mean:.3f}{spread} ({len(self.values)})"


def parse_arm(name: str) -> Key:
    """The key of an arm named SET/METHOD or SET/alpha-ALPHA/METHOD."""
    dataset, *middle, method = name.split("/")
    return Key(dataset, middle[0].removeprefix("alpha-") if middle else "", method)


def difference(one: Cell, other: Cell) -> tuple[float, float, int] | None:
    """Mean of one less the other over common seeds, half width of its 95 % interval, seeds."""
    common = sorted(set(one.values) & set(other.values))
    if len(common) < 2:
        return None
    gaps = np.array([one.values[seed] - other.values[seed] for seed in common])
    half = T_95[len(gaps) - 1] * gaps.std(ddof=1) / len(gaps) ** 0.5
    return float(gaps.mean()), float(half), len(gaps)


def finished_runs(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """(arm, seed, folder) of every run below `folder` that has all its rounds."""
    for metrics in sorted(folder.rglob("metrics.csv")):
        seed, run = _SEED.fullmatch(metrics.parent.name), RunFolder(metrics.parent)
        rounds = run.read_config()["federation"]["rounds"] if seed else 0
        if seed and len(metrics.read_text(encoding="utf-8").splitlines()) > rounds:
            yield str(run.path.parent.relative_to(folder)), int(seed[1]), run.path

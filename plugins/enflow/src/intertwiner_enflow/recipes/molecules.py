"""The report of `gfn2-joint` and `qm9-joint`: 1,000 sampled molecules, scored beside controls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch_geometric.data import Data

from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_task
from intertwiner_enflow.molecules import (
    MoleculeReport,
    displaced,
    gaussian_cloud,
    score_molecules,
    shuffled_types,
    stable_atoms,
    write_sdf,
    write_xyz,
)
from intertwiner_enflow.molecules.bonds import SYMBOLS
from intertwiner_enflow.recipes.tables import drawn
from intertwiner_enflow.viz import draw_molecule_film, draw_molecule_grid, write_page

__all__ = ["report"]

COLUMNS: Final = (
    *("molecules", "stable atoms [%]", "stable molecules [%]", "valid, loose [%]"),
    *("valid, strict [%]", "unique [%]", "novel [%]", "one fragment [%]", "JS of distances"),
)
_SAMPLES: Final = 1_000
_NOISES: Final = (0.02, 0.05, 0.1)
_TIMES: Final = (1.0, 0.75, 0.5, 0.25, 0.1, 0.0)
_FILMED: Final = 12


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Samples 1,000 molecules of the first run and scores them, all of them.

    folder: where samples (SDF, XYZ) and the picture are written.
    """
    run = load_run(results[0].folder)
    true, training = _records(run, "test"), _records(run, "train")
    drawn_records = run.sample(_SAMPLES, seed=results[0].seed)
    samples = [record for record in drawn_records if _is_whole(record)]
    scored = {"sampled": score_molecules(samples, training=training, reference=true)}
    scored |= {
        name: score_molecules(records, training=training, reference=true)
        for name, records in _controls(true).items()
    }
    write_xyz(folder / "samples.xyz", samples)
    write_sdf(folder / "samples.sdf", samples)
    frames = _film(run, folder)
    groups = {"sampled": samples[:16], "true": true[:16]}
    drawings = [
        partial(draw_molecule_grid, groups, folder / "molecules.png"),
        partial(draw_molecule_film, frames, _TIMES, folder / "film.png"),
    ]
    pictures, missing = drawn(drawings)
    return Report(
        title=f"{run.config.dataset}: positions and elements sampled together",
        columns=COLUMNS,
        rows=tuple(_row(name, found) for name, found in scored.items()),
        figures=tuple(_figures(scored["sampled"], results[0])),
        pictures=tuple(pictures),
        notes=(
            f"{len(drawn_records) - len(samples)} of {len(drawn_records)} samples failed to "
            "integrate or are not finite and are left out.",
            _likelihood_note(int(run.config.model_settings.exact_directions)),
            "The flow gives both mirror images of a molecule the same density.",
            f"film.png shows the best of {_FILMED} paths; molecules.html has them all.",
            f"{results[0].seconds:.0f} s of training, {results[0].parameters:,} parameters.",
            *missing,
        ),
    )


def _likelihood_note(directions: int) -> str:
    probe = "by one probe: unbiased, its spread in the error"
    if not directions:
        return f"NLL is a bound, {probe}."
    return (
        f"NLL is a bound, exact for molecules of up to {directions} coordinates, elements "
        f"included, and above them {probe}."
    )


def _records(run: Run, part: str) -> list[Data]:
    """Molecules of the run's own data whose elements are in the table of bonds."""
    task = build_task(load_registry(), replace(run.config))
    return [record for record in task.parts[part] if set(record.z.tolist()) <= set(SYMBOLS)]


def _film(run: Run, folder: Path) -> list[Data]:
    """Writes the paths of some molecules as a page to turn about, and gives that of the one with
    the largest share of stable atoms, whose elements are those of its end."""
    model: Any = run.model
    generator = torch.Generator().manual_seed(0)
    paths = [model.path(_TIMES, generator=generator) for _ in range(_FILMED)]
    write_page(
        [torch.stack([record.pos for record in path]) for path in paths],
        _TIMES,
        folder / "molecules.html",
        elements=[path[-1].z for path in paths],
        title="sampled molecules on their way",
    )
    return max(paths, key=lambda path: float(stable_atoms(path[-1].z, path[-1].pos).float().mean()))


def _is_whole(record: Data) -> bool:
    failed = "failed" in record and bool(record.failed)
    return not failed and bool(torch.isfinite(record.pos).all())


def _controls(true: Sequence[Data]) -> dict[str, list[Data]]:
    """The true molecules, and the same spoilt step by step."""
    generator = torch.Generator().manual_seed(0)
    some = list(true[:_SAMPLES])
    return {
        "true": some,
        **{
            f"control: moved by {noise:g} angstrom": displaced(some, noise, generator)
            for noise in _NOISES
        },
        "control: elements shuffled": shuffled_types(some, generator),
        "control: Gaussian cloud": gaussian_cloud(some, generator),
    }


def _row(name: str, found: MoleculeReport) -> tuple[str, ...]:
    counts = (found.loose, found.strict, found.unique, found.novel, found.connected)
    return (
        f"{name} ({found.molecules:,})",
        f"{100 * found.stability.atom_share:.2f}",
        f"{100 * found.stability.molecule_share:.2f}",
        *("" if one is None else f"{100 * one / max(1, found.molecules):.2f}" for one in counts),
        "" if found.distances is None else f"{found.distances:.4f}",
    )


def _figures(found: MoleculeReport, result: ArmResult) -> Iterable[Figure]:
    shares = {
        "atom stability": found.stability.atom_share,
        "molecule stability": found.stability.molecule_share,
    }
    for name in ("loose", "strict", "unique", "novel"):
        count = getattr(found, name)
        if count is not None:
            shares[name] = count / max(1, found.molecules)
    for name, value in shares.items():
        yield Figure(f"{result.arm}/{name}", 100.0 * value, None, 1, "%")
    for name, value in result.metrics.items():
        yield Figure(f"{result.arm}/{name}", value, None, 1, "nat")

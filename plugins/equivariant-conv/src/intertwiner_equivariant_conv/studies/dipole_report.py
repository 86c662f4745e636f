"""The report of `dipole-readouts`: five arms, controls, and what the table says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import load_run
from intertwiner.training.task import build_task
from intertwiner_equivariant_conv.studies.arms import (
    Arms,
    by_arm,
    draw_all,
    draw_learning,
    mismatch,
    over_seeds,
    shown,
)
from intertwiner_equivariant_conv.studies.controls import (
    POINT_CHARGES,
    point_charge_control,
    scalar_controls,
)
from intertwiner_equivariant_conv.studies.gains import Errors, mean_gain

__all__ = ["Controls", "draw_errors", "report", "summarise"]

LENGTH = "length"
COMPONENT = "component"
COLUMNS = ("arm", "parameters", "MAE of the length [D]", "MAE per component [D]", "seconds")
METRICS: Mapping[str, tuple[str, ...]] = {
    LENGTH: ("test/dipole/length_mae", "test/dipole_magnitude/mae"),
    COMPONENT: ("test/dipole/mae",),
}
"""Quantity -> the test figures that may hold it."""
ZERO = "control: zero vector"
QUESTIONS = (
    ("l0-scalar", "l1-scalar", "with the scalar read-out, order 1 in place of 0"),
    ("l0-scalar", "l0-charge", "with features of order 0, charges in place of scalars"),
    ("l1-scalar", "l1-vector", "with features of order 1, vectors in place of scalars"),
    ("l1-scalar", "l0-charge", "order 0 with charges, in place of order 1 with scalars,"),
    ("l0-charge", "l1-vector", "order 1 with vectors, in place of order 0 with charges,"),
    ("l1-vector", "l1-charge-vector", "charges beside the vectors"),
)
"""(from, to, in words)."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Errors in debye of predictions without a network: name -> quantity -> error."""

    named: Mapping[str, Mapping[str, float]]

    def best(self, quantity: str) -> tuple[float, str]:
        """The smallest error of a quantity, and whose it is."""
        named = self.named.items()
        found = [(errors[quantity], name) for name, errors in named if quantity in errors]
        return min(found)


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Table, figures and pictures (`errors.png`, `curves.png` in `folder`) of the trainings."""
    arms, controls = by_arm(results), _controls(results[0])
    pictures, missing = draw_all(
        (
            lambda: draw_errors(arms, controls, folder / "errors.png"),
            lambda: draw_learning(results, folder / "curves.png"),
        )
    )
    found = summarise(arms, controls)
    return replace(found, pictures=tuple(pictures), notes=(*found.notes, *missing))


def draw_errors(arms: Arms, controls: Controls, out: Path) -> Path:
    """Errors of all arms, with their spread over seeds, and of the controls beside them."""
    from intertwiner.view.bars import draw_bars

    series: dict[str, dict[str, tuple[float, float | None]]] = {}
    for quantity, title in ((LENGTH, "length of the dipole"), (COMPONENT, "one component")):
        errors = _errors(arms, quantity)
        bars = {arm: _statistics(errors, arm, quantity) for arm in errors}
        named = ((name, found.get(quantity)) for name, found in controls.named.items())
        bars |= {name: (error, None) for name, error in named if error is not None}
        series[title] = {_broken(name): bar for name, bar in bars.items()}
    return draw_bars({"networks and controls": series}, out, label="test MAE [D]")


def _broken(name: str) -> str:
    """A name that `draw_bars` breaks into lines."""
    return name.replace(": ", "_").replace("-", "_").replace(" ", "_")


def _controls(result: ArmResult) -> Controls:
    """Of the length: training mean, composition fit, true charges; of the vector: zero, charges."""
    config = load_run(result.folder).config
    wanted = ("dipole", "dipole_magnitude", "charges")
    settings = replace(config.data_settings, targets=wanted)
    task = build_task(load_registry(), replace(config, data_settings=settings))
    test = task.parts["test"]
    target = "dipole_magnitude"
    lengths = scalar_controls(task.parts["train"], test, (target,), task.schema.species)
    length, component = point_charge_control(test)
    zero = fmean(float(record.dipole.abs().mean()) for record in test)
    named = {name: {LENGTH: errors[target]} for name, errors in lengths.items()}
    named[ZERO] = {COMPONENT: zero}
    named[POINT_CHARGES] = {LENGTH: length, COMPONENT: component}
    return Controls(named)


def summarise(arms: Arms, controls: Controls) -> Report:
    """The report without its pictures."""
    return Report(
        title="Dipole moments of gfn2-small: what is read out against what features are",
        columns=COLUMNS,
        rows=tuple(_rows(arms, controls)),
        figures=tuple(_figures(arms, controls)),
        notes=tuple(_notes(arms, controls)),
    )


def _error(result: ArmResult, quantity: str) -> float | None:
    """The test error of a quantity; None for the vector of an arm that learns the length."""
    for metric in METRICS[quantity]:
        if metric in result.metrics:
            return result.metrics[metric]
    return None


def _errors(arms: Arms, quantity: str) -> Errors:
    """arm -> seed -> quantity -> error, for the arms that have it."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for arm, results in arms.items():
        for result in results:
            value = _error(result, quantity)
            if value is not None:
                found.setdefault(arm, {})[result.seed] = {quantity: value}
    return found


def _statistics(errors: Errors, arm: str, quantity: str) -> tuple[float, float | None]:
    return over_seeds(found[quantity] for found in errors[arm].values())


def _rows(arms: Arms, controls: Controls) -> Iterable[tuple[str, ...]]:
    tables = {quantity: _errors(arms, quantity) for quantity in (LENGTH, COMPONENT)}
    for arm, results in arms.items():
        cells = [
            shown(*_statistics(errors, arm, quantity)) if arm in errors else "-"
            for quantity, errors in tables.items()
        ]
        seconds = fmean(result.seconds for result in results)
        yield (arm, f"{results[0].parameters:,}", *cells, f"{seconds:.0f}")
    for name, errors in controls.named.items():
        values = (errors.get(quantity) for quantity in (LENGTH, COMPONENT))
        yield (name, "0", *("-" if v is None else shown(v, None) for v in values), "")


def _figures(arms: Arms, controls: Controls) -> Iterable[Figure]:
    for quantity in (LENGTH, COMPONENT):
        errors = _errors(arms, quantity)
        for arm, by_seed in errors.items():
            mean, spread = _statistics(errors, arm, quantity)
            yield Figure(f"{arm}/MAE of the {quantity}", mean, spread, len(by_seed), "debye")
        for name, found in controls.named.items():
            if quantity in found:
                yield Figure(f"{name}/MAE of the {quantity}", found[quantity], unit="debye")
        for first, second, _ in QUESTIONS:
            gain = mean_gain(errors, [(first, second)], (quantity,))
            if gain is not None:
                name = f"error of the {quantity} removed, {first} to {second}"
                yield Figure(name, gain.mean, gain.spread, gain.seeds, "%")
    for arm, results in arms.items():
        yield Figure(f"{arm}/parameters", float(results[0].parameters))


def _notes(arms: Arms, controls: Controls) -> Iterable[str]:
    sizes = [results[0].parameters for results in arms.values()]
    yield f"Parameters differ by at most {mismatch(sizes):.1f} %; depth and training are the same."
    errors = _errors(arms, LENGTH)
    for first, second, words in QUESTIONS:
        gain = mean_gain(errors, [(first, second)], (LENGTH,))
        if gain is not None:
            change = "removes" if gain.mean >= 0 else "adds"
            size = replace(gain, mean=abs(gain.mean))
            before, after = (_statistics(errors, arm, LENGTH)[0] for arm in (first, second))
            yield (
                f"Error of the length: {words} {change} {size} % "
                f"({before:.3f} to {after:.3f} D, {first} to {second})."
            )
    bar, control = controls.best(LENGTH)
    for arm in errors:
        if _statistics(errors, arm, LENGTH)[0] >= bar:
            yield f"{arm}: NOT LEARNED, not better than {control} ({bar:.3f} D)."

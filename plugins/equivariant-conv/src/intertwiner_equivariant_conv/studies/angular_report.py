"""The report of `angular-study`: a table of arms and controls, and what order and depth bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner_equivariant_conv.studies.angular import (
    DEPTHS,
    MATCHINGS,
    ORDERS,
    angular_name,
    arm_name,
    depth_name,
)
from intertwiner_equivariant_conv.studies.arms import draw_all, draw_learning, mismatch, shown
from intertwiner_equivariant_conv.studies.controls import COMPOSITION
from intertwiner_equivariant_conv.studies.gains import Gain, gains_by_target, mean_gain
from intertwiner_equivariant_conv.studies.study import SIZES, Study, read_study

__all__ = ["comparisons", "report", "summarise"]

Pairs = Sequence[tuple[str, str]]


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Table, figures and pictures (`gains.png`, `curves.png` in `folder`) of finished trainings."""
    study = read_study(results)
    pictures, missing = draw_all(
        (
            lambda: _draw_gains(study, folder / "gains.png"),
            lambda: draw_learning(results, folder / "curves.png"),
        )
    )
    found = summarise(study)
    return replace(found, pictures=tuple(pictures), notes=(*found.notes, *missing))


def comparisons(matching: str) -> dict[str, Pairs]:
    """Name of a figure -> the pairs of arms (from, to) it averages over."""
    found: dict[str, Pairs] = {
        angular_name(matching, order): [
            (arm_name(matching, 0, depth), arm_name(matching, order, depth)) for depth in DEPTHS
        ]
        for order in ORDERS[1:]
    }
    found[depth_name(matching)] = [
        (arm_name(matching, order, "shallow"), arm_name(matching, order, "deep"))
        for order in ORDERS
    ]
    return found


def summarise(study: Study) -> Report:
    """The report without its pictures."""
    units = [f"{field.name} [{field.unit}]" for field in study.targets]
    return Report(
        title=f"Angular order against depth on {study.dataset}: test MAE, mean over seeds",
        columns=("arm", *SIZES, *units),
        rows=tuple(_rows(study)),
        figures=tuple(_figures(study)),
        notes=tuple(_notes(study)),
    )


def _rows(study: Study) -> Iterable[tuple[str, ...]]:
    for arm in study.arms:
        parameters, components, cost, seconds = study.sizes[arm]
        sizes = (f"{parameters:,.0f}", f"{components:.0f}", f"{cost / 1e6:.3g} M", f"{seconds:.3g}")
        yield (arm, *sizes, *(shown(*study.error(arm, name)) for name in study.names))
    for control, errors in study.controls.items():
        yield (control, *[""] * len(SIZES), *(shown(errors[name], None) for name in study.names))
    for matching in MATCHINGS:
        for name, pairs in comparisons(matching).items():
            gains = gains_by_target(study.errors, pairs, study.names)
            if gains:
                cells = (f"{gains[target]} %" for target in study.names)
                yield (f"error removed, {name}", *[""] * len(SIZES), *cells)


def _figures(study: Study) -> Iterable[Figure]:
    for arm, found in study.arms.items():
        for field in study.targets:
            mean, spread = study.error(arm, field.name)
            name = f"{arm}/test/{field.name}/mae"
            yield Figure(name, mean, spread, len(found), field.unit or "")
        units = ("", "", "", "s")
        for name, value, unit in zip(SIZES, study.sizes[arm], units, strict=True):
            yield Figure(f"{arm}/{name}", value, unit=unit)
    for control, errors in study.controls.items():
        for field in study.targets:
            yield Figure(f"{control}/{field.name}", errors[field.name], unit=field.unit or "")
    for name, change in _gains(study).items():
        yield Figure(name, change.mean, change.spread, change.seeds, "%")


def _gains(study: Study) -> dict[str, Gain]:
    """Every comparison over all targets, and "comparison/target" for each."""
    gains: dict[str, Gain] = {}
    for matching in MATCHINGS:
        for name, pairs in comparisons(matching).items():
            whole = mean_gain(study.errors, pairs, study.names)
            if whole is not None:
                gains[name] = whole
            for target, found in gains_by_target(study.errors, pairs, study.names).items():
                gains[f"{name}/{target}"] = found
    return gains


def _notes(study: Study) -> Iterable[str]:
    gains = _gains(study)
    yield "Error removed: 100 (1 - MAE after / MAE before); ±: standard deviation over seeds."
    for matching in MATCHINGS:
        angular, depth = gains.get(angular_name(matching, 1)), gains.get(depth_name(matching))
        if angular is None or depth is None:
            continue
        yield (
            f"Matched by {matching}, mean over {len(study.targets)} targets of {study.dataset}: "
            f"order 0 to 1 at fixed depth removes {angular} %, order 0 to 2 "
            f"{gains[angular_name(matching, 2)]} %, shallow to deep at fixed order {depth} %."
        )
        yield _most(study, gains, angular_name(matching, 1))
    yield from _about_the_paper(study)
    yield from _about_sizes(study)
    yield from _not_learned(study)


def _most(study: Study, gains: Mapping[str, Gain], name: str) -> str:
    ranked = sorted(study.names, key=lambda target: -gains[f"{name}/{target}"].mean)
    texts = [f"{target} {gains[f'{name}/{target}']} %" for target in ranked]
    return f"{name}: {ranked[0]} gains most ({', '.join(texts)})."


def _about_the_paper(study: Study) -> Iterable[str]:
    same = "the same data" if "qm9" in study.dataset else "other data, so no agreement is claimed"
    yield (
        "The published 23 % (angular features) and 4 % (depth) are means over the targets of QM9 "
        f"(arXiv:2008.08461, abstract); the figures here are of {study.dataset}: {same}."
    )


def _about_sizes(study: Study) -> Iterable[str]:
    for matching, number in zip(MATCHINGS, (1, 0), strict=True):
        arms = {arm_name(matching, order, depth) for order in ORDERS for depth in DEPTHS}
        sizes = [int(study.sizes[arm][number]) for arm in study.arms if arm in arms]
        if sizes:
            yield f"Matched by {matching}: they differ by at most {mismatch(sizes):.1f} %."


def _not_learned(study: Study) -> Iterable[str]:
    """Arms that a fit without geometry beats, on extensive targets and on the others."""
    bar = study.controls[COMPOSITION]
    for target in study.names:
        worse = [arm for arm in study.arms if study.error(arm, target)[0] >= bar[target]]
        if worse and target in study.extensive:
            yield f"NOT LEARNED, the composition fit of {target} is better: {', '.join(worse)}."
        elif worse:
            yield f"The composition fit of {target} is still better than {', '.join(worse)}."


def _draw_gains(study: Study, out: Path) -> Path:
    """Error removed for every target and over all, by order and by depth."""
    from intertwiner.view.bars import draw_bars

    panels = {}
    for matching in MATCHINGS:
        series = {}
        for name, pairs in comparisons(matching).items():
            gains = gains_by_target(study.errors, pairs, study.names)
            whole = mean_gain(study.errors, pairs, study.names)
            if whole is not None:
                shown_gains = {**gains, "mean": whole}
                bars = {target: (item.mean, item.spread) for target, item in shown_gains.items()}
                series[name.rpartition("/")[2]] = bars
        panels[f"matched by {matching}, {study.dataset}"] = series
    return draw_bars(panels, out, label="error removed [%]")

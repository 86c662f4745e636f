"""What the report of `angular-study` is made of, read from the run folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from intertwiner.fields import Field
from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_task
from intertwiner.view.curves import read_metrics
from intertwiner_equivariant_conv.paper.config import PaperConfig
from intertwiner_equivariant_conv.paper.presets import count_components
from intertwiner_equivariant_conv.studies.arms import Arms, by_arm, over_seeds
from intertwiner_equivariant_conv.studies.controls import scalar_controls
from intertwiner_equivariant_conv.studies.cost import multiply_adds
from intertwiner_equivariant_conv.studies.gains import Errors

__all__ = ["SIZES", "Study", "read_study"]

SIZES: Final = ("parameters", "components", "multiply-adds per molecule", "seconds per epoch")


@dataclass(frozen=True, slots=True)
class Study:
    """Everything the report says, read from the runs.

    targets: in the order of the table. extensive: names of those that grow with the molecule.
    sizes: arm -> the numbers of `SIZES`. controls: name -> target -> mean absolute error.
    """

    dataset: str
    targets: tuple[Field, ...]
    extensive: tuple[str, ...]
    arms: Arms
    sizes: Mapping[str, tuple[float, ...]]
    controls: Mapping[str, Mapping[str, float]]

    @property
    def errors(self) -> Errors:
        """arm -> seed -> target -> test error."""
        return {
            arm: {result.seed: self._errors_of(result) for result in found}
            for arm, found in self.arms.items()
        }

    @property
    def names(self) -> list[str]:
        """Names of the targets."""
        return [field.name for field in self.targets]

    def _errors_of(self, result: ArmResult) -> dict[str, float]:
        return {name: result.metrics[f"test/{name}/mae"] for name in self.names}

    def error(self, arm: str, target: str) -> tuple[float, float | None]:
        """(mean, standard deviation) over seeds."""
        return over_seeds(found[target] for found in self.errors[arm].values())


def read_study(results: Sequence[ArmResult]) -> Study:
    """From the run folders, whose settings and records say what was trained on what."""
    arms = by_arm(results)
    runs = {arm: load_run(found[0].folder) for arm, found in arms.items()}
    first = next(iter(runs.values()))
    task = build_task(load_registry(), first.config)
    training, test = task.parts["train"], task.parts["test"]
    targets = tuple(first.schema.targets)
    names = [field.name for field in targets]
    atoms = fmean(len(record.z) for record in test)
    return Study(
        dataset=first.config.dataset,
        targets=targets,
        extensive=first.config.model_settings.extensive,
        arms=arms,
        sizes={arm: _sizes(run, arms[arm], atoms) for arm, run in runs.items()},
        controls=scalar_controls(training, test, names, task.schema.species),
    )


def _sizes(run: Run, found: Sequence[ArmResult], atoms: float) -> tuple[float, ...]:
    """The numbers of `SIZES`; multiply-adds for the mean size of the test molecules."""
    config: PaperConfig = run.config.model_settings
    schema = run.schema
    cost = multiply_adds(config, atoms, len(schema.targets), len(schema.species))
    seconds = fmean(_seconds_per_epoch(result.folder) for result in found)
    components = float(count_components(config.multiplicities))
    return float(found[0].parameters), components, cost, seconds


def _seconds_per_epoch(folder: Path) -> float:
    """From the run's `metrics.csv`, validation included."""
    metrics = read_metrics(folder / "metrics.csv")
    return metrics["seconds"][-1] / metrics["epoch"][-1]

"""An arm of a recipe that is trained over clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intertwiner.config import build
from intertwiner.federated.federation import FederationOutcome, federate
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.state import STATE
from intertwiner.registry import Registry
from intertwiner.specs import load_target
from intertwiner.training.folder import CONFIG, RunFolder
from intertwiner.training.settings import RunConfig
from intertwiner.training.task import build_task

__all__ = ["train_arm"]


def train_arm(
    registry: Registry,
    aggregator: str,
    config: RunConfig,
    sections: Mapping[str, Any],
    folder: RunFolder,
    progress: bool,
) -> FederationOutcome:
    """Begins, continues or merely opens the run in `folder`; one that was killed before its first
    round was saved begins anew.

    sections: settings of `federation` and of `aggregator`. Raises what `federate` raises.
    """
    entry = registry.aggregator(aggregator)
    begun = (folder.path / STATE).exists()
    if not begun:
        (folder.path / CONFIG).unlink(missing_ok=True)
    return federate(
        build_task(registry, config),
        entry,
        folder,
        federation=build(FederationConfig, sections["federation"], "federation"),
        aggregator_settings=build(
            load_target(entry.spec.config), sections["aggregator"], "aggregator"
        ),
        resume=begun,
        progress=progress,
    )

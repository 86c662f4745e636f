"""Small federations of the toy models."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.config import build
from intertwiner.federated import FederationOutcome, federate
from intertwiner.federated.settings import FederationConfig
from intertwiner.specs import load_target
from intertwiner.training.folder import RunFolder
from intertwiner.training.task import build_config, build_task

TRAINING = {"batch_size": 8, "learning_rate": 0.01}


@pytest.fixture
def federation(registry):
    """Federates the toy model into a folder; settings by section."""

    def run(folder: Path, aggregator: str = "mean", **options) -> FederationOutcome:
        model, dataset = options.pop("pair", ("distance-net", "pairs"))
        entry = registry.aggregator(aggregator)
        layers = {"training": TRAINING | options.pop("training", {})}
        layers |= {name: options.pop(name) for name in ("model", "data") if name in options}
        defaults = {"clients": 3, "rounds": 3}
        settings = build(FederationConfig, defaults | options.pop("federation", {}), "federation")
        own = build(load_target(entry.spec.config), options.pop("aggregator_settings", {}))
        return federate(
            build_task(registry, build_config(registry, model, dataset, layers)),
            entry,
            RunFolder(folder),
            federation=settings,
            aggregator_settings=own,
            progress=False,
            **options,
        )

    return run

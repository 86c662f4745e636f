"""Small trainings of the toy model."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import Outcome, train
from intertwiner.training.task import build_config, build_task


@pytest.fixture
def run_toy(registry):
    """Trains the toy model into a folder; settings by dotted sections."""

    def run(folder: Path, resume: bool = False, **sections) -> Outcome:
        defaults = {"training": {"epochs": 3, "batch_size": 8, "learning_rate": 0.01}}
        config = build_config(registry, "distance-net", "pairs", defaults, sections)
        return train(build_task(registry, config), RunFolder(folder), resume=resume, progress=False)

    return run

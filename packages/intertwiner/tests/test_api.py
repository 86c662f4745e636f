"""The Python face mirrors the command line, and importing it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch_geometric.data import Batch

import intertwiner
from intertwiner import api
from intertwiner.errors import ConfigError


@pytest.fixture(autouse=True)
def _only_the_toy(registry, monkeypatch):
    monkeypatch.setattr(api, "load_registry", lambda: registry)
    monkeypatch.setattr("intertwiner.training.run.load_registry", lambda: registry)


def test_importing_the_package_imports_no_torch():
    code = "import sys, intertwiner; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there():
    for name in intertwiner.__all__:
        assert getattr(intertwiner, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fti'"):
        _ = intertwiner.fti


def test_models_and_datasets_are_listed_by_id():
    assert intertwiner.list_models() == ["toy/distance-net", "toy/gaussian"]
    assert intertwiner.list_datasets() == ["toy/pairs", "toy/flat"]


def test_a_dataset_takes_its_settings():
    assert len(intertwiner.load_dataset("pairs", count=20)) == 20
    with pytest.raises(ConfigError, match=r"data\.coutn.*'count'"):
        intertwiner.load_dataset("pairs", coutn=20)


def test_a_fresh_model_runs_on_its_dataset_and_repeats_for_the_same_seed():
    batch = Batch.from_data_list(list(intertwiner.load_dataset("pairs"))[:3])
    models = [
        intertwiner.create_model("distance-net", dataset="pairs", seed=seed, channels=5).eval()
        for seed in (1, 1, 2)
    ]
    one, two, three = (model(batch)["extent"] for model in models)
    assert one.shape == (3,)
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_fit_gives_the_run_it_made(tmp_path):
    settings = {"training.epochs": 1, "training.accelerator": "cpu", "model.channels": 3}
    run = intertwiner.fit(
        "distance-net", "pairs", out=tmp_path / "run", settings=settings, progress=False
    )
    assert run.config.model_settings.channels == 3
    again = intertwiner.load_run(tmp_path / "run")
    records = list(intertwiner.load_dataset("pairs"))[:2]
    for ours, theirs in zip(run.predict(records), again.predict(records), strict=True):
        assert torch.equal(ours["extent"], theirs["extent"])

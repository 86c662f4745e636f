"""From names and settings to a task: what runs together is put together, the rest is refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from intertwiner.errors import ConfigError
from intertwiner.fields import Structure
from intertwiner.registry import Plugin, Registry
from intertwiner.training.task import build_config, build_model, build_task, config_to_plain


def test_later_settings_win_and_ids_are_whole(registry):
    config = build_config(
        registry, "distance-net", "pairs", {"model": {"channels": 3}}, {"model": {"channels": 4}}
    )
    assert (config.model, config.dataset) == ("toy/distance-net", "toy/pairs")
    assert config.model_settings.channels == 4
    plain = config_to_plain(config)
    again = build_config(registry, plain["model_id"], plain["dataset_id"], {
        section: plain[section] for section in ("model", "data", "training")
    })  # fmt: skip
    assert again == config


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"modell": {}}, "modell: no such section; did you mean 'model'"),
        ({"model": 3}, "model: must be a section"),
        ({"data": {"targets": ["energy"]}}, r"data\.targets: .*'energy'.*it can learn extent"),
        ({"data": {"split": "size"}}, r"data\.split: no split 'size'; there are: random"),
    ],
)
def test_what_cannot_be_is_named(registry, layer, message):
    with pytest.raises(ConfigError, match=message):
        build_task(registry, build_config(registry, "distance-net", "pairs", layer))


def test_a_limit_shortens_the_training_part_alone(registry):
    sizes = []
    for limit in (None, 7):
        layer = {"data": {"limit": limit}}
        task = build_task(registry, build_config(registry, "distance-net", "pairs", layer))
        sizes.append([len(task.parts[part]) for part in ("train", "validation", "test")])
    assert sizes[0] == [48, 6, 6]
    assert sizes[1] == [7, 6, 6]


def test_the_stand_in_has_the_schema_of_the_dataset(registry):
    config = build_config(registry, "distance-net", "pairs")
    assert build_task(registry, config, synthetic=20).schema == build_task(registry, config).schema


def test_a_pair_that_does_not_run_says_all_reasons(registry):
    (plugin,) = registry.plugins
    entry = plugin.entries("datasets")[0]
    spec = dataclasses.replace(entry.spec, gives=Structure.MESH, targets=())
    records = {**plugin.records, "datasets": (dataclasses.replace(entry, spec=spec),)}
    other = Registry([Plugin(plugin.name, plugin.distribution, plugin.version, "", records)])
    with pytest.raises(ConfigError, match="no adapter leads there; no target fits"):
        build_task(other, build_config(other, "distance-net", "pairs"))


def test_initial_weights_depend_on_the_seed_alone(registry):
    task = build_task(registry, build_config(registry, "distance-net", "pairs"))
    build = [
        build_model(task.found.model, task.config.model_settings, task.schema, seed)
        for seed in (3, 3, 4)
        if torch.rand(seed) is not None
    ]
    one, two, other = (model.network[0].weight for model in build)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)

"""Settings: what is wrong is named by its dotted path, and what is right survives YAML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
import yaml
from annotated_types import Ge, Lt
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.config import (
    DataConfig,
    build,
    flags_to_overrides,
    merge,
    read_yaml,
    to_plain,
    unflatten,
)
from intertwiner.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Radial:
    cutoff: Annotated[float, Ge(0)] = 5.0


@dataclass(frozen=True, kw_only=True)
class Net(DataConfig):
    layers: Annotated[int, Ge(1), Lt(9)] = 3
    rate: float = 1e-3
    kind: Literal["plain", "gated"] = "plain"
    radial: Radial = field(default_factory=Radial)


@given(
    layers=st.integers(1, 8),
    rate=st.floats(1e-9, 1e9),
    kind=st.sampled_from(["plain", "gated"]),
    targets=st.lists(st.text("abc", min_size=1), max_size=3),
    cutoff=st.floats(0, 100),
)
def test_settings_survive_yaml(layers, rate, kind, targets, cutoff):
    config = Net(
        layers=layers, rate=rate, kind=kind, targets=tuple(targets), radial=Radial(cutoff=cutoff)
    )
    assert build(Net, yaml.safe_load(yaml.safe_dump(to_plain(config))), "model") == config


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layer": 2}, "model.layer: no such setting; did you mean 'layers'"),
        (
            {"radial": {"cut_off": 1.0}},
            "model.radial.cut_off: no such setting; did you mean 'cutoff'",
        ),
        ({"layers": "many"}, "model.layers: .*integer.*'many'"),
        ({"layers": 2.5}, "model.layers: .*2.5"),
        ({"layers": 0}, "model.layers: .*greater than or equal to 1.*0"),
        ({"layers": 9}, "model.layers: .*less than 9.*9"),
        ({"kind": "gatd"}, "model.kind: .*'gatd'"),
        ({"radial": {"cutoff": -1}}, "model.radial.cutoff: .*-1"),
        ({"radial": 3}, "model.radial"),
        ({"targets": "dipole"}, "model.targets: .*'dipole'"),
        ({"nothing like it": 1}, "there are: kind, layers"),
    ],
)
def test_a_wrong_setting_is_named_by_its_path(values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        build(Net, values, "model")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_numbers_written_like_1e_3_are_numbers():
    assert build(Net, flags_to_overrides(["--model.rate", "1e-3"], ["model"])["model"]).rate == 1e-3


def test_flags_nest_and_take_lists_and_equals():
    flags = ["--model.radial.cutoff=4", "--data.targets", "[energy, forces]", "--model.layers", "2"]
    assert flags_to_overrides(flags, ["model", "data"]) == {
        "model": {"radial": {"cutoff": 4}, "layers": 2},
        "data": {"targets": ["energy", "forces"]},
    }


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    "flags",
    [["--modl.layers", "2"], ["--model.layers"], ["--model"], ["stray"], ["--model.x", "[1"]],
)
def test_a_wrong_flag_is_refused(flags):
    with pytest.raises(ConfigError):
        flags_to_overrides(flags, ["model", "data"])


def test_later_layers_win_and_mappings_join():
    layers = [{"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": 4}]
    assert merge(*layers) == {"a": {"x": 1, "y": 3}, "b": 4}
    assert unflatten({"a.x": 1, "a.y.z": 2}) == {"a": {"x": 1, "y": {"z": 2}}}


@pytest.mark.fault("F14")
def test_yaml_that_is_not_settings_is_refused(tmp_path):
    path = tmp_path / "run.yaml"
    for text in ["[1, 2]", "a: [", "\x00", "!!python/object/apply:os.system ['true']"]:
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"run\.yaml"):
            read_yaml(path)
    path.write_text("")
    assert read_yaml(path) == {}
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "missing.yaml")

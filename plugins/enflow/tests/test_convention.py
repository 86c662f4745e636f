"""A flow remembers what its training data follow, and is not compared with anything else."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from torch_geometric.data import Batch

from intertwiner.config import build
from intertwiner.fields import NODE, Field, Label, Point, Structure
from intertwiner.schema import Schema
from intertwiner.specs import load_target
from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.datasets.frames import Frames
from intertwiner_enflow.declarations import model_specs
from intertwiner_enflow.density.convention import LONGEST, Convention
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.errors import StateError
from intertwiner_enflow.evaluation import OneProbe, evaluate_density
from intertwiner_enflow.evaluation.one_probe import warn_of_one_probe
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.targets import DoubleWell, LennardJones, Target

HALF, DOUBLE = (LennardJones(13, pair=pair) for pair in ("half", "double"))


def records(target: Target, count: int = 3) -> Batch:
    return Batch.from_data_list(list(Frames(target, excerpt(target)[:count])))


@pytest.fixture
def model() -> Any:
    """`egnn` at its smallest, prepared on records with pairs counted once."""
    spec = next(spec for spec in model_specs() if spec.name == "egnn")
    inputs = (Field("pos", NODE, Point(3)), Field("z", NODE, Label()))
    schema = Schema(structure=Structure.ATOMS, inputs=inputs, targets=(), species=(0,))
    config = build(load_target(spec.config), {**spec.tiny, "tolerance": 1e-2})
    made = load_target(spec.target)(config, schema)
    made.prepare([records(HALF)])
    return made


def test_a_flow_is_refused_by_a_target_of_another_convention_and_both_are_named(
    model: Any,
) -> None:
    assert str(model.flow.convention) == "lj13-half, normalised prior"
    with pytest.raises(StateError, match=r"lj13-half, normalised .* lj13-double, normalised"):
        evaluate_density(model.flow, DOUBLE, excerpt(DOUBLE)[:4], samples=4)


def test_records_of_another_convention_get_no_figures(model: Any) -> None:
    assert model.record_figures(records(HALF, 1))["nll"].shape == (1,)
    with pytest.raises(StateError, match=r"lj13-half.*lj13-double"):
        model.record_figures(records(DOUBLE, 1))


def test_a_checkpoint_carries_the_convention_and_one_without_normaliser_is_refused(
    model: Any,
) -> None:
    other = copy.deepcopy(model)
    other.flow.convention.text.zero_()
    assert str(other.flow.convention) == ""
    other.load_state_dict(model.state_dict())
    assert str(other.flow.convention) == str(model.flow.convention)
    other.flow.convention.remember("lj13-half, prior without its normaliser")
    with pytest.raises(StateError, match=r"without its normaliser; .* lj13-half, normalised"):
        evaluate_density(other.flow, HALF, excerpt(HALF)[:4], samples=4)


def test_training_records_of_two_conventions_are_refused(model: Any) -> None:
    with pytest.raises(StateError, match="several targets: lj13-double, lj13-half"):
        model.prepare([records(HALF), records(DOUBLE)])


def test_a_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(StateError, match=f"more than {LONGEST}"):
        Convention().remember("x" * (LONGEST + 1))


def test_one_probe_in_a_report_is_warned_about_with_its_standard_error() -> None:
    torch.manual_seed(0)
    flow, x = Flow(EgnnVelocity(2, 2, 8), 4), excerpt(DoubleWell())[:20]
    for layer in flow.dynamics.stack.each():
        layer.coord[2].weight.data.mul_(300.0)
    settings = {"divergence": "hutchinson", "tolerance": 1e-2}
    with pytest.warns(OneProbe, match=r"one probe: its standard error for a sample is (\d.*) nats"):
        warn_of_one_probe(flow, x, settings)
    with pytest.warns(OneProbe, match="is unknown"):
        warn_of_one_probe(object(), x, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_one_probe(flow, x, {**settings, "probes": 4})
        warn_of_one_probe(flow, x, {})


def test_the_standard_error_of_one_probe_is_the_spread_over_draws() -> None:
    torch.manual_seed(0)
    flow, x = Flow(EgnnVelocity(2, 2, 8), 4), excerpt(DoubleWell())[:16]
    for layer in flow.dynamics.stack.each():
        layer.coord[2].weight.data.mul_(300.0)
    settings = {"divergence": "hutchinson", "tolerance": 1e-2}
    with pytest.warns(OneProbe) as caught:
        warn_of_one_probe(flow, x, settings)
    said = float(str(caught[0].message).partition("sample is ")[2].partition(" ")[0])
    with torch.no_grad():
        draws = torch.stack([flow.log_prob(x, **settings) for _ in range(40)])
    seen = float(draws.var(dim=0).mean().sqrt())
    assert said == pytest.approx(seen, rel=0.3)

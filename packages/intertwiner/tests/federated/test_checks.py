"""Every kind of bad update is refused with the client, a code and the value seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from intertwiner.errors import ConfigError
from intertwiner.federated.arrays import Kind, kinds_of, moved_buffers
from intertwiner.federated.checks import Reference, check_update
from intertwiner.federated.updates import Update

GLOBAL = {
    "weight": torch.ones(2, 3),
    "running": torch.zeros(3),
    "seen": torch.tensor(4),
    "table": torch.arange(3.0),
}
KINDS = {
    "weight": Kind.AVERAGED,
    "running": Kind.AVERAGED,
    "seen": Kind.COUNTER,
    "table": Kind.CONSTANT,
}
REFERENCE = Reference(arrays=GLOBAL, kinds=KINDS, examples={"lab": 10}, needs=("steps",))
SOUND = Update(client="lab", arrays=GLOBAL, num_examples=10, metrics={"steps": 3.0})


def with_array(name: str, value) -> Update:
    return replace(SOUND, arrays={**GLOBAL, name: value})


def without(name: str) -> Update:
    return replace(SOUND, arrays={key: value for key, value in GLOBAL.items() if key != name})


NAN = torch.tensor([0.0, float("nan"), 0.0])


def test_a_sound_update_passes():
    assert check_update(SOUND, REFERENCE) is None
    assert check_update(with_array("seen", torch.tensor(9)), REFERENCE) is None


@pytest.mark.fault("F61")
@pytest.mark.parametrize(
    ("update", "code", "detail"),
    [
        (with_array("running", NAN), "non_finite", "running (1 of 3 values)"),
        (with_array("weight", torch.full((2, 3), torch.inf)), "non_finite", "6 of 6"),
        (with_array("weight", torch.ones(3, 3)), "shape", "got (3, 3), expected (2, 3)"),
        (with_array("weight", torch.ones(1)), "shape", "got (1,)"),
        (with_array("weight", torch.ones(2, 3).double()), "dtype", "torch.float64"),
        (with_array("weight", torch.ones(2, 3).to(torch.complex64)), "dtype", "complex64"),
        (with_array("weight", torch.ones(2, 3).to_sparse()), "type", "dense"),
        (with_array("weight", [1.0]), "type", "weight is list"),
        (without("weight"), "keys", "missing weight"),
        (with_array("bias", torch.ones(1)), "keys", "unknown bias"),
        (with_array("table", torch.arange(3.0) + 1), "constant", "table was changed"),
        (replace(SOUND, metrics={}), "needs", "steps was not sent"),
        (replace(SOUND, metrics={"steps": float("nan")}), "non_finite", "metric steps"),
        (replace(SOUND, aux={"drift": {"weight": NAN}}), "non_finite", "drift of weight"),
    ],
)
def test_a_damaged_update_is_refused_by_name(update, code, detail):
    rejection = check_update(update, REFERENCE)
    assert rejection is not None
    assert (rejection.client, rejection.code) == ("lab", code)
    assert detail in rejection.detail


@pytest.mark.fault("F62")
@pytest.mark.parametrize("count", [0, -64, 11, 10**12, float("nan"), 3.0, True, "7"])
def test_a_weight_that_cannot_be_is_refused(count):
    rejection = check_update(replace(SOUND, num_examples=count), REFERENCE)
    assert rejection is not None
    assert rejection.code == "num_examples"
    assert rejection.client == "lab"


@pytest.mark.fault("F63")
def test_an_update_longer_than_allowed_is_refused_where_a_limit_is_set():
    huge = with_array("weight", torch.full((2, 3), 1e30))
    assert check_update(huge, REFERENCE) is None
    rejection = check_update(huge, replace(REFERENCE, largest=5.0))
    assert rejection is not None
    assert "at most 5 is allowed" in rejection.detail


def test_running_statistics_are_averaged_counters_counted_and_tables_left():
    class Net(nn.Module):
        averaged_buffers = ("scale",)

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(2)
            self.linear = nn.Linear(2, 1)
            self.register_buffer("table", torch.ones(3))
            self.register_buffer("scale", torch.ones(3))
            self.register_buffer("steps", torch.tensor(0))
            self.register_buffer("level", torch.ones(2))

    kinds = kinds_of(Net(), moved={"level"})
    assert kinds["steps"] == Kind.COUNTER
    assert kinds["level"] == Kind.AVERAGED
    assert kinds["norm.running_mean"] == kinds["norm.weight"] == kinds["scale"] == Kind.AVERAGED
    assert kinds["norm.num_batches_tracked"] == Kind.COUNTER
    assert kinds["table"] == Kind.CONSTANT


def test_buffers_that_training_changes_are_found_and_the_model_is_left_as_it_was():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("level", torch.zeros(2))
            self.register_buffer("table", torch.ones(2))

        def forward(self, batch):
            self.level += self.training
            return self.level.sum()

    model = Net().eval()
    assert moved_buffers(model, model, None) == {"level"}
    assert not model.level.any()
    assert not model.training


def test_a_tensor_that_cannot_be_sent_is_named():
    module = nn.Module()
    module.register_buffer("phase", torch.ones(2, dtype=torch.complex64))
    with pytest.raises(ConfigError, match="phase: a tensor of torch.complex64"):
        kinds_of(module)

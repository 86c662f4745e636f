"""The bytes between server and clients: every bit arrives, and nonsense is refused."""

from __future__ import annotations

import pytest
import torch

from intertwiner.errors import RunError
from intertwiner.federated.client import Payload
from intertwiner.federated.updates import Update
from intertwiner.federated.wire import answer, pack_payload, unpack_reply

ARRAYS = {
    "weight": torch.tensor([[1 / 3, -0.0], [float("nan"), 1e-45]]),
    "half": torch.randn(3, dtype=torch.bfloat16),
    "count": torch.tensor(7),
}


class Echo:
    """A client that sends back what it was given."""

    def __init__(self):
        self.remembered = {}

    def fit(self, payload):
        if payload.round == 1:
            raise ValueError("out of\nmemory")
        self.remembered = {"rounds": self.remembered["rounds"] + 1}
        metrics, aux = {"loss": 0.1}, {"control": {"weight": payload.arrays["weight"] * 2}}
        return Update(client="a", arrays=payload.arrays, num_examples=5, metrics=metrics, aux=aux)


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal to the bit, NaN and the sign of zero included."""
    assert one.dtype == other.dtype
    return torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8))


def test_every_bit_and_dtype_arrives_and_so_does_what_a_client_keeps():
    payload = Payload(run="r", round=0, arrays=ARRAYS)
    blob = pack_payload("a", payload, {"rounds": torch.tensor(2)})
    reply, kept = unpack_reply(answer({"a": Echo()}, blob))
    assert (reply.run, reply.round, reply.client, reply.update.num_examples) == ("r", 0, "a", 5)
    assert all(same(reply.update.arrays[name], value) for name, value in ARRAYS.items())
    assert same(reply.update.aux["control"]["weight"], ARRAYS["weight"] * 2)
    assert int(kept["rounds"]) == 3


def test_what_a_client_raises_is_its_answer_on_one_line():
    reply, _ = unpack_reply(
        answer({"a": Echo()}, pack_payload("a", Payload(run="r", round=1, arrays=ARRAYS), {}))
    )
    assert reply.update is None
    assert reply.error == "ValueError: out of memory"


@pytest.mark.parametrize("blob", [b"", b"12345678", b"\xff" * 40, bytes(8) + b"{}"])
def test_bytes_that_are_no_answer_are_refused(blob):
    with pytest.raises(RunError, match="no answer"):
        unpack_reply(blob)

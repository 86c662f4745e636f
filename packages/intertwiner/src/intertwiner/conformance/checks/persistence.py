"""What is saved and loaded again is the same model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding, Refuted
from intertwiner.conformance.subject import Subject
from intertwiner.training.tensors import load_tensors, save_tensors

__all__ = ["checkpoint", "same_seed_same_model"]


def checkpoint(subject: Subject) -> list[Finding]:
    """A new model, built elsewhere and loaded strictly from saved tensors, gives the same bits."""
    records, dtype = subject.records(), torch.float64
    original = subject.fresh(dtype, seed=0)
    other = subject.fresh(dtype, seed=1, prepare=False)
    try:
        other.load_state_dict(_saved_and_loaded(original), strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        hint = "buffers and parameters whose shape depends on the data: make them when built"
        return [Finding("", f"its own saved tensors cannot be loaded: {reason}", hint=hint)]
    expected = subject.outputs(subject.faulty(original), records, dtype)
    loaded = subject.outputs(subject.faulty(other), records, dtype)
    what = "after saving, and loading into a newly built model, the output is another"
    hint = "what the model keeps outside its parameters and buffers, such as set by prepare()"
    return compare(subject, records, expected, loaded, 0.0, what, hint)


def _saved_and_loaded(module: nn.Module) -> dict[str, Tensor]:
    """The state after the way through a file that a run's checkpoint takes."""
    state = module.state_dict()
    for name, value in state.items():
        if not isinstance(value, Tensor):
            what = f"is a {type(value).__name__} in the state_dict; only tensors are saved"
            raise Refuted(Finding(name, what, hint="get_extra_state: store a tensor instead"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_tensors(path, state, {})
        return load_tensors(path)[0]


def same_seed_same_model(subject: Subject) -> list[Finding]:
    """Two models built after the same seed have the same parameters."""
    first = subject.faulty(subject.fresh(torch.float32)).state_dict()
    second = subject.faulty(subject.fresh(torch.float32)).state_dict()
    for name, value in first.items():
        if not torch.equal(value, second[name]):
            what = "differs between two models built after the same torch.manual_seed"
            return [Finding(name, what, hint="random numbers drawn from numpy or random")]
    return []

"""The same numbers again: a second time, in another precision, on another device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.subject import Subject

__all__ = ["determinism", "device", "follow", "precision"]


def determinism(subject: Subject) -> list[Finding]:
    """The same batch gives the same bits again, whatever was computed in between."""
    records, dtype = subject.records(), torch.float64
    module = subject.module(dtype)
    first = subject.outputs(module, records, dtype)
    subject.outputs(module, subject.records(seed=7), dtype)
    again = subject.outputs(module, records, dtype)
    what = "the same batch gave another value the second time, in evaluation mode"
    hint = "dropout or noise that does not stop in eval(), and state that a call leaves behind"
    return compare(subject, records, first, again, 0.0, what, hint)


def precision(subject: Subject) -> list[Finding]:
    """A model cast to float64 gives float64, one in float32 float32, and both agree."""
    records = subject.records()
    module = subject.fresh(torch.float32)
    single = subject.outputs(subject.faulty(module), records, torch.float32)
    double = subject.outputs(subject.faulty(module.to(torch.float64)), records, torch.float64)
    findings = []
    for outputs, dtype in ((single, torch.float32), (double, torch.float64)):
        for name, value in outputs.items():
            if value.dtype != dtype:
                what = f"the model and its input are {dtype}, this output is {value.dtype}"
                hint = "tensors made without dtype= and casts such as .float()"
                findings.append(Finding(name, what, hint=hint))
    return findings or _narrowed(double) or _agree(subject, records, single, double)


def _narrowed(double: dict[str, Tensor]) -> list[Finding]:
    """Outputs of a float64 model that hold no more than float32 does."""
    what = "the model and its input are float64, this output has the precision of float32"
    hint = "casts such as .float() on the way"
    return [
        Finding(name, what, hint=hint)
        for name, value in double.items()
        if torch.equal(value, value.float().double())
    ]


def _agree(
    subject: Subject, records: list[Data], single: dict[str, Tensor], double: dict[str, Tensor]
) -> list[Finding]:
    what = "float32 and float64 disagree"
    hint = "differences of large numbers, and functions that overflow in float32"
    tolerance = 10 * subject.tolerance(torch.float32)
    return compare(subject, records, double, single, tolerance, what, hint)


def device(subject: Subject) -> list[Finding]:
    """A model and a batch moved to the accelerator give there what they give on the CPU."""
    if not torch.cuda.is_available():
        raise NotCovered("no CUDA device is here: whether outputs follow the device is not tested")
    return follow(subject, torch.device("cuda"))


def follow(subject: Subject, where: torch.device) -> list[Finding]:
    """Outputs of the model and a batch moved to `where` are there, with the values of the CPU."""
    records, dtype = subject.records(), torch.float64
    module = subject.fresh(dtype)
    here = subject.outputs(module, records, dtype)
    batch = subject.kit.batch(records, dtype).to(where)
    there = {name: value.detach() for name, value in subject.call(module.to(where), batch).items()}
    stray = [name for name, value in there.items() if value.device.type != where.type]
    if stray:
        what = f"the model and its input are on {where}, this output is on {there[stray[0]].device}"
        return [Finding(stray[0], what, hint="tensors made without device=")]
    back = {name: value.cpu() for name, value in there.items()}
    what, hint = f"on {where} the value is not the CPU's", "kernels that differ between devices"
    return compare(subject, records, here, back, 1e-6, what, hint)

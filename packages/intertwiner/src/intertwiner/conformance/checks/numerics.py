"""Determinism, precision, device, and gradients that are finite and reach every parameter."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.subject import Subject
from intertwiner.errors import IntertwinerError

__all__ = ["degenerate", "determinism", "device", "gradients", "precision", "training_loss"]


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
    records, dtype = subject.records(), torch.float64
    module = subject.fresh(dtype)
    here = subject.outputs(module, records, dtype)
    away = module.to("cuda")
    batch = subject.kit.batch(records, dtype).to("cuda")
    there = {name: value.detach() for name, value in subject.call(away, batch).items()}
    stray = [name for name, value in there.items() if value.device.type != "cuda"]
    if stray:
        what = "the model and its input are on the GPU, this output is not"
        return [Finding(stray[0], what, hint="tensors made without device=")]
    back = {name: value.cpu() for name, value in there.items()}
    what, hint = "the GPU's value is not the CPU's", "kernels that differ between devices"
    return compare(subject, records, here, back, 1e-6, what, hint)


def gradients(subject: Subject) -> list[Finding]:
    """Every parameter gets a finite gradient from the outputs, and one that is not zero."""
    records = subject.records()
    module, _ = _differentiated(subject, records)
    findings = []
    dead = []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.grad is None or not bool(parameter.grad.any()):
            dead.append(name)
        elif not bool(parameter.grad.isfinite().all()):
            findings.append(_wild(name, "the ordinary and degenerate records of the kit"))
    if dead:
        findings.append(_unreached(dead))
    return findings


def training_loss(subject: Subject) -> list[Finding]:
    """A loss that the model brings itself is one finite number with finite gradients."""
    module = subject.fresh(torch.float32).train()
    loss_of = getattr(module, "training_loss", None)
    if loss_of is None:
        return []
    loss = loss_of(subject.kit.batch(subject.records(), torch.float32))
    if not isinstance(loss, Tensor) or loss.numel() != 1 or not bool(loss.isfinite().all()):
        return [Finding("training_loss", f"must be one finite number, not {loss!r}")]
    if not loss.requires_grad:
        return [Finding("training_loss", "has no gradient: nothing can be learned from it")]
    loss.sum().backward()
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
            return [_wild(name, "the training loss")]
    return []


def degenerate(subject: Subject) -> list[Finding]:
    """Gradients stay finite where distances vanish, unless the model says clearly it cannot."""
    records = subject.records()
    single = [record for record in records if record.num_nodes == 1]
    coincident = subject.kit.coincident(subject.schema, torch.Generator().manual_seed(4))
    for record in (*single, *coincident):
        try:
            module, batch = _differentiated(subject, [record])
        except IntertwinerError:
            continue
        for name, tensor in _leaves(module, batch):
            if tensor.grad is not None and not bool(tensor.grad.isfinite().all()):
                return [_wild(name, f"the {record.name}")]
    return []


def _differentiated(subject: Subject, records: list[Data]) -> tuple[nn.Module, Batch]:
    """A trained-mode model and batch after backpropagating a random weighting of all outputs."""
    module = subject.faulty(subject.fresh(torch.float64)).train()
    batch = subject.kit.batch(records, torch.float64)
    for field in subject.schema.inputs:
        if batch[field.name].is_floating_point():
            batch[field.name] = batch[field.name].detach().requires_grad_()
    generator = torch.Generator().manual_seed(5)
    total = torch.zeros((), dtype=torch.float64)
    for value in subject.call(module, batch).values():
        weights = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        total = total + (weights.to(value) * value).sum()
    if total.requires_grad:
        total.backward()
    return module, batch


def _leaves(module: nn.Module, batch: Batch) -> list[tuple[str, Tensor]]:
    inputs = [(f"input {name}", batch[name]) for name in batch.keys() if name in batch]  # noqa: SIM118
    floating = [(name, value) for name, value in inputs if isinstance(value, Tensor)]
    return [*module.named_parameters(), *((n, v) for n, v in floating if v.is_leaf)]


def _wild(name: str, where: str) -> Finding:
    what = f"its gradient is NaN or infinite for {where}"
    hint = "square roots and norms at zero, divisions by a distance; add a floor or raise DataError"
    return Finding(name, what, hint=hint)


def _unreached(names: list[str]) -> Finding:
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    what = f"no output has a gradient with respect to: {shown}"
    hint = (
        "whether they are used for the targets of this schema; build only those that are: "
        "training in several processes stops at unused parameters"
    )
    return Finding(names[0], what, hint=hint)

"""Gradients are finite, also where distances vanish, and reach every parameter."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.conformance.findings import Finding
from intertwiner.conformance.subject import Subject
from intertwiner.errors import IntertwinerError

__all__ = ["degenerate", "gradients", "training_loss"]


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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
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
    """Gradients stay finite where distances vanish, unless the model says clearly it cannot.

    Each such record comes in a batch with an ordinary one, for alone it may have no gradient.
    """
    records = subject.records()
    single = [record for record in records if record.num_nodes == 1]
    ordinary = max(records, key=lambda record: int(record.num_nodes or 0))
    coincident = subject.kit.coincident(subject.schema, torch.Generator().manual_seed(4))
    for record in (*single, *coincident):
        try:
            module, batch = _differentiated(subject, [record, ordinary])
        except IntertwinerError:
            continue
        for name, tensor in _leaves(module, batch):
            if tensor.grad is not None and not bool(tensor.grad.isfinite().all()):
                return [_wild(name, f"the {record.name}")]
    return []


def _differentiated(subject: Subject, records: list[Data]) -> tuple[nn.Module, Batch]:
    """A trained-mode model and batch after backpropagating a random weighting of all outputs; of
    a density, its own loss.
    """
    module = subject.faulty(subject.fresh(torch.float64)).train()
    batch = subject.kit.batch(records, torch.float64)
    for field in subject.schema.inputs:
        if batch[field.name].is_floating_point():
            batch[field.name] = batch[field.name].detach().requires_grad_()
    total = _total(subject, module, batch)
    if total.requires_grad:
        total.backward()
    return module, batch


def _total(subject: Subject, module: nn.Module, batch: Batch) -> Tensor:
    if subject.density:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            loss: Tensor = module.training_loss(batch)  # type: ignore[operator]
        return loss
    generator = torch.Generator().manual_seed(5)
    total = torch.zeros((), dtype=torch.float64)
    for value in subject.call(module, batch).values():
        weights = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        total = total + (weights.to(value) * value).sum()
    return total


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

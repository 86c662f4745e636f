"""A model under test: built for one schema, its parameters moved, its outputs looked over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.config import build
from intertwiner.conformance.density import FiguresModule, is_density
from intertwiner.conformance.findings import Finding, Refuted
from intertwiner.conformance.randomise import randomise
from intertwiner.conformance.structures import StructureKit, kit_for
from intertwiner.conformance.structures.base import dimension_of
from intertwiner.conformance.twins import BrokenTwin
from intertwiner.fields import VOXEL, Field, Label, Scalar, Symmetry
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec, load_target

__all__ = ["Subject", "expected_shape"]

EXACT_TOLERANCE = 1e-9
USUAL_ATOL = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model's declaration and one schema; `module` builds it. `fault` makes it a broken twin."""

    spec: ModelSpec
    schema: Schema
    kit: StructureKit
    fault: str | None = None
    fault_size: float = 0.0
    built: dict[tuple[torch.dtype, int], nn.Module] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, spec: ModelSpec, schema: Schema) -> Subject:
        return cls(spec=spec, schema=schema, kit=kit_for(spec.reads))

    @property
    def density(self) -> bool:
        """Whether the outputs that are judged are a density's own figures."""
        return is_density(self.spec)

    @property
    def dimension(self) -> int:
        """Of the space that the records lie in."""
        return dimension_of(self.schema)

    def broken(self, fault: str, size: float = 0.0) -> Subject:
        """The same model with a fault put in."""
        return replace(self, fault=fault, fault_size=size)

    @property
    def symmetry(self) -> Symmetry:
        return self.spec.symmetry or Symmetry(permutes=())

    def tolerance(self, dtype: torch.dtype) -> float:
        """Largest error of a symmetry relative to the size of the output."""
        if dtype == torch.float64 and self.symmetry.exact:
            return EXACT_TOLERANCE
        return self.symmetry.atol if self.spec.symmetry else USUAL_ATOL

    def records(self, seed: int = 0) -> list[Data]:
        return self.kit.records(self.schema, torch.Generator().manual_seed(seed))

    def module(self, dtype: torch.dtype, seed: int = 0) -> nn.Module:
        """The model in evaluation mode, prepared and with moved parameters; do not change it."""
        key = (dtype, seed)
        if key not in self.built:
            self.built[key] = self.fresh(dtype, seed)
        return self._faulty(self.built[key])

    def fresh(self, dtype: torch.dtype, seed: int = 0, *, prepare: bool = True) -> nn.Module:
        """A newly built model, the same for the same seed.

        prepare: call its `prepare` as training does. Parameters are moved either way.
        """
        with _deterministic(dtype, seed):
            module = self.bare(dtype)
            prepare_with = getattr(module, "prepare", None)
            if prepare and prepare_with is not None:
                prepare_with([self.kit.batch(self.records(seed), dtype)])
            randomise(module, torch.Generator().manual_seed(seed))
        return module.eval()

    def bare(self, dtype: torch.dtype) -> nn.Module:
        """The model exactly as its `target` builds it, cast to `dtype`."""
        settings = build(load_target(self.spec.config), self.spec.tiny)
        schema = replace(self.schema, targets=()) if self.density else self.schema
        module = load_target(self.spec.target)(settings, schema)
        if not isinstance(module, nn.Module):
            what = f"{self.spec.target} gave a {type(module).__name__}, not a torch.nn.Module"
            raise Refuted(Finding("", what))
        return (FiguresModule(module) if self.density else module).to(dtype)

    def _faulty(self, module: nn.Module) -> nn.Module:
        if self.fault is None:
            return module
        return BrokenTwin(module, self.fault, self.kit, self.schema, self.fault_size).eval()

    def faulty(self, module: nn.Module) -> nn.Module:
        """A module built with `fresh`, with this subject's fault put in."""
        return self._faulty(module)

    def outputs(self, module: nn.Module, records: Sequence[Data], dtype: torch.dtype) -> Any:
        """The checked outputs for the records as one batch in `dtype`, cut off from gradients."""
        batch = self.kit.batch(records, dtype)
        return {name: value.detach() for name, value in self.call(module, batch).items()}

    def call(self, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The outputs for a batch. Raises `Refuted` when one is missing or has a wrong shape."""
        outputs = module(batch)
        if not isinstance(outputs, dict):
            what = f"the model gave a {type(outputs).__name__}, not a dictionary of tensors"
            raise Refuted(Finding("", what, hint="what its forward returns"))
        for target in self.schema.targets:
            self._look_over(target, outputs.get(target.name), batch, tuple(outputs))
        return {target.name: outputs[target.name] for target in self.schema.targets}

    def _look_over(self, target: Field, value: Any, batch: Batch, given: tuple[str, ...]) -> None:
        if not isinstance(value, Tensor):
            what = f"asked for and not given; the model gave {', '.join(given) or 'nothing'}"
            raise Refuted(Finding(target.name, what, hint="schema.targets in the model's target"))
        expected = expected_shape(target, len(self.kit.owner(batch, target.site)))
        if target.site == VOXEL and value.dim() == 5:
            expected = (expected[0], target.rep.width, *value.shape[2:])
        if tuple(value.shape) != expected and not isinstance(target.rep, Label):
            what = f"shape {tuple(value.shape)}, a {target.rep} per {target.site} is {expected}"
            raise Refuted(Finding(target.name, what, hint="how the model shapes this output"))


def expected_shape(field: Field, items: int) -> tuple[int, ...]:
    """`[items]` for a label or a single scalar, else `[items, width]`."""
    single = isinstance(field.rep, Label) or field.rep == Scalar()
    return (items,) if single else (items, field.rep.width)


@contextlib.contextmanager
def _deterministic(dtype: torch.dtype, seed: int) -> Iterator[None]:
    """Seeded, with `dtype` as torch's default; the state of before comes back."""
    usual = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_default_dtype(dtype)
        try:
            yield
        finally:
            torch.set_default_dtype(usual)

"""What the kit must know of a structure: making records, moving them, and joining them.

Moving, renumbering and disturbing go by the representation of each field and are written once,
here. A structure adds how its records are made and what its sites are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.conformance.action import act
from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import Motion
from intertwiner.fields import Field, Gauge, Index, Irreps, Label, Point, Scalar, Structure
from intertwiner.schema import Schema

__all__ = ["Asymmetry", "StructureKit", "dimension_of", "random_values"]

Asymmetry = Callable[[Batch], Tensor]
"""A number per graph, `[graphs]`, that breaks exactly one promise: what a broken twin adds."""


class StructureKit(ABC):
    """Everything the checks ask of one structure. Records hold float64 and whole numbers."""

    structure: Structure
    sites: tuple[str, ...]
    asymmetries: Mapping[str, Asymmetry]

    @property
    @abstractmethod
    def species(self) -> tuple[int, ...]:
        """The node labels that occur in the records, sorted."""

    @abstractmethod
    def records(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        """Ordinary and degenerate records with every input and target of `schema`, at least 4.

        Raises `NotCovered` when the schema has a field that cannot be made.
        """

    @abstractmethod
    def coincident(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        """Records at which distances vanish: a clear error or finite gradients are asked for."""

    @abstractmethod
    def count(self, record: Data, site: str) -> int:
        """How many items `site` has in the record."""

    @abstractmethod
    def owner(self, batch: Batch, site: str) -> Int[Tensor, " items"]:
        """The number of the record that each item of `site` belongs to."""

    def check_site(self, site: str) -> None:
        """Raises `NotCovered` for a site that records of this structure do not have here."""
        if site not in self.sites:
            known = ", ".join(self.sites)
            raise NotCovered(f"the kit for {self.structure} has no {site!r} items; it has {known}")

    def batch(self, records: Sequence[Data], dtype: torch.dtype) -> Batch:
        """The records as one batch with floating tensors of `dtype`."""
        return cast(Batch.from_data_list(list(records)), dtype)

    def move(self, schema: Schema, record: Data, motion: Motion) -> Data:
        """The record after `motion`, every declared field by its representation."""
        moved = record.clone()
        for field in self.carried(schema):
            moved[field.name] = act(field.rep, record[field.name], motion)
        return moved

    def renumber(
        self, schema: Schema, record: Data, site: str, order: Int[Tensor, " items"]
    ) -> Data:
        """The record whose item i of `site` is the old item `order[i]`; indices follow."""
        renumbered = record.clone()
        for field in self.carried(schema):
            value, rows = record[field.name], self.row_order(record, site, order, field.site)
            if rows is not None:
                value = value[..., rows] if isinstance(field.rep, Index) else value[rows]
            if isinstance(field.rep, Index) and field.rep.of == site:
                value = order.argsort()[value]
            renumbered[field.name] = value
        return renumbered

    def row_order(
        self, record: Data, site: str, order: Int[Tensor, " items"], of: str
    ) -> Int[Tensor, " rows"] | None:
        """The new order of the rows of a field per `of` when `site` is renumbered; None to stay."""
        return order if of == site else None

    def carried(self, schema: Schema) -> tuple[Field, ...]:
        """Every field of a record: those of the schema, and those that all records have."""
        return (*schema.inputs, *schema.targets)

    def disturb(self, record: Data, field: Field, generator: torch.Generator) -> Data:
        """The record with other values in one input field; points move by about 0.1 each."""
        disturbed = record.clone()
        old = record[field.name]
        if isinstance(field.rep, Label):
            choices = torch.tensor(self.labels(field))
            shift = torch.randint(1, len(choices), old.shape, generator=generator)
            disturbed[field.name] = choices[
                (torch.searchsorted(choices, old) + shift) % len(choices)
            ]
        else:
            noise = torch.randn(old.shape, generator=generator, dtype=torch.float64)
            disturbed[field.name] = old + 0.1 * noise
        return disturbed

    def labels(self, field: Field) -> tuple[int, ...]:
        """The values that a label field of this structure takes here, sorted, at least two."""
        classes = field.rep.classes if isinstance(field.rep, Label) else None
        return self.species if classes is None else tuple(range(max(classes, 2)))


def dimension_of(schema: Schema) -> int:
    """The dimension of space of a schema's points; 3 where it has none."""
    found = [field.rep.dimension for field in schema.inputs if isinstance(field.rep, Point)]
    return next((dimension for dimension in found if dimension is not None), 3)


def cast(batch: Batch, dtype: torch.dtype) -> Batch:
    """The batch with every floating tensor in `dtype`."""

    def convert(value: Tensor) -> Tensor:
        return value.to(dtype) if value.is_floating_point() else value

    converted: Batch = batch.apply(convert)
    return converted


def random_values(
    field: Field, items: int, generator: torch.Generator, labels: Sequence[int]
) -> Float[Tensor, "items ..."] | Int[Tensor, " items"]:
    """Values of the right shape for `items` rows of a field; labels drawn from `labels`.

    Raises `NotCovered` for a representation that belongs to another structure.
    """
    if isinstance(field.rep, Label):
        drawn = torch.randint(len(labels), (items,), generator=generator)
        return torch.tensor(labels)[drawn]
    if not isinstance(field.rep, Scalar | Point | Irreps | Gauge):
        raise NotCovered(f"the kit cannot make a field {field} for this structure yet")
    single = isinstance(field.rep, Scalar) and field.rep.channels == 1
    shape = (items,) if single else (items, field.rep.width)
    return torch.randn(shape, generator=generator, dtype=torch.float64)

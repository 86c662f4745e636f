"""What a tensor is: the structure it belongs to, the site it sits on, and how it transforms.

A model says what it reads and gives in these words, a dataset what it provides, and everything
else follows: which pairs run, which loss fits, and which symmetry tests must hold.
Nothing here imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from intertwiner.errors import DeclarationError

__all__ = [
    "ANY_NAME",
    "EDGE",
    "FACE",
    "GRAPH",
    "NODE",
    "RESERVED",
    "VERTEX",
    "VOXEL",
    "Field",
    "Gauge",
    "Index",
    "Irreps",
    "Label",
    "Point",
    "Representation",
    "Scalar",
    "Structure",
    "Symmetry",
    "Transporter",
]

GRAPH: Final = "graph"
NODE: Final = "node"
EDGE: Final = "edge"
VERTEX: Final = "vertex"
FACE: Final = "face"
VOXEL: Final = "voxel"

ANY_NAME: Final = "*"
"""Name of a field that a model can give for any target of the same site and representation."""

_KEPT = (
    "adj apply apply_ batch batch_size clone coalesce concat connected_components "
    "contains_isolated_nodes contains_self_loops contiguous coo cpu csc csr cuda debug detach "
    "detach_ edge_attrs edge_stores edge_subgraph face_attrs from_data_list from_dict "
    "generate_ids get_all_edge_attrs get_all_tensor_attrs get_edge_index get_example get_tensor "
    "get_tensor_size has_isolated_nodes has_self_loops index index_select is_coalesced is_cuda "
    "is_directed is_edge_attr is_node_attr is_sorted is_sorted_by_time is_undirected keys "
    "multi_get_tensor node_attrs node_offsets node_stores num_edge_features num_edge_types "
    "num_edges num_faces num_features num_graphs num_node_features num_node_types num_nodes "
    "pin_memory ptr put_edge_index put_tensor record_stream remove_edge_index remove_tensor "
    "requires_grad_ share_memory_ size snapshot sort sort_by_time stores stores_as subgraph time "
    "to to_data_list to_dict to_heterogeneous to_namedtuple up_to update update_tensor validate "
    "view"
)
RESERVED: Final = frozenset(_KEPT.split())
"""Names that the carrier of records (`torch_geometric.data.Data`) keeps for itself."""

_IRREP = re.compile(r"(?:(\d+)x)?(\d+)([eo])")
_GAUGE_IRREP = re.compile(r"(?:(\d+)x)?r(\d+)")


class Structure(StrEnum):
    """The kinds of 3D data. `FILE` is only ever the source of an adapter: a reader."""

    ATOMS = "atoms"
    COMPLEX = "complex"
    BONDS = "bonds"
    VOXELS = "voxels"
    MESH = "mesh"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Scalar:
    """`channels` numbers that no symmetry changes.

    A model that takes any number of channels declares `Scalar(None)` among its inputs and finds
    the dataset's number in its schema. Nothing but a model's declaration leaves it open.
    """

    channels: int | None = 1

    @property
    def width(self) -> int:
        if self.channels is None:
            raise DeclarationError("any number of scalars has no width; see the schema's inputs")
        return self.channels

    def takes(self, other: Representation) -> bool:
        """Whether scalars declared so can be `other`: as many of them, or any number."""
        return isinstance(other, Scalar) and self.channels in (None, other.channels)

    def __str__(self) -> str:
        if self.channels is None:
            return "any number of scalars"
        return "scalar" if self.channels == 1 else f"{self.channels} scalars"


@dataclass(frozen=True, slots=True)
class Label:
    """A whole number naming a class: an element, a residue type. `classes` is None when open."""

    classes: int | None = None

    @property
    def width(self) -> int:
        return 1

    def __str__(self) -> str:
        return "label" if self.classes is None else f"label of {self.classes}"


@dataclass(frozen=True, slots=True)
class Point:
    """A place in `dimension`-space: rotates and moves with the frame (an affine quantity).

    A model that takes space of any dimension declares `Point(None)` and finds the dataset's
    dimension in its schema. Nothing but a model's declaration leaves the dimension open.
    """

    dimension: int | None = 3

    @property
    def width(self) -> int:
        if self.dimension is None:
            raise DeclarationError("a point of any dimension has no width; see the schema's inputs")
        return self.dimension

    def takes(self, other: Representation) -> bool:
        """Whether points declared so can be `other`: of the same dimension, or of any."""
        return isinstance(other, Point) and self.dimension in (None, other.dimension)

    def __str__(self) -> str:
        return "point in any dimension" if self.dimension is None else f"point in {self.dimension}D"


@dataclass(frozen=True, slots=True)
class Irreps:
    """A direct sum of irreducible representations of O(3), in e3nn's notation and basis.

    `Irreps("8x0e+4x1o")` is 8 invariant scalars and 4 vectors; components of order l = 1 are
    (x, y, z). The flat layout is e3nn's: block after block, channel-major, order m last.
    """

    text: str

    def __post_init__(self) -> None:
        _ = self.blocks

    @property
    def blocks(self) -> tuple[tuple[int, int, int], ...]:
        """(multiplicity, order l, parity +1/-1) of every block, in order."""
        found = []
        for term in self.text.split("+"):
            match = _IRREP.fullmatch(term.strip())
            if match is None:
                raise DeclarationError(
                    f"irreps {self.text!r}: cannot read {term.strip()!r}; write for example "
                    "'8x0e+4x1o' (multiplicity x order, e for even and o for odd parity)"
                )
            multiplicity, order, parity = match.groups()
            found.append((int(multiplicity or 1), int(order), 1 if parity == "e" else -1))
        return tuple(found)

    @property
    def width(self) -> int:
        return sum(multiplicity * (2 * order + 1) for multiplicity, order, _ in self.blocks)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Gauge:
    """Irreducible representations of SO(2) in each vertex's tangent frame: "8xr0+8xr1".

    The flat layout is that of `Irreps`: block after block, channel-major. Order 0 has one
    component; order n has two, the real and imaginary part of a number that is multiplied by
    exp(-i n a) when the frame is turned counter-clockwise about the normal by a.
    """

    text: str

    def __post_init__(self) -> None:
        _ = self.blocks

    @property
    def blocks(self) -> tuple[tuple[int, int], ...]:
        """(multiplicity, order) of every block; order 0 has one component, others two."""
        found = []
        for term in self.text.split("+"):
            match = _GAUGE_IRREP.fullmatch(term.strip())
            if match is None:
                raise DeclarationError(
                    f"gauge representation {self.text!r}: cannot read {term.strip()!r}; write for "
                    "example '8xr0+8xr1'"
                )
            found.append((int(match[1] or 1), int(match[2])))
        return tuple(found)

    @property
    def width(self) -> int:
        return sum(multiplicity * (1 if order == 0 else 2) for multiplicity, order in self.blocks)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Transporter:
    """The rotation angle that carries a tangent frame along an edge to the next vertex."""

    @property
    def width(self) -> int:
        return 1

    def __str__(self) -> str:
        return "transporter"


@dataclass(frozen=True, slots=True)
class Index:
    """A whole number pointing at an item of the site `of` (an edge's ends, a face's corners)."""

    of: str

    @property
    def width(self) -> int:
        return 1

    def __str__(self) -> str:
        return f"index of {self.of}"


Representation = Scalar | Label | Point | Irreps | Gauge | Transporter | Index


@dataclass(frozen=True, slots=True)
class Field:
    """One named tensor: attribute `name` of a record, one row per item of `site`.

    Shapes: `[items, rep.width]`; a `Label`, `Index` or single `Scalar` is `[items]`; the site
    "graph" has one item a record. On voxels a field is `[1, rep.width, n, n, n]` a record, axes in
    the order x, y, z. `site` may also be a named node set ("ligand", "protein").
    """

    name: str
    site: str
    rep: Representation
    unit: str | None = None
    summary: str = ""

    def __post_init__(self) -> None:
        if self.name in RESERVED:
            raise DeclarationError(
                f"field name {self.name!r}: torch_geometric.data.Data keeps it for itself; take a "
                f"longer name, such as 'molecule_{self.name}'"
            )

    def fits(self, target: Field) -> bool:
        """Whether a model's output declared as `self` can stand for the dataset's `target`.

        The widths need not agree: a model declares `Irreps("1o")` for "vectors" and takes the
        multiplicity from the target. `ANY_NAME` matches every name.
        """
        if self.name not in (ANY_NAME, target.name) or self.site != target.site:
            return False
        return _kinds(self.rep) >= _kinds(target.rep)

    def __str__(self) -> str:
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.name} ({self.rep} per {self.site}){unit}"


def _kinds(rep: Representation) -> frozenset[object]:
    """The set of irreducible kinds a representation is made of; widths left aside."""
    if isinstance(rep, Irreps):
        return frozenset((order, parity) for _, order, parity in rep.blocks)
    if isinstance(rep, Gauge):
        return frozenset(("r", order) for _, order in rep.blocks)
    if isinstance(rep, Scalar):
        return frozenset({(0, 1)})
    return frozenset({type(rep).__name__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """The group a model promises to commute with.

    space: "E(3)", "SE(3)", "E(n)" (in whatever dimension the input has) or None (no symmetry in
        space is claimed).
    permutes: the sites whose items may be renumbered, such as `("node",)`.
    gauge: "SO(2)" for a free choice of tangent frame at every vertex.
    grid: "octahedral" for the 24 rotations of a voxel grid.
    exact: False when the symmetry only holds up to discretisation.
    atol: largest error in float32 allowed to the kit, relative to the size of the output.
    """

    space: str | None = None
    permutes: tuple[str, ...] = field(default=(NODE,))
    gauge: str | None = None
    grid: str | None = None
    exact: bool = True
    atol: float = 1e-4

    def __post_init__(self) -> None:
        _one_of("space", self.space, ("E(3)", "SE(3)", "E(n)", None))
        _one_of("gauge", self.gauge, ("SO(2)", None))
        _one_of("grid", self.grid, ("octahedral", None))

    def __str__(self) -> str:
        parts = [part for part in (self.space, self.gauge, self.grid) if part]
        parts += [f"permutes {site}s" for site in self.permutes]
        return ", ".join(parts) or "none"


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise DeclarationError(f"symmetry {name}={value!r}: must be one of {allowed}")

"""Neighbour lists: all ordered pairs of nodes nearer than a cutoff, graph by graph.

Small open graphs are compared all against all in torch, on their own device; large and periodic
ones go through vesin's cell lists on the CPU. Both measure in double precision, and which way a
graph goes does not depend on the others, so a batch gives exactly what its graphs give alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from intertwiner.errors import DataError

__all__ = ["COINCIDENT", "Neighbors", "neighbor_list"]

COINCIDENT: Final = 1e-6
"""Two nodes nearer than this (in the unit of the positions) are taken for one and the same."""

DENSE_NODES: Final = 64
"""Open graphs of at most this many nodes are compared all against all on a CPU ..."""

DENSE_NODES_GPU: Final = 1024
"""... and on any other device, where the way to the CPU and back is longer."""

CHUNK_PAIRS: Final = 1 << 22
"""So many pairs are compared at once: about 200 MB."""

VESIN_CELLS: Final = 50_000
"""From so many cells on, vesin joins cells; one that is then flatter than two ends its process."""


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Ordered pairs (target a, source b), sorted by target, then source, then image.

    The edge vector from a to b is `pos[source] + shift - pos[target]`; `shift` is zero in open
    graphs, and carries the gradient of the cell when the cell has one.
    """

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    shift: Float[Tensor, "edges 3"]


def neighbor_list(
    pos: Float[Tensor, "nodes 3"],
    cutoff: float,
    *,
    ptr: Int[Tensor, " graphs+1"] | None = None,
    cell: Float[Tensor, "graphs 3 3"] | None = None,
    pbc: Bool[Tensor, "graphs 3"] | None = None,
) -> Neighbors:
    """All pairs of the same graph with a distance in (0, cutoff), every pair in both orders.

    pos: positions; cutoff in the same unit. ptr: first node of every graph and the total; None
    for one graph. cell: rows are the cell's vectors; pbc: which of them repeat. A node is a
    neighbour of its own periodic images, and of every image nearer than the cutoff.

    Raises `DataError` for a position that is not finite, a cutoff that is not positive, two
    nodes in one place, and a repeated cell vector that is zero or in the span of the others.
    """
    pos_, bounds = pos.detach(), _bounds(pos, ptr)
    _check_numbers(pos_, cutoff, bounds)
    repeats = _repeats(pbc, len(bounds) - 1)
    if repeats.any() and cell is None:
        raise DataError("periodic boundaries need the cell: pass cell with pbc")
    sizes = np.diff(bounds)
    small = DENSE_NODES if pos.device.type == "cpu" else DENSE_NODES_GPU
    dense = (sizes <= small) & ~repeats.any(1)
    if dense.all():
        source, target = _all_pairs(pos_, cutoff, bounds, dense)
        return Neighbors(source, target, pos.new_zeros((len(source), 3)))
    cells = None if cell is None else cell.reshape(-1, 3, 3)
    return _mixed(pos, cutoff, bounds, dense, cells, repeats)


def _bounds(pos: Tensor, ptr: Tensor | None) -> NDArray[np.int64]:
    if pos.ndim != 2 or pos.shape[1] != 3 or not pos.is_floating_point():
        raise DataError(f"positions must be floats [nodes, 3], not {pos.dtype} {list(pos.shape)}")
    if ptr is None:
        return np.array([0, len(pos)], dtype=np.int64)
    bounds: NDArray[np.int64] = ptr.detach().cpu().numpy().astype(np.int64)
    if len(bounds) == 0 or bounds[0] != 0 or bounds[-1] != len(pos) or (np.diff(bounds) < 0).any():
        raise DataError(
            f"ptr must rise from 0 to the number of nodes, {len(pos)}; it is {bounds.tolist()[:9]}"
        )
    return bounds


def _check_numbers(pos: Tensor, cutoff: float, bounds: NDArray[np.int64]) -> None:
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise DataError(f"cutoff={cutoff}: must be a positive length")
    finite = torch.isfinite(pos).all(1)
    if not bool(finite.all()):
        worst = int((~finite).nonzero()[0])
        where = _where(worst, bounds)
        raise DataError(f"{where} has position {pos[worst].tolist()}: every number must be finite")


def _where(node: int, bounds: NDArray[np.int64]) -> str:
    graph = int(np.searchsorted(bounds, node, side="right")) - 1
    local = node - int(bounds[graph])
    return f"atom {local}" if len(bounds) == 2 else f"atom {local} of graph {graph}"


def _repeats(pbc: Tensor | None, graphs: int) -> NDArray[np.bool_]:
    if pbc is None:
        return np.zeros((graphs, 3), dtype=bool)
    repeats: NDArray[np.bool_] = pbc.detach().cpu().numpy().astype(bool).reshape(-1, 3)
    if len(repeats) != graphs:
        raise DataError(f"pbc has {len(repeats)} rows of three for {graphs} graphs")
    return repeats


def _all_pairs(
    pos: Tensor, cutoff: float, bounds: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> tuple[Tensor, Tensor]:
    """(source, target) of the chosen graphs, every node compared with every node of its graph."""
    starts = torch.as_tensor(bounds[:-1][chosen], device=pos.device)
    sizes = torch.as_tensor(np.diff(bounds)[chosen], device=pos.device)
    exact, found = pos.double(), []
    for atoms, counts, first in _chunks(starts, sizes):
        target = torch.repeat_interleave(atoms, counts)
        origin = torch.repeat_interleave(counts.cumsum(0) - counts - first, counts)
        source = torch.arange(len(target), device=pos.device) - origin
        arms = exact.index_select(0, source).sub_(exact.index_select(0, target))
        squared = torch.linalg.vecdot(arms, arms)
        near = ((squared < cutoff**2) & (source != target)).nonzero().squeeze(1)
        source, target = source[near], target[near]
        same_place = squared[near] < COINCIDENT**2
        if bool(same_place.any()):
            raise _coincidence(target[same_place], source[same_place], bounds)
        found.append((source, target))
    sources, targets = zip(*found, strict=True)
    return torch.cat(sources), torch.cat(targets)


def _chunks(starts: Tensor, sizes: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """(nodes, nodes to compare each with, the first of those) of about `CHUNK_PAIRS` pairs."""
    counts = torch.repeat_interleave(sizes, sizes)
    first = torch.repeat_interleave(starts, sizes)
    within = torch.arange(len(counts), device=sizes.device)
    atoms = within - torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes) + first
    total = int(counts.sum())
    if total <= CHUNK_PAIRS:
        yield atoms, counts, first
        return
    step = max(1, len(counts) * CHUNK_PAIRS // total)
    for start in range(0, len(counts), step):
        part = slice(start, start + step)
        yield atoms[part], counts[part], first[part]


def _coincidence(target: Tensor, source: Tensor, bounds: NDArray[np.int64]) -> DataError:
    pair = sorted((int(target[0]), int(source[0])))
    first, second = (_where(node, bounds) for node in pair)
    return DataError(f"{first} and {second} are in the same place: remove or move one of them")


def _mixed(
    pos: Tensor,
    cutoff: float,
    bounds: NDArray[np.int64],
    dense: NDArray[np.bool_],
    cells: Tensor | None,
    repeats: NDArray[np.bool_],
) -> Neighbors:
    """The pairs of a batch in which at least one graph is large or periodic."""
    parts = []
    if dense.any():
        source, target = _all_pairs(pos.detach(), cutoff, bounds, dense)
        parts.append(Neighbors(source, target, pos.new_zeros((len(source), 3))))
    for graph in np.nonzero(~dense)[0]:
        if repeats[graph].any() and cells is not None:
            parts.append(_periodic(pos, cutoff, bounds, int(graph), cells[graph], repeats[graph]))
        else:
            parts.append(_large(pos, cutoff, bounds, int(graph)))
    target = torch.cat([part.target for part in parts])
    order = torch.sort(target, stable=True).indices
    source = torch.cat([part.source for part in parts])[order]
    return Neighbors(source, target[order], torch.cat([part.shift for part in parts])[order])


def _large(pos: Tensor, cutoff: float, bounds: NDArray[np.int64], graph: int) -> Neighbors:
    start, stop = (int(bound) for bound in bounds[graph : graph + 2])
    points = pos[start:stop].detach().double().cpu().numpy()
    if _too_flat(np.ptp(points, axis=0), cutoff):
        chosen = np.arange(len(bounds) - 1) == graph
        source, target = _all_pairs(pos.detach(), cutoff, bounds, chosen)
    else:
        open_box = np.zeros(3, dtype=bool)
        target, source, _ = _vesin(points, np.zeros((3, 3)), open_box, cutoff, bounds, graph)
        source, target = source.to(pos.device), target.to(pos.device)
    return Neighbors(source, target, pos.new_zeros((len(source), 3)))


def _periodic(
    pos: Tensor,
    cutoff: float,
    bounds: NDArray[np.int64],
    graph: int,
    cell: Tensor,
    repeats: NDArray[np.bool_],
) -> Neighbors:
    start, stop = (int(bound) for bound in bounds[graph : graph + 2])
    points = pos[start:stop].detach().double().cpu().numpy()
    box = _whole_cell(cell.detach().double().cpu().numpy(), repeats, graph)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(box), axis=0)
    if _too_flat(np.where(repeats, heights, np.ptp(points, axis=0).max(initial=0.0)), cutoff):
        raise DataError(f"graph {graph}: its cell is too elongated for a cutoff of {cutoff}")
    target, source, images = _vesin(points, box, repeats, cutoff, bounds, graph)
    shift = images.to(pos) @ cell.to(pos)
    return Neighbors(source.to(pos.device), target.to(pos.device), shift)


def _whole_cell(
    cell: NDArray[np.float64], repeats: NDArray[np.bool_], graph: int
) -> NDArray[np.float64]:
    """The cell with every vector that does not repeat replaced by one across the others.

    Raises `DataError` when the vectors that repeat span less than they must.
    """
    kept = cell[repeats]
    lengths = np.linalg.norm(kept, axis=1)
    if not np.isfinite(kept).all() or (lengths == 0).any():
        raise DataError(
            f"graph {graph}: periodic along a cell vector that is zero or not finite, "
            f"{cell.tolist()}; give the cell or set pbc to False there"
        )
    if np.linalg.svd(kept / lengths[:, None], compute_uv=False).min() < 1e-6:
        raise DataError(f"graph {graph}: the cell's vectors lie in a plane: {cell.tolist()}")
    across = np.linalg.svd(kept)[2][len(kept) :]
    box = cell.copy()
    box[~repeats] = across
    return box


def _too_flat(extents: NDArray[np.float64], cutoff: float) -> bool:
    counts = np.maximum(extents / cutoff, 1.0)
    total = float(counts.prod())
    return total > VESIN_CELLS and float(counts.min()) * (VESIN_CELLS / total) ** (1 / 3) < 2


def _vesin(
    points: NDArray[np.float64],
    box: NDArray[np.float64],
    repeats: NDArray[np.bool_],
    cutoff: float,
    bounds: NDArray[np.int64],
    graph: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """(target, source, image counts) of one graph, sorted, numbered as in the batch."""
    import vesin  # not at the top: it takes a second to import

    search = vesin.NeighborList(cutoff=cutoff, full_list=True, n_threads=torch.get_num_threads())
    first, second, images, distance = search.compute(points, box, repeats, "ijSd")
    order = np.lexsort((*images.T[::-1], second, first))
    offset = int(bounds[graph])
    target = torch.from_numpy(first[order].astype(np.int64) + offset)
    source = torch.from_numpy(second[order].astype(np.int64) + offset)
    same_place = torch.from_numpy(distance[order] < COINCIDENT)
    if bool(same_place.any()):
        raise _coincidence(target[same_place], source[same_place], bounds)
    return target, source, torch.from_numpy(images[order].astype(np.int64))

"""How many parameters the paper's network has, and the widths that give a wanted number.

The published widths have equally many feature *components*, not parameters (128, 127 and 124;
8.5, 5.7 and 4.1 million): a comparison needs both matchings.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.paper.config import PUBLISHED_MAX_Z, PaperConfig
from intertwiner_equivariant_conv.width import TOLERANCE

__all__ = [
    "count_components",
    "count_parameters",
    "count_paths",
    "gated",
    "match_width",
    "multiplicities",
]

RATIOS = (1, 3, 5)
"""Features of order 0 for one of order 0, 1, 2 in `multiplicities`."""


def gated(blocks: Sequence[int]) -> tuple[int, ...]:
    """What a convolution gives for `blocks`: as many, and a scalar gate for each above order 0."""
    return (blocks[0] + sum(blocks[1:]), *blocks[1:])


def count_paths(inputs: Sequence[int], outputs: Sequence[int]) -> int:
    """Radial functions of a convolution: sum of m_out m_in (2 min(l_out, l_in) + 1)."""
    return sum(
        mo * mi * (2 * min(lo, li) + 1)
        for lo, mo in enumerate(outputs)
        for li, mi in enumerate(inputs)
    )


def count_components(blocks: Sequence[int]) -> int:
    """Numbers an atom has: sum of m (2l + 1)."""
    return sum(m * (2 * order + 1) for order, m in enumerate(blocks))


def count_parameters(config: PaperConfig, targets: int = 1) -> int:
    """Learned numbers of the network with a convolution as read-out, without "linear" maps."""
    blocks, hidden = config.multiplicities, config.radial_hidden
    shapes: list[tuple[Sequence[int], Sequence[int]]] = [((config.embed,), gated(blocks))]
    shapes += [(blocks, gated(blocks))] * (config.layers - 1) + [(blocks, (targets,))]
    radial = config.radial_basis * hidden + (config.radial_layers - 1) * hidden**2
    paths = sum(count_paths(*shape) for shape in shapes)
    return (
        ((config.max_z or PUBLISHED_MAX_Z) + 1) * config.embed
        + len(shapes) * radial
        + hidden * paths
    )


def multiplicities(scalars: int, lmax: int) -> tuple[int, ...]:
    """The family of widths in which networks are matched: 1/3 as many vectors, 1/5 of order 2."""
    return tuple(max(1, round(scalars / ratio)) for ratio in RATIOS[: lmax + 1])


def match_width(target_parameters: int, depth: int, lmax: int, **settings: int) -> tuple[int, ...]:
    """The multiplicities whose parameters are near `target_parameters`.

    The nearest of the family `multiplicities`, or where its steps are too large, of those that
    differ from it by one feature of an order.

    settings: others of `PaperConfig`, such as `embed`. Raises `InvalidSetting` when even the
    nearest differs by more than 3 %, or for an `lmax` above 2.
    """
    if not 0 <= lmax < len(RATIOS):
        raise InvalidSetting(f"lmax {lmax}: the paper's network has orders up to 2")

    def count(blocks: Sequence[int]) -> int:
        values: dict[str, Any] = {**settings, "multiplicities": tuple(blocks), "layers": depth}
        return count_parameters(PaperConfig(**values))

    def error(blocks: Sequence[int]) -> float:
        return abs(count(blocks) / target_parameters - 1.0)

    width = 1
    while count(multiplicities(width + 1, lmax)) <= target_parameters:
        width += 1
    family = [multiplicities(scalars, lmax) for scalars in (width, width + 1)]
    best = min(family, key=error)
    if error(best) > TOLERANCE:
        best = min((found for blocks in family for found in _near(blocks)), key=error)
    if error(best) > TOLERANCE:
        raise InvalidSetting(
            f"no width at lmax {lmax} and depth {depth} comes within 3 % of {target_parameters} "
            f"parameters: the nearest is {best} with {count(best)}"
        )
    return best


def _near(blocks: tuple[int, ...]) -> list[tuple[int, ...]]:
    """With up to one feature of every higher order more or less."""
    choices = [range(max(1, m - 1), m + 2) for m in blocks[1:]]
    return [(blocks[0], *rest) for rest in product(*choices)]

"""Puts together the C++ of a radial table: one unit, for single and double precision."""

from __future__ import annotations

import torch

from intertwiner_equivariant_conv.kernels.compiled.text import lines, prelude, scalar
from intertwiner_equivariant_conv.kernels.radial import layers, matrices, places, silu
from intertwiner_equivariant_conv.layers.hermite import HERMITE

__all__ = ["unit"]

HEADERS = "#include <algorithm>\n#include <cstring>\n#include <vector>\n"


def unit() -> str:
    """The source."""
    kind = scalar(torch.float64)
    rows = f"enum {{ ROWS = {12 if kind.registers == 32 else 6} }};\n"
    parts = (places.TEXT, matrices.TEXT, silu.TEXT, layers.TEXT)
    return prelude(kind) + HEADERS + _hermite() + rows + "".join(parts)


def _hermite() -> str:
    """`hermite(degree)`: the rows of HERMITE, one after the other."""
    tables = (
        f"static const double hermite{degree}[] = {{{', '.join(map(str, sum(rows, ())))}}};"
        for degree, rows in HERMITE.items()
    )
    choose = " : ".join(f"degree == {degree} ? hermite{degree}" for degree in HERMITE)
    chosen = f"static const double* hermite(int64_t degree) {{ return {choose} : nullptr; }}\n"
    return lines(tables) + "\n" + chosen

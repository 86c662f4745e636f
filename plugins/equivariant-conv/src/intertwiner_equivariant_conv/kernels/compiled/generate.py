"""Writes the C++ of the operation for one path table and scalar type: three units.

Every path is unrolled with its constants Q. With M_ik = sum_j Q_ijk Y_j, made once per edge for
all channels, and g the cotangent of the output:

    forward            out_k += W_p sum_i x_i M_ik                NM + KO multiply-adds
    gradient_features  dx_i  += W_p sum_k g_k M_ik                NM + sum_p (2 l1 + 1)
    gradient_edges     z_j    = sum_ik x_i (Q_ijk g_k)            number of constants
                       dW_p   = sum_j Y_j z_j,  dY_j += W_p z_j   2 sum_p (2 l2 + 1)

per edge and channel, where Q_ijk g_k is made once per node. With order 2 these are 114, 114 and
153. Loops over the edges of a node ask for the rows of later edges ahead of time: without that,
waiting for memory doubles the time.
"""

from __future__ import annotations

from intertwiner_equivariant_conv.kernels.compiled.forward import forward
from intertwiner_equivariant_conv.kernels.compiled.gradient_edges import gradient_edges
from intertwiner_equivariant_conv.kernels.compiled.gradient_features import gradient_features
from intertwiner_equivariant_conv.kernels.compiled.terms import entries
from intertwiner_equivariant_conv.kernels.compiled.text import Scalar, matrix, prelude
from intertwiner_equivariant_conv.layers.paths import PathTable

__all__ = ["units"]


def units(table: PathTable, kind: Scalar) -> dict[str, str]:
    """Name -> source of the three units, each with one function of its name."""
    sizes = f"enum {{ K = {table.rows_in}, P = {len(table)}, KO = {table.rows_out} }};\n"
    begin = prelude(kind) + sizes + matrix(entries(table), table.rows_edge)
    return {
        "forward": begin + forward(table, kind),
        "gradient_features": begin + gradient_features(table, kind),
        "gradient_edges": begin + gradient_edges(table, kind),
    }

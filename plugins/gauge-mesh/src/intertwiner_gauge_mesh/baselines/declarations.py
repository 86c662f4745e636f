"""The baselines this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from intertwiner.fields import FACE, VERTEX, Symmetry
from intertwiner.specs import ModelSpec

__all__ = ["baseline_models"]

_PACKAGE: Final = "intertwiner_gauge_mesh.baselines"
_PERMUTES: Final = (VERTEX, FACE)
_KINDS: Final[tuple[tuple[str, str, str, str, str, Symmetry | None, dict[str, Any]], ...]] = (
    (
        "gcn",
        "Baseline: isotropic graph network, mean over neighbours, trained on turned meshes",
        "gcn:build_gcn",
        "GcnConfig",
        "arXiv:1609.02907",
        Symmetry(space=None, permutes=_PERMUTES),
        {"channels": 8, "layers": 2},
    ),
    (
        "point-messages",
        "Baseline: equivariant point network, messages of invariants",
        "point:build_point",
        "PointConfig",
        "arXiv:2102.09844",
        Symmetry(space="SE(3)", permutes=_PERMUTES),
        {"channels": 8, "layers": 1},
    ),
    (
        "diffusion",
        "Baseline: learned diffusion by eigenpairs of the Laplacian, gradient features",
        "diffusion:build_diffusion",
        "DiffusionConfig",
        "arXiv:2012.00888",
        Symmetry(space="SE(3)", permutes=_PERMUTES, atol=1e-3),
        {"channels": 6, "blocks": 1, "eigenpairs": 12, "signatures": 4},
    ),
)


def baseline_models(plain: ModelSpec, carried: ModelSpec) -> Iterable[ModelSpec]:
    """Each baseline for meshes alone, and for meshes with a scalar u and a vector v.

    plain, carried: two models whose inputs and outputs they share.
    """
    for name, summary, target, config, reference, symmetry, tiny in _KINDS:
        for model, suffix, fields in ((plain, "", ""), (carried, "-field", ", of u and v")):
            yield replace(
                model,
                name=name + suffix,
                summary=summary + fields,
                reference=reference,
                target=f"{_PACKAGE}.{target}",
                config=f"{_PACKAGE}.config:{config}",
                symmetry=symmetry,
                tiny=tiny,
            )

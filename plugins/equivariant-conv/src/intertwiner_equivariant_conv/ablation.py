"""The recipe `angular-ablation`: the dipole with and without angular features. No torch here."""
from __future__ import annotations
from intertwiner.specs import Arm, RecipeSpec, Scale
ABLATION = RecipeSpec(name="angular-ablation", summary="x", model="equivariant-conv/depthwise", dataset="atoms/gfn2-small", arms=(Arm(name="a"),), scales={"small": Scale()}, report="intertwiner_equivariant_conv.recipes:report")

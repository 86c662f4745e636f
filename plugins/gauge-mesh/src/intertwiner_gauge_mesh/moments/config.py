"""Settings of the network of moments. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from intertwiner_gauge_mesh.config import GemConfig

__all__ = ["MomentsConfig"]


@dataclass(frozen=True, kw_only=True)
class MomentsConfig(GemConfig):
    """As `GemConfig`, with the moments of the neighbourhood and of every scalar field as inputs.

    products: bilinear nonlinearities of the inputs before the first convolution.
    blocks: convolutions, each with a product, added to what was there.
    message: feature type that the convolutions read, mixed from the hidden features.
    """

    hidden: str = "10x0+10x1+5x2"
    message: str = "6x0+6x1+3x2"
    products: Annotated[int, Ge(1)] = 2
    blocks: Annotated[int, Ge(1)] = 2
    head: tuple[Annotated[int, Ge(1)], ...] = (16,)
    init: Literal["balanced", "released"] = "released"
    inputs: tuple[str, ...] = ()

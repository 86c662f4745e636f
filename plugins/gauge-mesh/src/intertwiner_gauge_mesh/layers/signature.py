"""The settings of a layer as a buffer, so that a checkpoint knows what it was made for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from intertwiner_gauge_mesh.errors import InvalidSetting

__all__ = ["SignedModule"]


class SignedModule(nn.Module):
    """A module whose state holds `signature`, a line of text, which must agree when loaded."""

    signature: Tensor

    def sign(self, text: str) -> None:
        """Sets the line that the checkpoint keeps."""
        self.register_buffer("signature", torch.tensor(list(text.encode()), dtype=torch.uint8))

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        given = state.get(f"{prefix}signature")
        if given is not None and not torch.equal(given.cpu(), self.signature.cpu()):
            raise InvalidSetting(
                f"{prefix.rstrip('.') or 'layer'}: the checkpoint is of a layer {_read(given)!r}, "
                f"this one is {_read(self.signature)!r}"
            )
        super()._load_from_state_dict(state, prefix, *rest)


def _read(signature: Tensor) -> str:
    return bytes(signature.cpu().tolist()).decode(errors="replace")

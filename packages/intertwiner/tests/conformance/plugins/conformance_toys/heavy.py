"""A declaration that imports torch."""

from __future__ import annotations

import torch  # this is the fault

EPSILON = torch.finfo().eps

"""One stream of random numbers for every purpose, none of which depends on another."""

from __future__ import annotations

import hashlib

import torch

__all__ = ["stream", "stream_seed"]


def stream_seed(seed: int, *purpose: str | int) -> int:
    """63 bits of the SHA-256 of the run's seed and of what the numbers are for."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 2**63


def stream(seed: int, *purpose: str | int) -> torch.Generator:
    """A generator that starts from `stream_seed`."""
    return torch.Generator().manual_seed(stream_seed(seed, *purpose))

"""Settings of the models and datasets. Nothing here imports torch."""

from __future__ import annotations

__all__: list[str] = []

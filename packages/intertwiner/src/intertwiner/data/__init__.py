"""Datasets, their splits, batches, the cache, and downloads that can be trusted."""

from intertwiner.data.dataset import Dataset, Subset

__all__ = ["Dataset", "Subset"]

"""Samples of the targets as datasets."""

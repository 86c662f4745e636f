"""Molecules as graphs of bonds: files, features, scaffolds, datasets."""

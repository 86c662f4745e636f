"""Layers of molecular graphs, plain torch modules."""

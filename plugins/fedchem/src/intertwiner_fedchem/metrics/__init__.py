"""Figures of the benchmark, and the controls every model has to beat."""

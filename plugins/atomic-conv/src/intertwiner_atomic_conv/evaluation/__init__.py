"""Evaluation that cannot flatter: folds, controls on the same folds, metrics, and their table."""

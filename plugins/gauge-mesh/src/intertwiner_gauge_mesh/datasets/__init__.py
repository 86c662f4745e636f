"""Meshes to learn from: generated ones with exact ground truth, and users' own files."""

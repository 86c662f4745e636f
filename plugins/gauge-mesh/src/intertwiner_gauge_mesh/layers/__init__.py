"""Layers on meshes, each a plain `torch.nn.Module` that is useful alone.

Features are one row of numbers per vertex, laid out by their `FeatureType`; layers that look at
neighbours take the `MeshPlan` as their second argument.
"""

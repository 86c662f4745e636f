"""Complexes: generated pockets, the open FEP benchmarks, a PDBbind folder."""

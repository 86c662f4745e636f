"""Densities on configurations of zero mean: the prior, normalising maps, and numbers of atoms."""

"""How equivariant a basis is on a lattice: its elements, a random network, and over angles."""

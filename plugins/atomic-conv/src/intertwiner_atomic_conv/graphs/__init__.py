"""Who sees whom: neighbour lists of complexes, and what of them binding changes."""

"""Proteins with their ligands: two files read, checked against each other, and joined."""

"""Tetris pieces, residue environments of proteins, CATH domains: volumes and their labels."""

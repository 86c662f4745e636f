"""Readers of mesh files: OFF, PLY, OBJ, STL and legacy VTK."""

"""Pictures: isosurfaces of volumes, fields and kernels; a residue's surroundings and its odds.

They need the extra `viz`, imported only when something is drawn.
"""

"""Atoms to volumes: Gaussians on a grid, by the operation `voxelise`.

    G_c(p) = sum over atoms a of channel c of w_a exp(-|(p - r_a) / s_a|^2 / 2)

with p the voxel, r_a and s_a the atom's place and widths in voxels along each axis. An atom
reaches the box of voxels within `reach` widths along every axis, so that the sum stays a product
of one-dimensional factors. Definition: `reference`; `scatter` is plain torch without the empty
part of the grid, `compiled` C++, `triton` for CUDA. The face for users is
`voxelise.voxelise_atoms`.
"""

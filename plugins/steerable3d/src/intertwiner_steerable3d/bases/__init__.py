"""Bases of steerable kernels on a voxel lattice, and how far a lattice breaks their symmetry.

A linear map between a field of order l and one of order k commutes with rotations and translations
if and only if it is a correlation with a kernel that obeys K(Rx) = D_k(R) K(x) D_l(R)^T. All such
kernels are sums of couplings times spherical harmonics times free functions of the radius. The
modules differ in those functions: `shells` (of the paper), `solid`, `optimal` (the default).
"""

"""`voxelise` on a CUDA device.

A program holds one channel of one tile of voxels in registers and goes through the atoms whose
boxes touch the tile, in their own order, so that no atomics are needed and the bits are the same
from run to run. The backward pass has one program for each atom. Derivatives are of first order.

`TRITON_INTERPRET=1`, set before Triton is imported, runs the kernels on CPU tensors in Python.
That is how they are tested where there is no GPU; **no time of them has been measured on a GPU**.
"""

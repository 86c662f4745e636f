"""The operation on a CUDA device: Triton kernels generated with their paths unrolled.

A program holds one node and a block of channels, runs over the edges of that node (those that end
there for values and for the gradients of harmonics and weights, those that start there for the
gradient of features), keeps its sums in registers and writes every result once. There are no
atomics: results are the same bits from run to run. Second derivatives have passes of the same two
kinds; higher ones are compositions, see `kernels.multilinear`.

`TRITON_INTERPRET=1`, set before Triton is imported, runs the kernels on CPU tensors in Python.
That is how they are tested where there is no GPU; **no time of them has been measured on a GPU**.
What to expect can be counted: a pass must at least move every weight once. At E = 1,000,000 edges,
lmax 2 and 128 channels these are 4 x 11 x 128 x 1e6 = 5.6 GB in float32, 1.2 ms at 4.8 TB/s,
while the forward pass does 114 multiply-adds an edge and channel, 29 GFLOP, about 0.5 ms at the
float32 peak of such a device: the floor is memory. The features (4.6 kB an edge, gathered) and the
cotangents of the output (17.9 kB an edge in the pass for features) come from the second-level
cache only where neighbours have near numbers, as in batches of molecules.

Compiled for compute capability 9.0, which needs no GPU, no pass at lmax 1 or 2 in single precision
keeps anything outside registers; at lmax 3 the forward pass does not either, and the backward one
spills 136 bytes a thread. The width of the blocks rests on these numbers alone: it is what to
measure first.
"""

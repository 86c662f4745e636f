"""The operation on a CUDA device.

A program holds a tile of vertices and one order of the output. It sums the turned neighbours of
one order and ring at a time in registers and multiplies them into the output; the sums are never
stored. The gradient of features is the same kernel on the reversed graph, that of the weights a
kernel that leaves one partial sum for each group of tiles, added up in a fixed order. There are no
atomics: results are the same bits from run to run.

`TRITON_INTERPRET=1`, set before Triton is imported, runs the kernels on CPU tensors in Python.
That is how they are tested where there is no GPU; **no time of them has been measured on a GPU**.
"""

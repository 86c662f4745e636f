"""The pair terms on a CUDA device, by Triton: nothing of the size of pairs times features is kept.

A program of `edge_block` holds one particle and runs over its partners in tiles, with the two
products of a layer in registers; one of `mid_tangent` holds one particle and a tile of directions.
Both write every sum once, without atomics, so that results are the same bits from run to run, and
multiply in IEEE single precision: the trace is a likelihood. Gradients are recomputed in torch.

`TRITON_INTERPRET=1`, set before Triton is imported, runs the kernels on CPU tensors in Python.
That is how they are tested where there is no GPU; **no time of them has been measured on a GPU**.
"""

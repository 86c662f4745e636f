"""The network's layers as one C++ program: values, tangents, exact trace, and their gradients.

`program` holds the source; `library` has it compiled by `intertwiner.compiled`, once for every
width, dimension and kind of layer; `operation` makes differentiable functions of it. Samples lie
in the lanes of vectors, so that neither the order nor the size of a batch changes a sample's bits.
Importing any of them compiles and loads nothing.
"""

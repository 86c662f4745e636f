"""The operation in C++ that is generated, compiled once at first use, and kept in the cache.

`generate` writes the source for a path table, which `intertwiner.compiled` compiles and loads,
`graph` holds what depends on the edges alone, and `product` is the operation with its derivatives.
Importing any of them compiles and loads nothing.
"""

"""The operation in C++ that is generated, compiled once at first use, and kept in the cache.

`generate` writes the source for a path table, `build` compiles it into a cached shared object,
`loading` loads and calls it, `graph` holds what depends on the edges alone, and `product` is the
operation with its derivatives. Importing any of them compiles and loads nothing.
"""

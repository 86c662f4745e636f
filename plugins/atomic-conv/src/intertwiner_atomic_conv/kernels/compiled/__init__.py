"""The operation in C++, compiled once at first use and kept in the cache.

`build` compiles a source into a cached shared object, `loading` loads and calls it, and `pool` is
the operation with its derivative. Importing any of them compiles and loads nothing.
"""

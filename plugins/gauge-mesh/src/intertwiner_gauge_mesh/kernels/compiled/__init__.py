"""The operation in C++, compiled once for this processor at first use, and kept in the cache.

`source.cpp` is one text for all feature types; `build` compiles it into a cached shared object,
`library` loads and calls it, `operation` is the operation with its derivatives. Importing any of
them compiles and loads nothing.
"""

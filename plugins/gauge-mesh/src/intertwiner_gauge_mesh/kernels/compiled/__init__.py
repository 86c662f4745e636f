"""The operation in C++, compiled once for this processor at first use, and kept in the cache.

`source.cpp` is one text for all feature types; `library` has it compiled by `intertwiner.compiled`,
`operation` is the operation with its derivatives. Importing any of them compiles and loads nothing.
"""

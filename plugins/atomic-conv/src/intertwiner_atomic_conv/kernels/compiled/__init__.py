"""The operation in C++, compiled once at first use and kept in the cache (`intertwiner.compiled`).

`loading` has the sources of this folder as libraries, and `pool` is the operation with its
derivative. Importing any of them compiles and loads nothing.
"""

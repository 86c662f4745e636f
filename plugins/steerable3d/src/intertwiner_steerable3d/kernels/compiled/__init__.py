"""The expansion in C++, compiled once at first use; plain torch where there is no compiler."""

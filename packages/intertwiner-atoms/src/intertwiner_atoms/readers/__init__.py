"""Readers of structure files: one module a format, all behind one validation layer."""

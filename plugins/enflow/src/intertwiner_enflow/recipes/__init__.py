"""Experiments that one command runs again: `intertwiner reproduce enflow/dw4`."""

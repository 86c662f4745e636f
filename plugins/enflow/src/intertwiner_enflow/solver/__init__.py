"""Integration of flows: steps adapted to every sample by itself, fixed grids, and gradients.

A right-hand side is a callable `field(t [active], y [active, width], rows [active])`: rows says
which samples of the batch are still under way.
"""

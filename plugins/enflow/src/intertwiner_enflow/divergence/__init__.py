"""The divergence of a velocity field: exact, estimated with probes, and references to compare.

`structured` is the short way for the equivariant graph network, `exact` the general one with
forward tangents, `probes` Hutchinson's estimate, `reference` the usual loop over gradients.
"""

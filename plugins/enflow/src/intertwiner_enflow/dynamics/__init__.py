"""Velocity fields dx/dt = v(t, x): the equivariant graph network, and the controls.

`layer` holds one layer's parameters and its two forms (values; values with tangents), `stack`
the layers, `egnn` and `joint` the fields made of them, `controls` what they are compared with.
"""

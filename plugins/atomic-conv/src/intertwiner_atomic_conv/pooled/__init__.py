"""The pooled read-out: logarithms of pair counts across the interface, and a small ensemble."""

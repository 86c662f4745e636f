"""What gauge-equivariant networks are measured against: formulas, and other networks."""

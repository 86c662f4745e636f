"""The paper's questions as recipes: angular order against depth, and read-outs of the dipole."""

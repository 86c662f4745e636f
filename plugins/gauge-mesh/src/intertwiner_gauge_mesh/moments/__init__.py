"""A network that starts from moments of fields and shapes around every vertex."""

"""A declaration that registers nothing."""

"""The benchmark's table: what its runs achieved, controls, and pictures of how clients differ."""

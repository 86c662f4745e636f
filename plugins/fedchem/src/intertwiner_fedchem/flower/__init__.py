"""A federation on Flower: one SuperLink, a SuperNode with a key of its own for every client."""

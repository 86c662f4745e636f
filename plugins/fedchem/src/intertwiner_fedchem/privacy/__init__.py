"""Differential privacy of clients: clipped updates, noise, and an account of what was released."""

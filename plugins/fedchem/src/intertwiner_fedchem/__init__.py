"""Federated learning of molecules: data, splits, networks, client losses and aggregators."""

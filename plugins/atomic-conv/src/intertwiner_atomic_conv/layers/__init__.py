"""The parts of the networks, each a plain `torch.nn.Module` or function."""

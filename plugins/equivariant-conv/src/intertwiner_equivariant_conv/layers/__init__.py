"""The layers, each a plain `torch.nn.Module` or function that works in any training loop."""

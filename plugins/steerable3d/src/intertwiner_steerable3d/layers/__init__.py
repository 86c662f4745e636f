"""Layers on fields over voxels: plain `torch.nn.Module`s, each of use without the others."""

"""The network of arXiv 2008.08461: fully connected convolutions over all pairs of a molecule."""

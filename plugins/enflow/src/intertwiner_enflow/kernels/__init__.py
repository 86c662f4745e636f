"""The pair terms of the network, and the network as one compiled program for the processor."""

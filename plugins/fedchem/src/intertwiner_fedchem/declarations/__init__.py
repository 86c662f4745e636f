"""The records that the hooks yield, one module for each hook. Nothing here imports torch."""

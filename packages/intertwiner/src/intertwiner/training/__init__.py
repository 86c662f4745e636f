"""Training: what is minimised, the loop, run folders and checkpoints, figures and recipes."""

"""Networks built of the layers."""

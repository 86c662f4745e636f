"""The report of `propensity`."""

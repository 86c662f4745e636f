"""Training within a budget of processor time, and the distance to the truth it leaves."""

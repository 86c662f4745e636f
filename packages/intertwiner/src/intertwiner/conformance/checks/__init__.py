"""What every plugin must pass, a family of checks per module; none of them needs pytest."""

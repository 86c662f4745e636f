"""Elements and other whole numbers lifted to continuous features, and back."""

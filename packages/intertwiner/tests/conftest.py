"""Properties are tried on the same few examples everywhere, without a time limit each."""

from hypothesis import settings

settings.register_profile("intertwiner", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("intertwiner")

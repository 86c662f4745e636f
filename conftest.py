"""What all tests of all packages share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples everywhere; a busy machine must not fail a test.
settings.register_profile(
    "intertwiner",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("intertwiner")

"""What all tests of all packages share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine must not fail a test: no deadline, no complaint about a slow strategy.
settings.register_profile(
    "intertwiner", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("intertwiner")

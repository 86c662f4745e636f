"""What this plugin brings: equivariant flows, their targets and experiments. No torch here."""

from __future__ import annotations

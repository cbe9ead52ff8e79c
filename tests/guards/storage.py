"""Guards of the stores and of the engine that writes to them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = ()

"""The exit codes of services, for those who start them: reading one takes none of what a service is made of."""

from __future__ import annotations

EXIT_BAD_INPUT = 2  # a wrong flag, variable or file

"""The Python client of signoff's services: `from signoff.client import Client`."""

from __future__ import annotations

from signoff.client.client import Client
from signoff.client.values import Artifact, Candidate, Compilation, Layout, by_execution, by_plan

__all__ = ["Artifact", "Candidate", "Client", "Compilation", "Layout", "by_execution", "by_plan"]

"""Starts the HTTP door: `python -m signoff.web --runner 127.0.0.1:50052 --planner 127.0.0.1:50051`."""

from __future__ import annotations

from signoff.service.process import main
from signoff.web.door import DoorSettings, serve

if __name__ == "__main__":
    main(DoorSettings, serve, "signoff.web")

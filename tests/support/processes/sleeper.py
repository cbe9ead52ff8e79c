"""A program that does nothing until a signal ends it."""

from __future__ import annotations

import threading

if __name__ == "__main__":
    threading.Event().wait()

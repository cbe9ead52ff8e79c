"""The command line. Each command imports what it needs when it runs, so that `signoff --help` is there at once."""

from signoff.cli.app import main

__all__ = ["main"]

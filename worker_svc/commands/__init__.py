"""Commands: programs that make candidates or check them, each in a folder and under limits of its own."""

from worker_svc.commands.checks import CommandChecks
from worker_svc.commands.executor import CommandExecutor

__all__ = ["CommandChecks", "CommandExecutor"]

"""Checks that are programs: exit code 0 passes the candidate."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from signoff.bounds import seconds_in
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Assignment, Report
from worker_svc.commands.arguments import BadCommand, command_in_words
from worker_svc.commands.exit_codes import check_outcome, memory_hint
from worker_svc.commands.output import OutputTail
from worker_svc.commands.process import Ended
from worker_svc.commands.run import DEFAULT_MEMORY, run

DEFAULT_TIMEOUT = timedelta(seconds=60)
MAX_REASON_BYTES = 2_000
MAX_REASON_LINES = 10

ERROR = execution_pb2.OUTCOME_ERROR


class CommandChecks:
    """An assignment.CheckRunner for checks of the kind `command`."""

    def __init__(self, base: Path | None = None) -> None:
        """`base`: the folder for the folders of checks; None: the system's folder for temporary files."""
        self._base = base

    async def __call__(
        self, check: plan_pb2.Check, assignment: Assignment, report: Report
    ) -> execution_pb2.CriterionResult:
        if assignment.candidate is None:
            raise ValueError(f"expected a candidate to check under lease {assignment.lease_id}, but got none")
        command = check.command
        limit = seconds_in(command, "timeout") or DEFAULT_TIMEOUT.total_seconds()
        tail = OutputTail(report, MAX_REASON_BYTES)
        try:
            async with asyncio.timeout(limit):
                ended = await run(command.argv, assignment, tail, base=self._base)
        except BadCommand as problem:
            return _result(command, ERROR, str(problem))
        except TimeoutError:  # before OSError: it is one
            return _result(command, ERROR, f"not decided within {limit:g} s: it was given up")
        except OSError as error:
            return _result(command, ERROR, f"the command could not be run on this machine: {error}")
        outcome = check_outcome(ended)
        reason = "" if outcome == execution_pb2.OUTCOME_PASS else _reason(ended, tail.text)
        return _result(command, outcome, reason)

    async def close(self) -> None:
        """Does nothing: no process outlives a call."""


def _reason(ended: Ended, output: str) -> str:
    lines = "\n".join(output.splitlines()[-MAX_REASON_LINES:])
    how = f"the command {ended.in_words}{memory_hint(ended, lines, DEFAULT_MEMORY)}"
    return f"{lines}\n({how})" if lines else f"{how}, and said nothing"


def _result(
    command: plan_pb2.CommandCheck, outcome: execution_pb2.Outcome.ValueType, reason: str
) -> execution_pb2.CriterionResult:
    criterion = f"passes the command {command_in_words(command.argv)}"
    return execution_pb2.CriterionResult(criterion=criterion, outcome=outcome, reason=reason, deterministic=True)

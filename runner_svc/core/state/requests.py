"""What each request id was for: the same command with it again changes nothing, and another one is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from runner_svc.core.model import events as e
from runner_svc.core.model import signals as s
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import NO_TASK, WHOLE, AcceptedRequest
from signoff.errors import InvalidField

SET_LAYOUT, START = "SetLayout", "StartExecution"
PASSES, FAILS = "JudgeTask with OUTCOME_PASS", "JudgeTask with OUTCOME_FAIL"


def request_of(entry: e.Entry, plan: Map | None) -> AcceptedRequest | None:
    """Returns the command behind an event; None: it came of none that has a request id."""
    event = entry.event
    request_id = getattr(event, "request_id", "")
    if not request_id:
        return None
    command, about = _COMMANDS[type(event)](event)
    if plan is not None and event.task != NO_TASK:
        about = plan.task_ids[event.task]
    elif plan is not None and isinstance(event, e.BudgetSet):
        about = "" if event.node == WHOLE else plan.name(event.node)
    return AcceptedRequest(id=request_id, execution=entry.execution, command=command, about=about)


def named(signal: s.ExecutionCommand) -> tuple[str, str]:
    """Returns a command's name, and the task or group that it is about."""
    if isinstance(signal, s.JudgeTask):
        return PASSES if signal.passes else FAILS, signal.task_id
    about = signal.task_id if isinstance(signal, s.RetryTask | s.SetBudget) else ""
    return type(signal).__name__, about


def check_same(known: AcceptedRequest, wanted: AcceptedRequest) -> None:
    """Raises InvalidField when a request id was used for another command before."""
    if not known.command:
        return  # an earlier version did not keep it
    # guard: a request id is one command's -> if False:
    if known != wanted:
        used = f"it was used for {_told(known)}"
        raise InvalidField("request_id", f"an id of its own for {_told(wanted)}", f"{known.id!r}: {used}")


def _told(request: AcceptedRequest) -> str:
    about = f" of {request.about}" if request.about else ""
    return f"{request.command}{about}" + (f" in execution {request.execution}" if request.execution else "")


def _of_verdict(event: e.VerdictPassed | e.VerdictFailed) -> tuple[str, str]:
    return PASSES if isinstance(event, e.VerdictPassed) else FAILS, ""


_COMMANDS: Mapping[type[e.Event], Callable[..., tuple[str, str]]] = MappingProxyType(
    {
        e.LayoutSet: lambda event: (SET_LAYOUT, event.plan_id),
        e.ExecutionCreated: lambda event: (START, event.plan_id),
        e.ExecutionStarted: lambda event: (START, ""),
        e.ExecutionPaused: lambda event: (s.PauseExecution.__name__, ""),
        e.ExecutionResumed: lambda event: (s.ResumeExecution.__name__, ""),
        e.ExecutionStopped: lambda event: (s.StopExecution.__name__, ""),
        e.CommandNoted: lambda event: (event.command, ""),
        e.BudgetSet: lambda event: (s.SetBudget.__name__, ""),
        e.VerdictPassed: _of_verdict,
        e.VerdictFailed: _of_verdict,
        e.TaskRetried: lambda event: (s.RetryTask.__name__, ""),
    }
)

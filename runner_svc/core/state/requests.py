"""The commands behind request ids: the same command again changes nothing, and another one is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from runner_svc.core.model import events, signals
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import NO_TASK, WHOLE, AcceptedRequest
from signoff.errors import InvalidField

SET_LAYOUT, START = "SetLayout", "StartExecution"
PASSES, FAILS = "JudgeTask with OUTCOME_PASS", "JudgeTask with OUTCOME_FAIL"


def request_of(entry: events.Entry, plan: Map | None) -> AcceptedRequest | None:
    """Returns the command behind an event; None when there is none, or none with a request id."""
    event = entry.event
    named = COMMANDS.get(type(event))
    if named is None or not (request_id := getattr(event, "request_id", "")):
        return None
    command, about = named(event)
    if plan is not None and event.task != NO_TASK:
        about = plan.task_ids[event.task]
    elif plan is not None and isinstance(event, events.BudgetSet):
        about = "" if event.node == WHOLE else plan.name(event.node)
    return AcceptedRequest(id=request_id, execution=entry.execution, command=command, about=about)


def command_of(signal: signals.ExecutionCommand) -> tuple[str, str]:
    """Returns a command's name, and the task or group that it is about."""
    if isinstance(signal, signals.JudgeTask):
        return PASSES if signal.passes else FAILS, signal.task_id
    about = signal.task_id if isinstance(signal, signals.RetryTask | signals.SetBudget) else ""
    return type(signal).__name__, about


def check_same(known: AcceptedRequest, request: AcceptedRequest) -> None:
    """Raises InvalidField when a request id was used for another command before."""
    if not known.command:
        return  # an earlier version did not keep it
    # guard: a request id is one command's -> if False:
    if known != request:
        used = f"it was used for {_describe(known)}"
        raise InvalidField("request_id", f"an id of its own for {_describe(request)}", f"{known.id!r}: {used}")


def _describe(request: AcceptedRequest) -> str:
    about = f" of {request.about}" if request.about else ""
    return f"{request.command}{about}" + (f" in execution {request.execution}" if request.execution else "")


def _of_verdict(event: events.VerdictPassed | events.VerdictFailed) -> tuple[str, str]:
    return PASSES if isinstance(event, events.VerdictPassed) else FAILS, ""


#: By the events that have a request id: the name of the command, and the plan that it is about.
COMMANDS: Mapping[type[events.Event], Callable[..., tuple[str, str]]] = MappingProxyType(
    {
        events.LayoutSet: lambda event: (SET_LAYOUT, event.plan_id),
        events.ExecutionCreated: lambda event: (START, event.plan_id),
        events.ExecutionStarted: lambda event: (START, ""),
        events.ExecutionPaused: lambda event: (signals.PauseExecution.__name__, ""),
        events.ExecutionResumed: lambda event: (signals.ResumeExecution.__name__, ""),
        events.ExecutionStopped: lambda event: (signals.StopExecution.__name__, ""),
        events.CommandNoted: lambda event: (event.command, ""),
        events.BudgetSet: lambda event: (signals.SetBudget.__name__, ""),
        events.VerdictPassed: _of_verdict,
        events.VerdictFailed: _of_verdict,
        events.TaskRetried: lambda event: (signals.RetryTask.__name__, ""),
    }
)

"""Bounds what clients are shown of the long parts of an execution, so that a view of it fits a message.

The journal and the checkpoints keep all of it. A view is at most 3 MiB: the idea takes 1 MiB, and inputs take less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from runner_svc.codec.inputs import file_to_proto, given_from_proto
from runner_svc.codec.outages import outage_to_proto
from runner_svc.codec.settings import settings_to_proto
from runner_svc.core.model.inputs import GivenInput
from runner_svc.core.model.values import Away, Settings
from signoff.bounds import clipped
from signoff.rpc.frames import AnyMessage, runs
from signoff.v1 import execution_pb2 as pb

MOST_BYTES = 256 * 1024  # of each list
MOST_NAMES = 100  # in each list of tasks that the settings name
MOST_BUDGETS = 1_000  # a plan may give one to each of a million tasks
MOST_OUTAGES = 50
MOST_OUTAGE_CHARS = 300  # of the message of an outage
MOST_FILES = 100  # of all inputs
MOST_INPUT_CHARS = 1_000  # of a text or JSON among the inputs


def first(messages: Iterable[AnyMessage]) -> Sequence[AnyMessage]:
    """Returns the first messages of a list, as many as MOST_BYTES allow."""
    # guard: lists in views are bounded in bytes -> return [*messages]
    return next(runs(messages, MOST_BYTES), ())


def settings_shown(settings: Settings) -> pb.ExecutionSettings:
    """Returns settings with the first of the tasks that they name."""
    few = replace(
        settings,
        # guard: a view names few tasks -> fresh_tasks=settings.fresh_tasks,
        fresh_tasks=settings.fresh_tasks[:MOST_NAMES],
        from_tasks=settings.from_tasks[:MOST_NAMES],
        until_tasks=settings.until_tasks[:MOST_NAMES],
    )
    return settings_to_proto(few)


def outages_shown(outages: Sequence[Away]) -> Sequence[pb.Outage]:
    """Returns the first outages, with the beginnings of their messages."""
    few = (replace(away, message=clipped(away.message, MOST_OUTAGE_CHARS)) for away in outages[:MOST_OUTAGES])
    return first(map(outage_to_proto, few))


def inputs_shown(given: Iterable[GivenInput]) -> Iterator[pb.GivenInput]:
    """Yields inputs with the first files of all of them, and the beginnings of texts."""
    left = MOST_FILES
    for each in given:
        files = each.files[:left]
        left -= len(files)
        yield pb.GivenInput(
            name=each.name,
            files=map(file_to_proto, files),
            text=None if each.text is None else clipped(each.text, MOST_INPUT_CHARS),
            json=None if each.json is None else clipped(each.json, MOST_INPUT_CHARS),
            file_count=len(each.files),
        )


def bound_created(created: pb.ExecutionCreated) -> None:
    """Leaves of an execution's creation what a view shows of it."""
    for names in (created.settings.fresh_task_ids, created.settings.from_task_ids, created.settings.until_task_ids):
        del names[MOST_NAMES:]
    shown = [*inputs_shown(given_from_proto(created.inputs))]
    del created.inputs[:]
    created.inputs.extend(shown)

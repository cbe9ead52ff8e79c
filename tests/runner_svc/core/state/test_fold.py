"""The tables of events are complete: each event is applied in one place, and the table of transitions knows it."""

from __future__ import annotations

from dataclasses import fields

from runner_svc.core.model import events
from runner_svc.core.model.states import TRANSITIONS
from runner_svc.core.state import lifecycle, requests, task_events

OF_A_TASK = {kind for moves in TRANSITIONS.values() for kind in moves}
OF_THE_RUNNER = {events.LayoutSet, events.ExecutionsPruned}
BASES = {events.Event, events.LeaseEnded, events.LeaseResult, events.LeaseFault}
ALL = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)} - BASES


def test_every_event_of_a_task_has_a_handler_and_a_place_in_the_table_of_transitions() -> None:
    assert set(task_events.HANDLERS) == OF_A_TASK


def test_every_other_event_is_one_of_the_runner_or_of_an_execution() -> None:
    assert set(lifecycle.HANDLERS) == ALL - OF_A_TASK - OF_THE_RUNNER


def test_every_event_with_a_request_id_names_its_command() -> None:
    assert set(requests.COMMANDS) == {kind for kind in ALL if "request_id" in {field.name for field in fields(kind)}}

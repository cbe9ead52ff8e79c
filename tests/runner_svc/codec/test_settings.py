"""Settings of executions as messages and back."""

from __future__ import annotations

from runner_svc.codec.settings import settings_from_proto
from runner_svc.core.model.selection import MOST_NAMES_BYTES
from signoff.v1 import execution_pb2


def test_names_that_are_repeated_count_once_and_keep_their_order() -> None:
    """In requests, and in journals of versions that kept them all."""
    names = ["b", "a", "b", "a"] * 1_000
    settings = settings_from_proto(
        execution_pb2.ExecutionSettings(fresh_task_ids=names, from_task_ids=names, until_task_ids=names)
    )
    assert settings.fresh_tasks == settings.from_tasks == settings.until_tasks == ("b", "a")


def test_settings_that_an_earlier_version_stored_are_read_whatever_their_size() -> None:
    names = [f"{number:0128}" for number in range(MOST_NAMES_BYTES // 64)]
    assert settings_from_proto(execution_pb2.ExecutionSettings(until_task_ids=names)).until_tasks == tuple(names)

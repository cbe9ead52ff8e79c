"""Records stay the bytes of a checkpoint until they are first needed."""

from __future__ import annotations

import pytest

from runner_svc.core.state.task_record import TaskRecord, TaskRecords


class Reader:
    """Makes the record of the attempt that the bytes name, and counts the call."""

    def __init__(self) -> None:
        self.made: list[bytes] = []

    def __call__(self, body: bytes) -> TaskRecord:
        self.made.append(body)
        return TaskRecord(attempt=int(body))


def two(read: Reader) -> TaskRecords:
    return TaskRecords({3: b"1", 5: b"2"}, read)


def test_a_record_is_made_when_it_is_first_looked_at_and_only_then() -> None:
    read = Reader()
    records = two(read)
    assert (len(records), sorted(records), 3 in records, 4 in records) == (2, [3, 5], True, False)
    assert read.made == []
    records[3].failures = 1
    assert records[3] == TaskRecord(attempt=1, failures=1), "what was changed is what is looked at again"
    assert read.made == [b"1"]


def test_looking_at_all_of_them_makes_each_once_and_loses_none() -> None:
    read = Reader()
    records = two(read)
    assert records[5].attempt == 2
    expected = {3: TaskRecord(attempt=1), 5: TaskRecord(attempt=2)}
    assert dict(records.items()) == expected == records
    assert sorted(read.made) == [b"1", b"2"]


def test_a_record_that_is_set_takes_the_place_of_the_kept_one() -> None:
    read = Reader()
    records = two(read)
    records[3] = TaskRecord(attempt=7)
    assert (len(records), records[3].attempt, read.made) == (2, 7, [])


def test_a_record_that_is_deleted_is_gone_made_or_not() -> None:
    records = two(Reader())
    records[3].failures = 1
    del records[3], records[5]
    assert (len(records), records.get(3), records.get(5)) == (0, None, None)


def test_a_record_that_cannot_be_made_stays_kept() -> None:
    records = TaskRecords({3: b"no number"}, Reader())
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            records[3]
    assert 3 in records


def test_a_task_without_a_record_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        two(Reader())[4]

"""Views of executions fit a message, whatever clients and workers have sent: each of their parts is bounded."""

from __future__ import annotations

import functools
from dataclasses import fields, replace

import pytest

from runner_svc.codec.checkpoints import execution_to_proto, overview_from_proto
from runner_svc.codec.journal.entries import event_for_watchers
from runner_svc.codec.shown import MOST_BUDGETS, MOST_BYTES, MOST_FILES, MOST_NAMES, MOST_OUTAGE_CHARS, MOST_OUTAGES
from runner_svc.codec.views import overview_to_proto
from runner_svc.core.model.inputs import GivenInput, InputFile
from runner_svc.core.model.selection import MOST_NAMES_BYTES
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.tallies import MOST_POOLS, OTHERS, Pool, Tally, sum_tallies
from runner_svc.core.model.usage import MOST, MOST_TOTALS, Usage
from runner_svc.core.model.values import Away, Budget, Content, ExecutionId, ModelAt, Phase, Settings
from runner_svc.core.spending.commitments import Reservation
from runner_svc.core.state.overview import Overview, Spending
from runner_svc.services.pages import fitting
from signoff.plan.limits import MAX_FILE_PATH_BYTES, MAX_FILLED_BYTES, MAX_INPUT_FILES, MAX_PLAN_INPUTS
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import RUN_BYTES
from signoff.v1 import execution_pb2 as pb

WIDE = "\U0001f600"  # four bytes
MUCH = Usage(**{column.name: MOST for column in fields(Usage)})
NAMES = tuple(f"{number:0128}" for number in range(MOST_NAMES_BYTES // 128))


def pool(number: int, labels: int = 64) -> Pool:
    """Returns a pool of the longest labels that a worker may have."""
    pairs = ((f"{label:03}{WIDE * 125}", f"{number:03}{WIDE * 125}") for label in range(labels))
    return Pool(model=f"{number:03}{WIDE * 253}", labels=frozenset(pairs))


@functools.cache
def largest() -> Overview:
    """Returns an overview in which each part is as large as requests and workers can make it."""
    file = Content(digest="0" * 64, size=2**26, media_type=WIDE * 256)
    files = tuple(InputFile(path=f"{n:04}{WIDE * (MAX_FILE_PATH_BYTES // 4 - 1)}", content=file) for n in range(10))
    names = [f"{number:03}{WIDE * 125}" for number in range(MAX_PLAN_INPUTS)]
    budget = Spending(
        node=0,
        name="b" * 128,
        budget=Budget(tokens=2**53, cost_nanos=10**18),
        spent=MUCH,
        kept=Reservation(9 * MOST, 9 * MOST),
    )
    return Overview(
        id=ExecutionId("e" * 128),
        plan_id="p" * 128,
        map_digest="0" * 64,
        idea="i" * MAX_FILLED_BYTES,
        settings=Settings(fresh_tasks=NAMES, from_tasks=NAMES, until_tasks=NAMES),
        state=ExecutionState.PAUSED,
        reason=WIDE * 11_000,  # a model at its endpoint, and what it said
        sequence=2**63,
        created_at=1e9,
        started_at=1e9,
        ended_at=None,
        active_since=1e9,
        outages=tuple(
            Away(
                model=ModelAt(f"{n}{WIDE * 250}", WIDE * 2_048), since=1e9, tries=9, next_try=1e9, message=WIDE * 8_192
            )
            for n in range(200)
        ),
        counts=(1_000_000,) * 7,
        awaiting_person=1_000_000,
        usage=tuple((Phase.EXECUTE, f"{number:03}{WIDE * 253}", MUCH) for number in range(MOST_TOTALS + 2)),
        currency="EUR",
        budgets=(budget,) * 5_000,
        largest=(),
        candidates=1,
        canaries_given=1,
        canaries=sum_tallies((pool(n, labels), Tally(good=1)) for n in range(2 * MOST_POOLS) for labels in (1, 64)),
        requests=(),
        inputs=tuple(GivenInput(name=name, files=files, text=WIDE * 2_000) for name in names),
        inputs_digest="0" * 64,
    )


@pytest.mark.guard(name="lists in views are bounded in bytes")
@pytest.mark.guard(name="a view names few tasks")
def test_the_largest_execution_fits_a_message_with_its_tasks_and_so_does_a_page_of_several() -> None:
    shown = overview_to_proto(largest())
    assert RUN_BYTES < shown.ByteSize() < 3 * 1024 * 1024
    assert shown.ByteSize() + RUN_BYTES < MAX_FRAME_BYTES, "a page of tasks is in the same message"
    for each in (shown.usage, shown.budgets, shown.canaries, shown.outages):
        assert sum(entry.ByteSize() for entry in each) <= MOST_BYTES
    page = fitting([shown] * 5)
    assert len(page) >= 1
    assert sum(each.ByteSize() for each in page) < 3 * 1024 * 1024


def test_a_view_shows_the_first_of_each_list_and_the_beginnings_of_texts() -> None:
    whole = replace(largest(), canaries=())
    few = replace(whole, outages=tuple(replace(each, model=ModelAt("m", "")) for each in whole.outages))
    shown = overview_to_proto(few)
    assert tuple(shown.settings.until_task_ids) == NAMES[:MOST_NAMES]
    assert len(shown.outages) == MOST_OUTAGES
    assert {len(outage.message) for outage in shown.outages} == {MOST_OUTAGE_CHARS}
    assert sum(len(given.files) for given in shown.inputs) == MOST_FILES
    assert {given.file_count for given in shown.inputs} == {10}
    assert 500 < len(shown.budgets) <= MOST_BUDGETS


def test_a_checkpoint_keeps_all_of_it() -> None:
    whole = largest()
    restored = overview_from_proto(execution_to_proto(whole, settled=False))
    assert (restored.settings, restored.outages, restored.inputs) == (whole.settings, whole.outages, whole.inputs)
    assert (len(restored.budgets), restored.canaries) == (5_000, whole.canaries)


def test_pools_that_an_earlier_version_kept_apart_are_counted_together_where_their_labels_are_long() -> None:
    message = execution_to_proto(replace(largest(), canaries=()), settled=False)
    for number in range(50):
        labels = {f"{label:03}{WIDE * 125}": f"{number:03}{WIDE * 125}" for label in range(64)}
        message.execution.canaries.add(model="m", labels=labels, good=1)
    assert overview_from_proto(message).canaries == ((OTHERS, Tally(good=50)),)


@pytest.mark.guard(name="a large creation is shown in part")
def test_the_creation_of_an_execution_is_shown_in_part_when_no_message_may_hold_it() -> None:
    created = pb.ExecutionCreated(idea="i" * MAX_FILLED_BYTES)
    created.settings.until_task_ids.extend(NAMES * 4)
    given = created.inputs.add(name="f", text="t" * 5_000)
    for number in range(MAX_INPUT_FILES):
        given.files.add(path=f"{number:04}{WIDE * 500}", digest="0" * 64)
    event = pb.Event(sequence=1, execution_created=created)
    assert event.ByteSize() > MAX_FRAME_BYTES
    shown = event_for_watchers(event).execution_created
    assert shown.ByteSize() < 3 * 1024 * 1024
    assert tuple(shown.settings.until_task_ids) == NAMES[:MOST_NAMES]
    assert (len(shown.inputs[0].files), shown.inputs[0].file_count, len(shown.inputs[0].text)) == (100, 1_000, 1_000)
    assert event.execution_created == created, "what is stored stays as it is"


def test_a_creation_that_a_message_holds_is_shown_whole() -> None:
    event = pb.Event(sequence=1, execution_created=pb.ExecutionCreated(idea="i"))
    event.execution_created.settings.until_task_ids.extend(NAMES[:1_000])
    assert event_for_watchers(event) is event

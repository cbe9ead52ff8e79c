"""Promises of every store: the same tests over each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Checkpoint, Checkpointed, InObjects, Listed, ListingQuery, Purged, Removal, Row, Store
from runner_svc.store.postgres import PostgresStore
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import StorageFailed

Make = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes the store; called once more after a close, it makes one that has everything the first one had."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "journal.db")
    if request.param == "postgres":
        dsn: str = request.getfixturevalue("dsn")
        return lambda: PostgresStore(dsn)
    memory = MemoryStore()
    return lambda: memory


@pytest.fixture
async def store(again: Make) -> AsyncIterator[Store]:
    made = again()
    await made.open()
    yield made
    await made.close()


def rows(journal: str, *sequences: int) -> list[Row]:
    return [Row(journal, sequence, f"{journal}{sequence}".encode()) for sequence in sequences]


async def test_a_journal_is_read_in_order_from_any_point_and_in_pages(store: Store) -> None:
    await store.append(rows("a", 1, 2, 3), {})
    await store.append(rows("a", 4), {})
    assert await store.read("a", 0, 10) == rows("a", 1, 2, 3, 4)
    assert await store.read("a", 2, 1) == rows("a", 3)
    assert await store.read("a", 4, 10) == []
    assert await store.read("unknown", 0, 10) == []


async def test_everything_comes_in_the_order_of_the_commits_over_all_journals(store: Store) -> None:
    await store.append([*rows("a", 1), *rows("b", 1)], {})
    await store.append([*rows("b", 2), *rows("a", 2)], {})
    first, position = await store.everything(0, 3)
    rest, end = await store.everything(position, 3)
    assert [*first, *rest] == [*rows("a", 1), *rows("b", 1), *rows("b", 2), *rows("a", 2)]
    assert await store.everything(end, 3) == ([], end)


async def test_the_journals_that_begin_up_to_a_position_are_named(store: Store) -> None:
    assert await store.journals(10**9) == []
    await store.append([*rows("", 1), *rows("b", 1, 2), *rows("a", 1)], {})
    _, end = await store.everything(0, 10)
    await store.append([*rows("c", 1), *rows("a", 2, 3)], {})
    assert await store.journals(end) == ["", "a", "b"]
    assert await store.journals(0) == []
    await store.remove(Removal(row=Row("", 2, b"pruned"), whole=["a"], histories=[("b", b"")]))
    assert await store.journals(10**9) == ["", "c"]


@pytest.mark.parametrize("sequences", [(2,), (1, 3), (1, 1)])
async def test_a_row_that_is_not_the_next_of_its_journal_is_refused_with_all_that_came_with_it(
    store: Store, sequences: tuple[int, ...]
) -> None:
    with pytest.raises(StorageFailed):
        await store.append([*rows("b", 1), *rows("a", *sequences)], {"d": b"body"})
    assert await store.read("a", 0, 10) == []
    assert await store.read("b", 0, 10) == []
    assert await store.content("d") is None


async def test_a_row_that_is_there_already_is_refused(store: Store) -> None:
    await store.append(rows("a", 1), {})
    with pytest.raises(StorageFailed):
        await store.append([Row("a", 1, b"another")], {})
    assert await store.read("a", 0, 10) == rows("a", 1)


async def test_contents_come_with_their_rows_and_stay_what_they_were(store: Store) -> None:
    await store.append(rows("a", 1), {"d1": b"one"})
    await store.put_content("d2", b"two")
    await store.put_content("d2", b"two")
    assert (await store.content("d1"), await store.content("d2")) == (b"one", b"two")
    assert await store.content("d3") is None


async def test_an_empty_content_is_not_a_missing_one(store: Store) -> None:
    await store.put_content("d", b"")
    assert await store.content("d") == b""


async def test_the_sizes_of_contents_are_told_of_those_that_are_there(store: Store) -> None:
    await store.put_content("d1", b"one")
    await store.put_content("d2", b"")
    wanted = ["d2", "d3", "d1", *(f"absent {number}" for number in range(997))]
    assert await store.renew_contents(wanted) == {"d1": 3, "d2": 0}
    assert await store.renew_contents([]) == {}


async def test_a_content_may_lie_in_the_object_store(store: Store) -> None:
    await store.put_object("d1", 5_000_000_000)
    await store.put_object("d1", 5_000_000_000)
    assert await store.content("d1") == InObjects(5_000_000_000)
    await store.put_content("d2", b"two")
    assert [await store.is_object(digest) for digest in ("d1", "d2", "d3")] == [True, False, False]
    await store.drop_contents(["d2"], -1)
    assert await store.renew_contents(["d1"]) == {"d1": 5_000_000_000}
    assert await store.sizes("", 10, -1) == [("d1", 5_000_000_000)]
    assert await store.drop_contents(["d1"], -1) == ["d1"]
    assert await store.content("d1") is None


# ---------------------------------------------------------------- what is brought under leases

NOW = -1.0  # seconds: older than a second ahead


async def test_what_was_brought_under_a_lease_is_for_that_lease_alone_until_an_event_names_it(
    store: Store,
) -> None:
    await store.stage("l1", {"d1": b"one"}, {"d2": 2_000_000})
    assert await store.renew_contents(["d1", "d2"]) == {}
    assert await store.renew_contents(["d1", "d2"], "l2") == {}
    assert await store.renew_contents(["d1", "d2"], "l1") == {"d1": 3, "d2": 2_000_000}
    assert await store.known_contents(["d1", "d2", "d3"]) == {"d1", "d2"}
    assert await store.sizes("", 10, NOW) == []
    assert await store.drop_contents(["d1", "d2"], NOW) == []
    await store.append(rows("a", 1), {}, (), ["d1", "d2"])
    assert await store.renew_contents(["d1", "d2"]) == {"d1": 3, "d2": 2_000_000}
    assert await store.drop_staged(set(), NOW) == []


async def test_what_no_event_has_named_is_dropped_after_its_lease(store: Store) -> None:
    await store.stage("l1", {"d1": b"one", "d2": b"two"}, {"d3": 3_000_000})
    await store.append(rows("a", 1), {}, (), ["d2"])
    assert await store.drop_staged(set(), 60) == []
    assert sorted(await store.drop_staged(set(), NOW)) == [("d1", 3), ("d3", 3_000_000)]
    assert await store.drop_staged(set(), NOW) == []
    assert [await store.content(digest) for digest in ("d1", "d2", "d3")] == [None, b"two", None]


async def test_what_a_living_lease_has_brought_stays(store: Store) -> None:
    await store.stage("l1", {"d1": b"one", "d2": b"two"}, {})
    await store.stage("l2", {"d2": b"two"}, {})
    assert await store.drop_staged({"l2"}, NOW) == [("d1", 3)]
    assert await store.renew_contents(["d2"], "l2") == {"d2": 3}
    assert await store.drop_staged({"l2"}, NOW) == []


async def test_what_is_kept_already_is_no_leases_own(store: Store) -> None:
    await store.put_content("d1", b"one")
    await store.stage("l1", {"d1": b"one"}, {})
    assert await store.renew_contents(["d1"]) == {"d1": 3}
    assert await store.drop_staged(set(), NOW) == []
    assert await store.content("d1") == b"one"


@pytest.mark.parametrize("how", ["put", "object", "append", "named by another lease"])
async def test_what_others_keep_is_kept(store: Store, how: str) -> None:
    await store.stage("l1", {"d1": b"one"}, {})
    match how:
        case "put":
            await store.put_content("d1", b"one")
        case "object":
            await store.put_object("d1", 3)
        case "append":
            await store.append(rows("a", 1), {"d1": b"one"})
        case _:
            await store.stage("l2", {"d1": b"one"}, {})
            await store.append(rows("a", 1), {}, (), ["d1"])
    assert await store.drop_staged(set(), NOW) == []
    assert await store.renew_contents(["d1"]) == {"d1": 3}
    assert await store.content("d1") == b"one"


async def test_a_row_that_is_refused_names_nothing(store: Store) -> None:
    await store.stage("l1", {"d1": b"one"}, {})
    with pytest.raises(StorageFailed):
        await store.append(rows("a", 2), {}, (), ["d1"])
    assert await store.renew_contents(["d1"]) == {}


async def test_what_is_staged_is_there_after_a_restart(again: Make) -> None:
    before = again()
    await before.open()
    await before.stage("l1", {"d1": b"one"}, {"d2": 2_000_000})
    await before.close()
    after = again()
    await after.open()
    try:
        assert await after.renew_contents(["d1", "d2"], "l1") == {"d1": 3, "d2": 2_000_000}
        assert sorted(await after.drop_staged(set(), NOW)) == [("d1", 3), ("d2", 2_000_000)]
    finally:
        await after.close()


async def test_a_map_keeps_its_parts_in_order(store: Store) -> None:
    parts = [f"part {n}".encode() for n in range(12)]
    await store.put_map("m", parts)
    await store.put_map("m", parts)
    assert list(await store.map_parts("m") or ()) == parts
    assert await store.map_parts("other") is None
    assert await store.map_part("other", -1) is None


@pytest.mark.parametrize("count", [1, 12])
async def test_the_parts_of_a_map_can_be_read_one_by_one(store: Store, count: int) -> None:
    parts = [f"part {n}".encode() for n in range(count)]
    await store.put_map("m", parts)
    await store.put_map("n", [b"of another map"])
    read, after = list[bytes](), -1
    while (found := await store.map_part("m", after)) is not None:
        after, body = found
        read.append(body)
    assert read == parts


async def test_what_was_written_is_there_after_a_restart_and_the_epoch_has_grown(again: Make) -> None:
    first = again()
    epoch = await first.open()
    await first.append(rows("a", 1, 2), {"d": b"body"})
    await first.put_map("m", [b"part"])
    await first.close()
    second = again()
    assert await second.open() > epoch
    assert await second.read("a", 0, 10) == rows("a", 1, 2)
    assert await second.content("d") == b"body"
    assert await second.map_parts("m")
    await second.append(rows("a", 3), {})
    await second.close()


async def test_a_journal_keeps_its_id(again: Make) -> None:
    store = again()
    await store.open()
    journal_id = await store.journal_id()
    await store.close()
    store = again()
    await store.open()
    assert await store.journal_id() == journal_id
    assert len(journal_id) == 32
    await store.close()


def checkpoint(runner: bytes, executions: dict[str, bytes], tasks: dict[tuple[str, int], bytes]) -> Checkpoint:
    return Checkpoint(
        runner=runner, executions=[*executions.items()], tasks=[(*key, body) for key, body in tasks.items()]
    )


async def test_a_new_store_has_no_checkpoint(store: Store) -> None:
    assert await store.checkpointed() == Checkpointed(position=0, runner=b"", executions=[])
    assert await store.checkpointed_tasks("a") == []


async def test_a_checkpoint_covers_what_was_appended_before_it(store: Store) -> None:
    await store.append([*rows("a", 1), *rows("b", 1)], {})
    await store.checkpoint(checkpoint(b"own", {"a": b"A", "b": b"B"}, {("a", 0): b"A0"}))
    await store.append(rows("b", 2), {})
    found = await store.checkpointed()
    assert (found.runner, list(found.executions)) == (b"own", [b"A", b"B"])
    assert (await store.everything(found.position, 10))[0] == rows("b", 2)


async def test_a_checkpoint_replaces_what_it_names_and_leaves_the_rest(store: Store) -> None:
    await store.checkpoint(checkpoint(b"1", {"b": b"B", "a": b"A"}, {("a", 0): b"A0", ("a", 1): b"A1"}))
    await store.checkpoint(checkpoint(b"2", {"c": b"C", "b": b"B2"}, {("a", 1): b"A1 again", ("b", 0): b"B0"}))
    found = await store.checkpointed()
    assert (found.runner, list(found.executions)) == (b"2", [b"B2", b"A", b"C"]), "in the order they first came in"
    assert sorted(await store.checkpointed_tasks("a")) == [(0, b"A0"), (1, b"A1 again")]
    assert await store.checkpointed_tasks("b") == [(0, b"B0")]
    asked = [("a", 0), ("a", 1), ("a", 2), ("b", 1), ("x", 0)]
    assert [await store.checkpointed_task(*one) for one in asked] == [b"A0", b"A1 again", None, None, None]


async def test_a_checkpoint_is_there_after_a_restart(again: Make) -> None:
    first = again()
    await first.open()
    await first.append(rows("a", 1), {})
    await first.checkpoint(checkpoint(b"own", {"a": b"A"}, {("a", 7): b"A7"}))
    await first.close()
    second = again()
    await second.open()
    found = await second.checkpointed()
    assert (found.runner, list(found.executions)) == (b"own", [b"A"])
    assert await second.checkpointed_tasks("a") == [(7, b"A7")]
    assert (await second.everything(found.position, 10))[0] == []
    await second.close()


# ---------------------------------------------------------------- the index of executions


def an_execution(journal: str, **other: object) -> Listed:
    known = Listed(journal=journal, plan_id="plan", state=2, needs=0, created_at=10.0, text=f"{journal}\nan idea")
    return replace(known, **other)  # type: ignore[arg-type]


async def found(store: Store, **asked: object) -> list[str]:
    query = replace(ListingQuery(older=None, limit=100), **asked)  # type: ignore[arg-type]
    return [journal for _, journal in await store.listed(query)]


@pytest.fixture
async def indexed(store: Store) -> Store:
    """Has three executions."""
    first = an_execution("a", created_at=1.5, needs=2, text="a\n100% of 季报_1")
    await store.append(
        [*rows("a", 1), *rows("b", 1)], {}, [first, an_execution("b", plan_id="other", state=6, needs=8)]
    )
    await store.append(rows("c", 1), {}, [an_execution("c", created_at=20.0)])
    return store


async def test_executions_are_found_newest_first_by_all_that_lists_are_filtered_by(indexed: Store) -> None:
    assert await found(indexed) == ["c", "b", "a"]
    assert await found(indexed, plan_id="plan") == ["c", "a"]
    assert await found(indexed, states=[6, 5]) == ["b"]
    assert await found(indexed, needs=2 | 4) == ["a"]
    assert await found(indexed, needs=2 | 8) == ["b", "a"]
    assert await found(indexed, created_from=10.0) == ["c", "b"]
    assert await found(indexed, created_before=10.0) == ["a"]
    assert await found(indexed, created_from=-9.3e18, created_before=9.3e18) == ["c", "b", "a"]
    assert await found(indexed, text="an idea") == ["c", "b"]
    assert await found(indexed, plan_id="plan", states=[2], needs=2, created_before=2.0, text="a") == ["a"]
    assert await found(indexed, plan_id="unknown") == []


@pytest.mark.parametrize(
    ("text", "journals"), [("季报_", ["a"]), ("0% o", ["a"]), ("%", ["a"]), ("_", ["a"]), ("'", [])]
)
async def test_no_letter_of_a_text_means_anything_else(indexed: Store, text: str, journals: list[str]) -> None:
    assert await found(indexed, text=text) == journals


async def test_pages_of_a_list_go_on_where_the_last_one_ended_whatever_has_changed(indexed: Store) -> None:
    query = ListingQuery(older=None, limit=2)
    (_, first), (number, second) = await indexed.listed(query)
    assert [first, second] == ["c", "b"]
    await indexed.append(rows("d", 1), {}, [an_execution("d"), an_execution("b", state=5)])
    assert await found(indexed, older=number) == ["a"]
    assert await found(indexed, limit=1) == ["d"]


async def test_some_executions_are_let_through_besides(indexed: Store) -> None:
    assert await found(indexed, states=[6], besides=["a", "unknown"]) == ["b", "a"]
    assert await found(indexed, besides=["a"]) == ["c", "b", "a"]
    (number, _), *_ = await indexed.listed(ListingQuery(older=None, limit=1, states=[6]))
    assert await found(indexed, states=[6], besides=["a", "c"], older=number) == ["a"]


async def test_the_index_changes_with_the_rows_it_came_with_or_not_at_all(indexed: Store) -> None:
    await indexed.append(rows("a", 2), {}, [an_execution("a", state=5, needs=0)])
    assert await found(indexed, states=[5]) == ["a"]
    with pytest.raises(StorageFailed):
        await indexed.append(rows("a", 2), {}, [an_execution("a", state=6)])
    assert await found(indexed, states=[5]) == ["a"]


async def test_an_index_is_written_anew_and_is_there_after_a_restart(again: Make) -> None:
    store = again()
    await store.open()
    assert not await store.is_listed()
    await store.append(rows("x", 1), {}, [an_execution("x")])
    await store.list_anew([an_execution("a"), an_execution("b")], is_whole=False)
    assert (await found(store), await store.is_listed()) == (["b", "a"], False)
    await store.list_anew([an_execution("b"), an_execution("a")])
    await store.close()
    store = again()
    await store.open()
    assert (await found(store), await store.is_listed()) == (["a", "b"], True)
    await store.close()


async def test_a_row_of_the_index_is_told_and_rows_are_counted(store: Store) -> None:
    assert (await store.count_listed(), await store.listed_as("a")) == (0, None)
    await store.append(rows("a", 1), {}, [an_execution("a"), an_execution("b")])
    await store.append(rows("a", 2), {}, [an_execution("a", state=6)])
    assert (await store.count_listed(), await store.listed_as("a")) == (2, an_execution("a", state=6))


async def test_a_checkpoint_is_read_in_the_order_of_the_index(store: Store) -> None:
    await store.append(rows("a", 1), {}, [an_execution("a"), an_execution("b"), an_execution("c")])
    for journal in ("late", "c", "b", "a"):
        await store.checkpoint(checkpoint(b"", {journal: journal.encode()}, {}))
    assert [*(await store.checkpointed()).executions] == [b"a", b"b", b"c", b"late"]


# ---------------------------------------------------------------- what a prune takes away


async def purged(store: Store, limit: int = 2) -> int:
    """Purges to the end. Returns how many rows went."""
    rows = 0
    while not (step := await store.purge(limit)).is_done:
        assert step.rows <= limit
        rows += step.rows
    return rows


async def told(store: Store) -> list[Row]:
    return [*(await store.everything(0, 100))[0]]


@pytest.fixture
async def three(store: Store) -> Store:
    """Has the executions a, b and c, and a checkpoint of all of them."""
    await store.append(
        [*rows("", 1), *rows("a", 1, 2, 3), *rows("b", 1, 2)], {}, [an_execution("a"), an_execution("b")]
    )
    await store.append([*rows("c", 1), *rows("a", 4, 5)], {}, [an_execution("c")])
    tasks = {(journal, number): b"task" for journal in "abc" for number in range(3)}
    await store.checkpoint(checkpoint(b"own", {"a": b"A", "b": b"B", "c": b"C"}, tasks))
    return store


async def test_what_is_removed_is_gone_for_every_reader_before_it_is_purged(three: Store) -> None:
    await three.remove(Removal(row=Row("", 2, b"pruned"), whole=["a"]))
    assert await told(three) == [*rows("", 1), *rows("b", 1, 2), *rows("c", 1), Row("", 2, b"pruned")]
    assert await three.read("a", 0, 10) == []
    assert await three.heads(["a", "b", ""]) == {"a": 0, "b": 2, "": 2}
    assert [*(await three.checkpointed()).executions] == [b"B", b"C"]
    assert await found(three) == ["c", "b"]
    await purged(three)
    assert await told(three) == [*rows("", 1), *rows("b", 1, 2), *rows("c", 1), Row("", 2, b"pruned")]
    assert [await three.checkpointed_tasks(journal) for journal in "ab"] == [[], [(n, b"task") for n in range(3)]]


async def test_of_a_removed_history_the_checkpoint_stays_with_its_tasks(three: Store) -> None:
    await three.remove(Removal(row=Row("", 2, b"pruned"), histories=[("a", b"A, pruned")]))
    await purged(three)
    assert (await three.heads(["a"]), await three.read("a", 0, 10)) == ({"a": 0}, [])
    assert [*(await three.checkpointed()).executions] == [b"A, pruned", b"B", b"C"]
    assert sorted(await three.checkpointed_tasks("a")) == [(n, b"task") for n in range(3)]
    assert await found(three) == ["c", "b", "a"]
    await three.remove(Removal(row=Row("", 3, b"again"), whole=["a"]))
    await purged(three)
    assert [*(await three.checkpointed()).executions] == [b"B", b"C"]
    assert (await three.checkpointed_tasks("a"), await found(three)) == ([], ["c", "b"])


async def test_a_removal_whose_row_is_not_the_next_one_removes_nothing(three: Store) -> None:
    with pytest.raises(StorageFailed):
        await three.remove(Removal(row=Row("", 3, b"pruned"), whole=["a"], histories=[("b", b"")]))
    assert (len(await told(three)), [*(await three.checkpointed()).executions]) == (9, [b"A", b"B", b"C"])
    assert await found(three) == ["c", "b", "a"]


async def test_a_purge_that_was_cut_off_goes_on_after_a_restart_and_nothing_comes_back(again: Make) -> None:
    store = again()
    await store.open()
    await store.append([*rows("a", *range(1, 10)), *rows("b", 1)], {}, [an_execution("a"), an_execution("b")])
    await store.remove(Removal(row=Row("", 1, b"pruned"), whole=["a"]))
    await store.purge(2)
    await store.close()
    store = again()
    await store.open()
    assert await told(store) == [*rows("b", 1), Row("", 1, b"pruned")]
    assert (await store.heads(["a"]), await found(store)) == ({"a": 0}, ["b"])
    assert await purged(store) in (0, 7)
    assert await store.purge(2) == Purged(rows=0, is_done=True)
    await store.close()


async def test_what_comes_after_a_purge_of_the_last_rows_is_after_the_checkpoint(store: Store) -> None:
    await store.append([*rows("", 1), *rows("a", 1)], {})
    await store.remove(Removal(row=Row("", 2, b"pruned"), whole=["a"]))
    await store.append(rows("b", 1, 2, 3), {})
    await store.checkpoint(checkpoint(b"own", {"b": b"B"}, {}))
    await store.append(rows("c", 1), {})
    await store.remove(Removal(row=Row("", 3, b"pruned"), whole=["b", "c"]))
    await store.append(rows("d", 1), {})
    await store.remove(Removal(row=Row("", 4, b"pruned"), whole=["d"]))
    await store.checkpoint(checkpoint(b"own", {}, {}))
    await store.append(rows("e", 1), {})
    await store.checkpoint(checkpoint(b"own", {"e": b"E"}, {}))
    await store.append([*rows("e", 2), *rows("f", 1)], {})
    await purged(store)
    await store.append(rows("f", 2), {})
    after = (await store.checkpointed()).position
    assert (await store.everything(after, 10))[0] == [*rows("e", 2), *rows("f", 1, 2)]


async def test_only_contents_of_an_age_are_named_and_dropped(store: Store) -> None:
    await store.append(rows("a", 1), {"d1": b"one", "d3": b"three!"})
    await store.put_content("d2", b"")
    assert await store.sizes("", 10, 60) == []
    assert await store.drop_contents(["d1", "d2"], 60) == []
    now = -1  # older than a second ahead: all are
    assert await store.sizes("", 2, now) == [("d1", 3), ("d2", 0)]
    assert await store.sizes("d2", 2, now) == [("d3", 6)]
    assert sorted(await store.drop_contents(["d1", "d3", "unknown"], now)) == ["d1", "d3"]
    assert [await store.content(digest) for digest in ("d1", "d2", "d3")] == [None, b"", None]
    await store.put_content("d1", b"one")
    assert await store.content("d1") == b"one"


async def test_maps_are_named_and_dropped(store: Store) -> None:
    for key in ("n", "m", "o"):
        await store.put_map(key, [b"1", b"2"])
    assert [await store.maps("", 2), await store.maps("n", 2)] == [["m", "n"], ["o"]]
    await store.drop_map("n")
    await store.drop_map("unknown")
    assert (await store.maps("", 9), await store.map_parts("n")) == (["m", "o"], None)
    await store.put_map("n", [b"3"])
    assert list(await store.map_parts("n") or ()) == [b"3"]

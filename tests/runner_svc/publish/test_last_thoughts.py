"""The last thoughts of each lease, bounded for each and for all together."""

from __future__ import annotations

import pytest

from runner_svc.core.model.values import LeaseId
from runner_svc.publish.last_thoughts import MOST_OF_A_LEASE, Heard, LastThoughts

A, B = LeaseId("x.1.1"), LeaseId("x.2.2")


def test_pieces_are_joined_and_gaps_are_told() -> None:
    thoughts = LastThoughts()
    thoughts.add(A, "first, ", gap=False)
    thoughts.add(A, "second", gap=False)
    assert thoughts.of(A) == Heard("first, second")
    thoughts.add(A, "…", gap=True)
    assert thoughts.of(A) == Heard("first, second…", dropped=True)
    assert thoughts.of(B) == Heard()


@pytest.mark.guard(name="the thoughts of a lease are bounded")
def test_a_lease_keeps_the_end_of_its_thoughts_in_whole_characters() -> None:
    thoughts = LastThoughts()
    thoughts.add(A, "思" * MOST_OF_A_LEASE, gap=False)  # three bytes each
    thoughts.add(A, "end", gap=False)
    heard = thoughts.of(A)
    assert heard.dropped
    assert heard.text.endswith("思end")
    assert set(heard.text) == set("思end")
    assert len(heard.text.encode()) <= thoughts.kept_bytes == MOST_OF_A_LEASE


@pytest.mark.guard(name="the thoughts of all leases are bounded")
def test_beyond_the_bound_of_all_the_lease_that_is_silent_longest_loses_its_thoughts() -> None:
    thoughts = LastThoughts(most_of_all=10)
    thoughts.add(A, "aaaa", gap=False)
    thoughts.add(B, "bbbb", gap=False)
    thoughts.add(A, "aaaa", gap=False)
    assert thoughts.of(B) == Heard(dropped=True)
    assert thoughts.of(A) == Heard("aaaaaaaa")
    assert thoughts.kept_bytes == 8
    thoughts.add(B, "b", gap=False)
    assert thoughts.of(B) == Heard("b", dropped=True)


def test_a_lease_that_has_ended_leaves_nothing() -> None:
    thoughts = LastThoughts()
    thoughts.add(A, "aaaa", gap=False)
    thoughts.end(A)
    thoughts.end(B)
    assert (thoughts.of(A), thoughts.kept_bytes) == (Heard(), 0)


def test_leases_of_an_earlier_runner_have_thought_before() -> None:
    thoughts = LastThoughts()
    thoughts.add(A, "aaaa", gap=False)
    thoughts.keep_only([B])
    assert (thoughts.of(A), thoughts.of(B), thoughts.kept_bytes) == (Heard(), Heard(dropped=True), 0)


def test_with_a_bound_of_nothing_nothing_is_kept() -> None:
    thoughts = LastThoughts(0)
    thoughts.add(A, "aaaa", gap=False)
    assert not thoughts.is_on
    assert thoughts.of(A) == Heard(dropped=True)

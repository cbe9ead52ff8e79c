"""Bounds of unfinished uploads: one for each session, and one for all."""

from __future__ import annotations

import pytest

from runner_svc.core.model.values import LeaseId, SessionId
from runner_svc.services.uploads import CandidateUpload, CandidateUploads

ONE, TWO = SessionId("s1"), SessionId("s2")
A, B, C = LeaseId("a"), LeaseId("b"), LeaseId("c")


def begun(uploads: CandidateUploads, session: SessionId, lease: LeaseId, problem: str = "") -> CandidateUpload:
    uploads.begin(session, lease, 10, problem)
    upload = uploads.find(session, lease)
    assert upload is not None
    return upload


def test_chunks_are_joined_in_the_order_in_which_they_come() -> None:
    uploads = CandidateUploads()
    upload = begun(uploads, ONE, A)
    uploads.add(upload, b"on")
    uploads.add(upload, b"e")
    taken = uploads.take(ONE, A)
    assert taken is not None
    assert (bytes(taken.body), taken.size, uploads.kept_bytes) == (b"one", 3, 0)
    assert uploads.take(ONE, A) is None


@pytest.mark.guard(name="uploads of a session are bounded")
def test_beyond_the_bound_of_a_session_its_oldest_uploads_are_too_much() -> None:
    uploads = CandidateUploads(most_of_a_session=10, most_of_all=1000)
    first, second, other = begun(uploads, ONE, A), begun(uploads, ONE, B), begun(uploads, TWO, A)
    assert uploads.add(first, b"4444") == uploads.add(other, b"55555") == uploads.add(second, b"666666") == []
    assert uploads.add(second, b"1") == [first]


@pytest.mark.guard(name="uploads of all are bounded")
def test_beyond_the_bound_of_all_the_oldest_upload_of_any_session_is_too_much() -> None:
    uploads = CandidateUploads(most_of_a_session=1000, most_of_all=10)
    first, second = begun(uploads, ONE, A), begun(uploads, TWO, B)
    assert uploads.add(second, b"666666") == uploads.add(first, b"4444") == []
    third = begun(uploads, TWO, C)
    assert uploads.add(third, b"1") == [first]
    assert uploads.add(third, b"55555") == [first, second]


def test_an_upload_that_was_given_up_is_counted_and_not_kept() -> None:
    uploads = CandidateUploads(most_of_a_session=10)
    upload = begun(uploads, ONE, A)
    uploads.add(upload, b"333")
    uploads.give_up(upload, "too much")
    assert uploads.add(upload, b"4444") == []
    assert (upload.size, upload.problem, uploads.kept_bytes) == (7, "too much", 0)


def test_one_that_was_never_to_be_kept_takes_nothing() -> None:
    uploads = CandidateUploads(most_of_a_session=1)
    assert uploads.add(begun(uploads, ONE, A, "not held"), b"4444") == []
    assert uploads.kept_bytes == 0


def test_a_session_that_ends_takes_its_uploads_along() -> None:
    uploads = CandidateUploads()
    uploads.add(begun(uploads, ONE, A), b"333")
    uploads.add(begun(uploads, TWO, B), b"22")
    uploads.forget(ONE)
    assert (uploads.find(ONE, A), uploads.kept_bytes) == (None, 2)
    uploads.forget(ONE)


def test_one_that_begins_anew_forgets_what_came_before() -> None:
    uploads = CandidateUploads()
    uploads.add(begun(uploads, ONE, A), b"333")
    assert begun(uploads, ONE, A).size == uploads.kept_bytes == 0


def test_no_more_are_begun_than_the_session_may_have() -> None:
    uploads = CandidateUploads()
    for lease in (A, B, C):
        uploads.begin(ONE, lease, 2)
    assert uploads.find(ONE, A) is None
    assert uploads.find(ONE, B) is not None

"""Staged files: all of them are put into place, or none, and older files stay until then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner_svc.staging import NAMES, discard, read_records, records, stage, staged_paths
from planner_svc.store import PlanStore


def given(folder: Path, token: str, text: bytes) -> None:
    stage(folder, token, dict.fromkeys(NAMES, (text,)))


def test_what_is_staged_is_not_seen_until_it_is_put_into_place(tmp_path: Path) -> None:
    store = PlanStore(tmp_path)
    given(tmp_path / "mine", "1", b"\0\0\0\3abc")
    assert not (tmp_path / "mine" / "map.pb").exists()

    with store.commit("mine", "1") as new_map:
        assert list(read_records(new_map)) == [b"abc"]

    assert {path.name for path in (tmp_path / "mine").iterdir()} == set(NAMES)


def test_a_disk_that_fills_up_leaves_the_old_files_and_no_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(tmp_path, "1", b"old")
    PlanStore(tmp_path.parent).commit(tmp_path.name, "1").close()
    real, calls = os.fsync, iter(range(100))

    def full(descriptor: int) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        given(tmp_path, "2", b"new")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(NAMES, b"old")


def test_a_new_plan_that_could_not_be_staged_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        given(tmp_path / "mine", "1", b"new")

    assert list(tmp_path.iterdir()) == []


def test_discarding_keeps_what_others_have_staged(tmp_path: Path) -> None:
    given(tmp_path / "mine", "1", b"one")
    given(tmp_path / "mine", "2", b"two")

    discard(tmp_path / "mine", "1")
    discard(tmp_path / "mine", "never staged")

    assert {*(tmp_path / "mine").iterdir()} == {*staged_paths(tmp_path / "mine", "2").values()}


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_records_that_end_too_early_are_found_out(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"".join(records([b"ab"]))[:cut])

    with path.open("rb") as file, pytest.raises(EOFError):
        list(read_records(file))

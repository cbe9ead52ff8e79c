"""One command provides the services of a data directory; others with the same settings may use them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from signoff.errors import ConfigurationError
from signoff.local.services import LocalSettings
from signoff.local.sharing import ServicesLock, ServicesRecord, SharedServices, offer_of

WORKERS = {"executors": 7, "validators": 5}


def settings(folder: Path, **more: object) -> LocalSettings:
    return replace(LocalSettings(data_dir=folder, executors=7, validators=5, model="m"), **more)  # type: ignore[arg-type]


def provided(offer: dict[str, str], pid: int = os.getpid()) -> ServicesRecord:
    return ServicesRecord(planner="127.0.0.1:1", runner="127.0.0.1:2", pid=pid, offer=offer)


def silent(_said: str) -> None:
    """Ignores what is said."""


def test_a_lock_is_one_commands_until_it_is_released(tmp_path: Path) -> None:
    first, second = ServicesLock(tmp_path), ServicesLock(tmp_path)
    assert first.take()
    assert not second.take()
    first.write_record(provided({}))
    assert second.read_record() == provided({})
    first.release()
    assert second.read_record() is None
    assert second.take()
    second.release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"planner": "a"}', b'{"other": 1}'])
def test_a_record_that_makes_no_sense_is_none(tmp_path: Path, content: bytes) -> None:
    lock = ServicesLock(tmp_path)
    assert lock.take()
    (tmp_path / ".signoff" / "services.json").write_bytes(content)
    assert lock.read_record() is None
    lock.release()


def test_a_lock_in_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("a file")
    with pytest.raises(ConfigurationError, match="expected a data directory that can be written"):
        ServicesLock(tmp_path / "db").take()


async def test_services_that_are_there_are_used(tmp_path: Path) -> None:
    lock = ServicesLock(tmp_path)
    assert lock.take()
    lock.write_record(provided(offer_of(settings(tmp_path), os.environ)))
    said = list[str]()
    async with SharedServices(settings(tmp_path), said.append) as services:
        assert (services.planner_address, services.runner_address) == ("127.0.0.1:1", "127.0.0.1:2")
        assert not services.are_ours
    assert said == [f"using the services of the command (pid {os.getpid()}) that runs in {tmp_path}"]
    lock.release()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model": "other"}, "--model m, --judge-model m), but got --model other, --judge-model other"),
        ({"judge_model": "judge"}, "--judge-model m), but got --judge-model judge"),
        ({"allow_commands": True}, "--allow-commands no), but got --allow-commands yes"),
        ({"apps": ("mine:app",)}, "--app none), but got --app mine:app in "),
        ({"prices": Path("/p.toml")}, "--prices none), but got --prices /p.toml"),
    ],
)
@pytest.mark.guard(name="a plan is not given to workers of another kind")
async def test_workers_that_are_not_what_was_asked_for_are_not_shared(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    lock = ServicesLock(tmp_path)
    assert lock.take()
    lock.write_record(provided(offer_of(settings(tmp_path), os.environ)))
    with pytest.raises(ConfigurationError) as refused:
        async with SharedServices(settings(tmp_path, **change), silent):
            pass
    assert named in str(refused.value)
    assert "wait for its end, or choose another --data-dir" in str(refused.value)
    lock.release()


def test_empty_and_unset_models_are_the_same_offer(tmp_path: Path) -> None:
    by_flag, by_variable = settings(tmp_path), settings(tmp_path, model="")
    assert offer_of(by_flag, {}) == offer_of(by_variable, {"SIGNOFF_MODEL": "m"})
    assert offer_of(by_flag, {"SIGNOFF_MODELS": ""}) == offer_of(by_flag, {})


async def test_services_without_workers_take_any_plan(tmp_path: Path) -> None:
    lock = ServicesLock(tmp_path)
    assert lock.take()
    lock.write_record(provided(offer_of(settings(tmp_path, executors=0, validators=0), os.environ)))
    async with SharedServices(settings(tmp_path), silent) as services:
        assert services.runner_address == "127.0.0.1:2"
    lock.release()


async def test_who_wants_services_of_its_own_is_told_which_are_there(tmp_path: Path) -> None:
    lock = ServicesLock(tmp_path)
    assert lock.take()
    lock.write_record(provided({}))
    with pytest.raises(ConfigurationError, match=r"`signoff submit --planner 127\.0\.0\.1:1 --runner 127\.0\.0\.1:2"):
        async with SharedServices(settings(tmp_path), silent, exclusive=True):
            pass
    lock.release()

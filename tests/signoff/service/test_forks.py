"""The services that start programs leave gRPC out of their forks, and say so before it is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NAME = "GRPC_ENABLE_FORK_SUPPORT"
PROBE = f"import os, sys, {{package}}; print(os.environ.get({NAME!r}), 'grpc' in sys.modules)"


def told_by(package: str, **given: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != NAME} | given
    command = (sys.executable, "-c", PROBE.format(package=package))
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.guard(name="forks leave gRPC alone")
@pytest.mark.guard(name="the planner's forks leave gRPC alone")
def test_the_planner_turns_the_handlers_off_before_grpc_is_there() -> None:
    assert told_by("planner_svc") == "0 False"


@pytest.mark.guard(name="forks leave gRPC alone")
def test_a_worker_turns_the_handlers_off_before_grpc_is_there() -> None:
    assert told_by("worker_svc") == "0 False"


def test_the_setting_of_a_person_stays() -> None:
    assert told_by("planner_svc", **{NAME: "1"}) == "1 False"

"""The deployment files, read as far as a machine without a Docker engine can."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from planner_svc.__main__ import PlannerSettings
from runner_svc.settings import RunnerSettings
from signoff.service.process import ServiceSettings
from worker_svc.__main__ import WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "planner_svc": PlannerSettings,
    "runner_svc": RunnerSettings,
    "worker_svc": WorkerSettings,
}

Service = dict[str, Any]


def program(name: str, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program of this environment at the root of the project, with few of the outer variables."""
    path = Path(sysconfig.get_path("scripts")) / name
    base = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    command = [str(path), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=base | dict(env or {}), capture_output=True, text=True, check=False, timeout=60
    )


def composed(**env: str) -> dict[str, Service]:
    """Returns the services of docker-compose.yml, with the variables of an environment filled in."""
    return cast(dict[str, Service], json.loads(_composed(tuple(sorted(env.items()))))["services"])


@functools.cache
def _composed(env: tuple[tuple[str, str], ...]) -> str:
    found = program("docker-compose", "--env-file", os.devnull, "config", "--format", "json", env=dict(env))
    assert found.returncode == 0, found.stderr
    return found.stdout


def module_of(service: Service) -> str:
    """Returns the module that a container runs: its command is `python -m MODULE …`."""
    assert service["command"][:2] == ["python", "-m"]
    return cast(str, service["command"][2])


def settings_of(service: Service) -> ServiceSettings:
    """Returns the settings of the container's process; the environment must be the service's."""
    kind = SETTINGS[module_of(service)]
    return kind(_cli_parse_args=service["command"][3:], _cli_prog_name="test")  # type: ignore[call-arg]


def seconds(duration: str) -> float:
    """Returns the seconds of a duration as compose writes it: "20s", "1m30s"."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    total, number = 0.0, ""
    for character in duration:
        if character in units:
            total, number = total + float(number) * units[character], ""
        else:
            number += character
    return total

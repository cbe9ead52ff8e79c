"""The HTTP door in front of real services, all of them processes: `signoff serve --ui`, and further doors beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes.commands import EXAMPLES, ROOT, environment, kill_one

PATIENCE = 60.0  # seconds for anything that takes one or two on an idle machine
LOOK_AGAIN = 0.02
JSON = {"Content-Type": "application/json"}
NOTES = (EXAMPLES / "release_notes" / "plan.json").read_bytes()


@dataclass(slots=True, kw_only=True)
class Services:
    """Services that are up, with a door."""

    planner: str
    runner: str
    url: str
    data_dir: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = client_of(self.url)

    def get(self, path: str, **more: Any) -> Any:
        """Returns the JSON of a path that answers 200."""
        answer = self.client.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return self.client.request(method, path, content=content, headers={**JSON, **headers})

    def started(self, plan: bytes = NOTES, plan_id: str = "notes") -> str:
        """Stores a plan and starts an execution of it, which does all anew; returns its id."""
        assert self.send("PUT", f"plans/{plan_id}", plan).status_code == 200
        answer = self.send("POST", "executions", {"planId": plan_id, "settings": {"reuse": False}})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["execution"]["executionId"])

    def ended(self, execution_id: str, *states: str) -> dict[str, Any]:
        """Waits until an execution is in one of these states, by default succeeded; returns it."""
        wanted = [f"EXECUTION_STATE_{state}" for state in states or ("SUCCEEDED",)]
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.get(f"executions/{execution_id}")["execution"]
            if found["state"] in wanted:
                return dict(found)
            assert time.monotonic() < deadline, f"expected {wanted}, but it is {found['state']}"
            time.sleep(LOOK_AGAIN)

    def waits_for_a_person(self, execution_id: str, task_id: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            (task,) = self.get(f"executions/{execution_id}", params={"taskId": task_id})["tasks"]
            if task.get("waiting", {}).get("waitingFor") == "WAITING_FOR_PERSON":
                return
            assert time.monotonic() < deadline, task
            time.sleep(LOOK_AGAIN)


def client_of(url: str, **more: Any) -> httpx.Client:
    """Returns a client of the API of a door."""
    return httpx.Client(base_url=f"{url}api/v1/", timeout=PATIENCE, trust_env=False, **more)


@contextmanager
def services(folder: Path, *flags: str) -> Iterator[Services]:
    """Starts planner, runner, mock workers and a door in one process tree; ends them in order."""
    addresses = ("--planner-address", "127.0.0.1:0", "--runner-address", "127.0.0.1:0", "--ui-address", "127.0.0.1:0")
    command = ("serve", "--json", "--data-dir", str(folder / "db"), *addresses)
    workers = ("--executors", "3", "--validators", "2", "--model", "mock")
    with _process("signoff.cli", *command, *(flags or workers)) as process:
        page, serving = _record(process), _record(process)
        found = Services(url=page["url"], planner=serving["planner"], runner=serving["runner"], data_dir=folder / "db")
        with found.client:
            yield found


@contextmanager
def door(of: Services, folder: Path, *flags: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Starts one more door in front of services; yields its address."""
    file = folder / f"door-{time.monotonic_ns()}"
    where = () if "--address" in flags else ("--address", "127.0.0.1:0")
    front = ("--runner", of.runner, "--planner", of.planner, "--address-file", str(file), "--stop-on-stdin-eof")
    with _process("signoff.web", *front, *where, *flags, env=env) as process:
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(LOOK_AGAIN)
        yield file.read_text()


@contextmanager
def _process(module: str, *flags: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        (sys.executable, "-m", module, *flags),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=environment() | dict(env or {}),
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.communicate()


def _record(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the command ended with {process.wait()}"
    return dict(json.loads(line))


def kill_runner(of: Services) -> None:
    """Kills the runner; `signoff serve` starts it again at its address."""
    kill_one("runner_svc", str(of.data_dir))

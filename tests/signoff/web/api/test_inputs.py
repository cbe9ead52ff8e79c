"""Inputs of a plan through the door: files are uploaded, texts and JSON stand in the start."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.signoff.web.api.test_api import reason_of
from tests.support.servers.door import Services

BYTES = "application/octet-stream"
PLAN = json.dumps(
    {
        "idea": "Tell of {{inputs.topic}}",
        "inputs": {"data": {"file": "*.csv"}, "topic": {"text": None}, "options": {"json": {"top": 3}}},
        "tasks": [
            {
                "task_id": "1",
                "description": "Write of {{inputs.topic}}",
                "input": {"artifacts": ["data"], "parameters": {"o": "{{inputs.options}}"}},
                "output": {"artifact": "report", "format": "Markdown"},
                "validation": {"criteria": ["It is about {{inputs.topic}}"]},
            }
        ],
    }
).encode()


def uploaded(services: Services, body: bytes, path: str, kind: str = BYTES) -> httpx.Response:
    headers = {"Content-Type": kind}
    return services.client.post("contents", params={"path": path}, content=body, headers=headers)


def given(services: Services, body: bytes, **more: Any) -> list[dict[str, Any]]:
    stored = uploaded(services, body, "a.csv").json()
    return [{"name": "data", "files": [{"path": "a.csv", **stored}]}, {"name": "topic", "text": "mars"}, *more.values()]


def test_a_file_is_stored_and_answered_with_what_a_start_names_it_by(services: Services) -> None:
    body = "région,2\n".encode()
    answer = uploaded(services, body, "data/a.csv")
    assert answer.status_code == 201
    expected = {"digest": sha256(body).hexdigest(), "sizeBytes": str(len(body)), "mediaType": "text/csv"}
    assert answer.json() == expected
    assert uploaded(services, b"\xff\0", "photo").json()["mediaType"] == BYTES
    assert uploaded(services, b"", "empty").json()["sizeBytes"] == "0"


def test_an_execution_is_started_with_inputs_and_shows_them(services: Services) -> None:
    assert services.send("PUT", "plans/inputs", PLAN).status_code == 200
    start = {"planId": "inputs", "inputs": given(services, b"a,1\n")}
    previewed = services.send("POST", "executions/preview", start)
    assert previewed.status_code == 200, previewed.text
    started = services.send("POST", "executions", start)
    assert started.status_code == 201, started.text
    found = services.ended(started.json()["execution"]["executionId"])
    assert found["idea"] == "Tell of mars"
    assert [(each["name"], each["fileCount"]) for each in found["inputs"]] == [
        ("data", 1),
        ("topic", 1),
        ("options", 1),
    ]
    assert found["inputs"][0]["files"][0]["path"] == "a.csv"
    assert (found["inputs"][1]["text"], found["inputs"][2]["json"]) == ("mars", '{"top":3}')
    kept = services.send("POST", "executions/preview", start).json()
    assert kept["kept"] == 1
    changed = {**start, "inputs": given(services, b"a,2\n")}
    assert services.send("POST", "executions/preview", changed).json()["tasks"][0]["changes"] == ["input data/a.csv"]


def test_a_start_that_lacks_an_input_or_its_file_is_refused(services: Services) -> None:
    assert services.send("PUT", "plans/inputs", PLAN).status_code == 200
    answer = services.send("POST", "executions", {"planId": "inputs"})
    assert reason_of(answer) == (400, "INPUTS_INVALID")
    assert answer.json()["detail"] == "expected the input data, a file or several, but it is not set"
    file = {"path": "a.csv", "digest": "0" * 64, "sizeBytes": "1", "mediaType": "text/csv"}
    inputs = [{"name": "data", "files": [file]}, {"name": "topic", "text": "mars"}]
    answer = services.send("POST", "executions", {"planId": "inputs", "inputs": inputs})
    assert reason_of(answer) == (409, "INPUT_NOT_UPLOADED")


@pytest.mark.guard(name="only JSON is taken")
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data", ""])
def test_a_page_of_another_site_can_send_no_file(services: Services, kind: str) -> None:
    assert reason_of(uploaded(services, b"1", "a", kind)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_bytes_are_taken_at_one_path_alone(services: Services) -> None:
    answer = services.client.post("executions", content=b"{}", headers={"Content-Type": BYTES})
    assert reason_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_file_that_is_too_large_is_refused(services: Services) -> None:
    answer = uploaded(services, bytes(64 * 1024 * 1024 + 1), "a.bin")
    assert reason_of(answer) == (413, "BODY_TOO_LARGE")

"""The API in front of real services: plans, executions, commands, contents, and what bad input gets."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from typing import Any

import pytest

from signoff.web.api.commands import MOST_START
from signoff.web.api.places import Lines, spans_of
from signoff.web.wire.calls import MOST_BODY
from tests.support.servers.door import NOTES, Services

PERSON = {
    "idea": "two lines",
    "tasks": [
        {"task_id": "1", "description": "Write", "input": {"description": "x"}, "output": {"description": "a line"},
         "validation": {"human": True}},
    ],
}  # fmt: skip


def reason_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["reason"]


# ---------------------------------------------------------------- plans


def test_a_plan_is_stored_and_read_back(services: Services) -> None:
    told = services.send("PUT", "plans/stored", NOTES).json()
    assert (told["header"]["planId"], told["diagnostics"]) == ("stored", [])
    assert services.client.get("plans/stored").content == NOTES
    assert services.get("plans/stored/execution.json")["plan_id"] == "stored"
    assert services.get("plans/stored/diagnostics") == {"diagnostics": []}
    found = services.get("plans/stored/map")
    assert (found["header"], len(found["tasks"]), len(found["groups"])) == (told["header"], 7, 3)
    layout = services.get("plans/stored/layout")
    assert {cell["taskId"] for cell in layout["cells"]} <= {task["spec"]["taskId"] for task in found["tasks"]}
    assert "stored" in [plan["planId"] for plan in services.get("plans")["plans"]]


def test_a_broken_plan_gets_its_diagnostics_with_lines_and_nothing_is_stored(services: Services) -> None:
    broken = b'{"idea": "x",\n "tasks": [\n  {"task_id": "1", "description": "a", "dependencies": ["9"]}]}'
    answer = services.send("PUT", "plans/broken", broken)
    assert reason_of(answer) == (422, "PLAN_INVALID")
    found = {one["code"]: one for one in answer.json()["diagnostics"]}
    place = found["unknown-dependency"]
    assert (place["line"], place["column"], place["endColumn"]) == (3, 57, 60)
    assert reason_of(services.client.get("plans/broken")) == (404, "PLAN_NOT_FOUND")
    checked = services.send("POST", "plans/check", broken).json()["diagnostics"]
    assert checked == answer.json()["diagnostics"]


def test_a_text_that_is_no_json_is_told_with_its_line(services: Services) -> None:
    (found,) = services.send("POST", "plans/check", b'{"a":\n [1, }').json()["diagnostics"]
    assert (found["code"], found["line"]) == ("not-json", 2)


def test_places_of_values_are_found_whatever_stands_between() -> None:
    text = '{"a" : [1, {"b": "x]\\"}", "é": [true , null]}],\n"c":{}}'
    spans = spans_of(text, {"a", "a[0]", "a[1].b", "a[1].é[1]", "c", "d"})
    assert {path: text[start:end] for path, (start, end) in spans.items()} == {
        "a": '[1, {"b": "x]\\"}", "é": [true , null]}]',
        "a[0]": "1",
        "a[1].b": '"x]\\"}"',
        "a[1].é[1]": "null",
        "c": "{}",
    }
    assert Lines(text).at(text.index("{}")) == (2, 5)


# ---------------------------------------------------------------- executions


def test_an_execution_is_read_in_all_its_forms(services: Services, finished: str) -> None:
    where = f"executions/{finished}"
    whole = services.get(where, params={"tasks": "all"})
    assert len(whole["tasks"]) == 7
    assert [task["taskId"] for task in services.get(where, params={"taskId": "1_2"})["tasks"]] == ["1_2"]
    assert services.get(f"{where}/map")["header"]["mapDigest"] == whole["execution"]["mapDigest"]
    assert services.get(f"{where}/layout")["cells"]
    assert services.get(f"{where}/why") == {"sentence": "notes is succeeded: 7 of 7 signed off", "tasks": []}
    assert any("sign_off" in record for record in services.get(f"{where}/cost")["records"])
    task = services.get(f"{where}/tasks/1_1")
    assert (task["task"]["taskId"], task["spec"]["taskId"]) == ("1_1", "1_1")
    assert services.get(f"{where}/tasks/1_1/thinking").get("text", "") == ""
    (prompt, *_) = services.get(f"{where}/tasks/1_1/attempts/1/prompts")["prompts"]
    messages = services.get(f"{where}/tasks/1_1/attempts/1/prompts/{prompt['digest']}")
    assert {message["role"] for message in messages} <= {"system", "user"}
    attempts = services.get(f"{where}/tasks/1_1/attempts")["attempts"]
    assert attempts[-1]["candidate"]["state"] == "CANDIDATE_STATE_SIGNED_OFF"
    assert attempts[0]["events"][0]["sentence"].startswith("attempt 1 began on")


def test_a_story_is_read_page_by_page(services: Services, finished: str) -> None:
    where, after, told = f"executions/{finished}/story", "0", list[str]()
    while after:
        page = services.get(where, params={"after": after, "pageSize": 7})
        told += [event["sequence"] for event in page["events"]]
        after = page.get("nextAfter", "")
    assert told == [str(number) for number in range(1, len(told) + 1)]


def test_lists_are_filtered(services: Services, finished: str) -> None:
    def listed(**params: Any) -> list[str]:
        return [one["executionId"] for one in services.get("executions", params=params).get("executions", [])]

    assert finished in listed(planId="notes", state=["succeeded", "RUNNING"])
    assert finished not in listed(state="failed")
    assert finished in listed(text="LANTERN")
    assert finished not in listed(awaiting="person")
    assert listed(createdAfter="2100-01-01T00:00:00Z") == []


def test_a_command_that_is_repeated_with_its_key_takes_effect_once(services: Services) -> None:
    services.send("PUT", "plans/once", NOTES)
    starts = [services.send("POST", "executions", {"planId": "once"}, **{"Idempotency-Key": "k-1"}) for _ in range(3)]
    assert [answer.status_code for answer in starts] == [201] * 3
    assert len({answer.json()["execution"]["executionId"] for answer in starts}) == 1
    assert starts[0].headers["Location"].startswith("executions/")


def test_the_version_of_a_plan_that_was_saved_last_is_the_one_that_runs(services: Services) -> None:
    ran = []
    for plan in (NOTES, json.dumps(PERSON).encode(), NOTES):
        saved = services.send("PUT", "plans/versions", plan).json()["header"]["mapDigest"]
        started = services.send("POST", "executions", {"planId": "versions"}).json()["execution"]
        ran.append((saved, started["mapDigest"]))
    assert [saved for saved, _ in ran] == [digest for _, digest in ran]
    assert reason_of(services.send("POST", "executions", {"planId": "nowhere"})) == (404, "PLAN_NOT_FOUND")


def test_a_person_judges_what_they_saw(services: Services) -> None:
    execution_id = services.started(json.dumps(PERSON).encode(), "person")
    where = f"executions/{execution_id}/tasks/1"
    services.waits_for_a_person(execution_id, "1")
    seen = services.get(f"{where}/attempts/1")["artifact"]
    stale = {"digest": "0" * 64, "attempt": seen["attempt"]}
    assert reason_of(services.send("POST", f"{where}/approve", stale)) == (409, "CANDIDATE_CHANGED")
    assert reason_of(services.send("POST", f"{where}/approve", {})) == (400, "INVALID_FIELD")
    judged = {"digest": seen["digest"], "attempt": seen["attempt"], "person": "Ada", "reason": "say more"}
    assert services.send("POST", f"{where}/reject", judged).status_code == 200
    services.waits_for_a_person(execution_id, "1")
    again = services.get(f"{where}/attempts/2")["artifact"]
    difference = services.get(f"{where}/attempts/2/difference")
    assert (difference["before"], difference["after"]) == (1, 2)
    approved = {"digest": again["digest"], "attempt": 2, "person": "Ada"}
    assert services.send("POST", f"{where}/approve", approved).status_code == 200
    assert services.ended(execution_id)["counts"] == {"done": 1}
    assert reason_of(services.send("POST", f"{where}/approve", approved)) == (409, "WRONG_STATE")


def test_an_execution_is_paused_resumed_and_stopped(services: Services) -> None:
    execution_id = services.started(json.dumps(PERSON).encode(), "moves")
    where = f"executions/{execution_id}"
    paused = services.send("POST", f"{where}/pause", {"reason": "lunch"}).json()["execution"]
    assert (paused["state"], paused["reason"]) == ("EXECUTION_STATE_PAUSED", "lunch")
    assert services.send("POST", f"{where}/resume").json()["execution"]["state"] == "EXECUTION_STATE_RUNNING"
    budget = services.send("PUT", f"{where}/budget", {"budget": {"tokens": "9000"}}).json()["execution"]["budgets"]
    assert budget[0]["budget"] == {"tokens": "9000"}
    assert services.send("POST", f"{where}/stop").json()["execution"]["state"] == "EXECUTION_STATE_STOPPED"


# ---------------------------------------------------------------- contents


@pytest.mark.guard(name="contents are in a sandbox")
def test_an_artifact_comes_with_its_digest_and_in_a_sandbox(services: Services, finished: str) -> None:
    where = f"executions/{finished}/tasks/1_1/artifact"
    answer = services.client.get(where)
    tag = answer.headers["ETag"]
    assert tag == f'"{sha256(answer.content).hexdigest()}"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert services.client.get(where, headers={"If-None-Match": tag}).status_code == 304
    assert services.client.head(where).headers["Content-Length"] == str(len(answer.content))
    assert services.client.get(where, params={"download": "1"}).headers["Content-Disposition"].startswith("attachment")


def test_an_artifact_is_read_in_ranges(services: Services, finished: str) -> None:
    where = f"executions/{finished}/tasks/1_1/artifact"
    whole = services.client.get(where).content
    for header, expected in (("bytes=2-5", whole[2:6]), ("bytes=-7", whole[-7:]), ("bytes=10-", whole[10:])):
        answer = services.client.get(where, headers={"Range": header})
        assert (answer.status_code, answer.content) == (206, expected), header
    assert reason_of(services.client.get(where, headers={"Range": "bytes=999999-"})) == (416, "RANGE_NOT_SATISFIABLE")
    stale = {"Range": "bytes=2-5", "If-Range": '"another"'}
    assert services.client.get(where, headers=stale).content == whole


def test_all_results_come_as_one_zip_file(services: Services, finished: str) -> None:
    content = services.client.get(f"executions/{finished}/results.zip").content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        manifest = json.loads(file.read("manifest.json"))
        assert len(manifest["results"]) == 7
        for result in manifest["results"]:
            assert sha256(file.read(result["path"])).hexdigest() == result["digest"]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "executions/nothing", (404, "EXECUTION_NOT_FOUND")),
        ("GET", "executions/FINISHED/tasks/99", (404, "TASK_NOT_FOUND")),
        ("GET", "executions/FINISHED/tasks/1_1/attempts/9", (404, "CANDIDATE_NOT_FOUND")),
        ("GET", "executions/FINISHED/tasks/1_1/attempts/0", (400, "INVALID_FIELD")),
        ("GET", "executions/FINISHED/tasks/1_1/attempts/x", (400, "INVALID_FIELD")),
        ("GET", "plans/nothing", (404, "PLAN_NOT_FOUND")),
        ("GET", "plans/nothing/map", (404, "PLAN_NOT_FOUND")),
        ("POST", "executions/FINISHED/pause", (409, "WRONG_STATE")),
        ("POST", "executions/nothing/stop", (404, "EXECUTION_NOT_FOUND")),
        ("GET", "executions?pageSize=many", (400, "INVALID_FIELD")),
        ("GET", "executions?state=asleep", (400, "INVALID_FIELD")),
        ("GET", "executions?createdAfter=yesterday", (400, "INVALID_FIELD")),
        ("GET", "executions?planId=a&planId=b", (400, "INVALID_FIELD")),
        ("GET", "nothing", (404, "NOT_FOUND")),
        ("DELETE", "plans", (405, "METHOD_NOT_ALLOWED")),
    ],
)
def test_bad_input_gets_a_problem(
    services: Services, finished: str, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert reason_of(services.send(method, path.replace("FINISHED", finished))) == expected


@pytest.mark.guard(name="unknown fields are refused")
def test_an_unknown_field_is_named(services: Services) -> None:
    for body, field in (
        ({"planID": "x"}, "planID"),
        ({"settings": {"budget": {"token": 3}}}, "settings.budget.token"),
        ({"requestId": "x"}, "requestId"),
    ):
        answer = services.send("POST", "executions", body)
        assert reason_of(answer) == (400, "INVALID_FIELD")
        assert answer.json()["metadata"] == {"field": field}


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"planId": 3}', b'{"planId": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_message_is_refused(services: Services, body: bytes) -> None:
    assert reason_of(services.send("POST", "executions", body)) == (400, "INVALID_FIELD")


@pytest.mark.guard(name="bodies are bounded")
def test_a_large_body_is_refused(services: Services) -> None:
    body = b'{"reason": "' + b"x" * MOST_BODY + b'"}'
    assert reason_of(services.send("POST", "executions/x/pause", body)) == (413, "BODY_TOO_LARGE")
    with_inputs = b'{"planId": "' + b"x" * MOST_START + b'"}'
    assert reason_of(services.send("POST", "executions", with_inputs)) == (413, "BODY_TOO_LARGE")


def test_services_that_are_away_are_told_of(services: Services, folder: Any) -> None:
    from tests.support.servers import door

    away = door.Services(planner="127.0.0.1:9", runner="127.0.0.1:9", url=services.url, data_dir=services.data_dir)
    away.client.close()
    with door.door(away, folder) as address, door.client_of(f"http://{address}/") as client:
        answer = client.get("plans")
        assert reason_of(answer) == (503, "UNAVAILABLE")
        assert answer.headers["Retry-After"]
        assert client.get("health").json() == {"runner": "AWAY", "planner": "AWAY"}


def test_health_version_and_workers(services: Services) -> None:
    assert services.get("health") == {"runner": "SERVING", "planner": "SERVING"}
    assert services.get("version")["version"]
    assert {worker["role"] for worker in services.get("workers")["workers"]} >= {"WORKER_ROLE_EXECUTOR"}


# ---------------------------------------------------------------- the paths of the system that this one replaces


def test_the_four_old_paths_go_on_working(services: Services) -> None:
    def old(method: str, path: str, body: object = None) -> Any:
        answer = services.send(method, services.url + path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    made = old("POST", "api/execution/generate-from-plan", {"plan": json.loads(NOTES), "planId": "old"})
    assert (made["planId"], made["execution"]["plan_id"], len(made["execution"]["tasks"])) == ("old", "old", 7)
    assert old("GET", "api/execution?planId=old") == made
    layout = old("POST", "api/monitor/timetable", {"execution": made["execution"]})
    assert layout == services.get("plans/old/layout")
    started = old("POST", "api/execution/run")
    assert started["execution"]["planId"] == "old"
    services.ended(started["execution"]["executionId"])


def test_what_a_start_would_keep_is_told_before(services: Services) -> None:
    services.ended(services.started(plan_id="previewed"))
    told = services.send("POST", "executions/preview", {"planId": "previewed"})
    assert told.status_code == 200
    kept = told.json()["kept"]
    assert told.json() == {"kept": kept}
    anew = {"planId": "previewed", "settings": {"reuse": False}, "maxTasks": 1}
    found = services.send("POST", "executions/preview", anew).json()
    assert (found["toMake"], len(found["tasks"]), found["tasks"][0]["work"]) == (kept, 1, "PREVIEWED_WORK_MAKE")
    assert found["tasks"][0]["changes"] == ["asked for anew"]
    wrong = {"planId": "previewed", "settings": {"freshTaskIds": ["nope"]}}
    assert reason_of(services.send("POST", "executions/preview", wrong)) == (404, "TASK_NOT_FOUND")
    assert reason_of(services.send("POST", "executions/preview", {"planId": "nowhere"})) == (404, "PLAN_NOT_FOUND")

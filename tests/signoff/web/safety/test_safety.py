"""The rules of safety: foreign hosts and pages, requests without the token, commands at a read-only door."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from signoff.errors import ConfigurationError
from signoff.web.api.table import ENDPOINTS
from signoff.web.door import DoorSettings, rules_of
from signoff.web.safety.hosts import AllowedHosts
from signoff.web.safety.tokens import Token, read_token
from tests.signoff.web.conftest import TOKEN
from tests.support.servers import door
from tests.support.servers.door import JSON, Services


@pytest.mark.guard(name="only known hosts")
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.7"])
def test_a_foreign_name_that_leads_here_is_refused(services: Services, host: str) -> None:
    answer = services.client.get("version", headers={"Host": host})
    assert (answer.status_code, answer.json()["reason"]) == (403, "HOST_NOT_ALLOWED")
    assert services.client.get(services.url, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "LOCALHOST:8300", "127.0.0.2:1", "[::1]:8300", "a.localhost"]
)
def test_loopback_names_are_known(services: Services, host: str) -> None:
    assert services.client.get("version", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("netloc", ["", "user@localhost", "localhost/x", "localhost:99999", "localhost:x", "[::1"])
def test_texts_that_are_no_host_are_refused(netloc: str) -> None:
    assert not AllowedHosts().has(netloc)


@pytest.mark.guard(name="only pages of this door")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost:3000", "Host": "localhost:8300"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(services: Services, headers: dict[str, str]) -> None:
    before = execution_ids(services)
    answer = services.send("POST", "executions", {}, **headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert execution_ids(services) == before


def execution_ids(services: Services) -> list[str]:
    """Returns what is stored; executions of tests before this one may still move."""
    return [execution["executionId"] for execution in services.get("executions").get("executions", [])]


def test_the_page_of_this_door_may_send(services: Services) -> None:
    origin = services.url.rstrip("/")
    assert services.send("POST", "plans/check", {}, Origin=origin).status_code == 200
    own = {"Host": "localhost:8300", "Origin": "http://localhost:8300", "Sec-Fetch-Site": "same-origin"}
    assert services.send("POST", "plans/check", {}, **own).status_code == 200


@pytest.mark.guard(name="only JSON is taken")
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_changes_nothing(services: Services, kind: str) -> None:
    answer = services.client.post("executions", content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["reason"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


# ---------------------------------------------------------------- the token


def settings_at(address: str) -> DoorSettings:
    return DoorSettings.model_validate({"address": address})


@pytest.mark.guard(name="other addresses need a token")
@pytest.mark.parametrize("address", ["0.0.0.0:8300", "[::]:0", "192.0.2.7:80", "example.org:80"])
def test_an_address_that_others_reach_needs_a_token(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNOFF_UI_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match=r"expected a loopback address, or a token, but got .*_TOKEN"):
        rules_of(settings_at(address))
    monkeypatch.setenv("SIGNOFF_UI_TOKEN", TOKEN)
    assert rules_of(settings_at(address)).token == Token(TOKEN)


@pytest.mark.parametrize("text", ["short", "with spaces in it, and long", "ünïcödé-ünïcödé-ünïcödé"])
def test_a_token_that_could_be_guessed_or_mistyped_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="expected a token of at least 16"):
        read_token(file)


def test_the_token_is_in_no_description_of_the_rules() -> None:
    assert TOKEN not in repr(Token(TOKEN)) + Token(TOKEN).cookie


@pytest.mark.guard(name="the token is required")
@pytest.mark.guard(name="the token is compared whole")
def test_without_the_token_only_the_sign_in_is_open(protected: str) -> None:
    with httpx.Client(base_url=f"http://{protected}", trust_env=False) as client:
        for path in ("/api/v1/version", "/api/v1/plans", "/api/v1/events?execution=x", "/api/openapi.json"):
            for headers in ({}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Cookie": "signoff_session=" + TOKEN}):
                answer = client.get(path, headers=headers)
                assert (answer.status_code, answer.json()["reason"]) == (401, "TOKEN_REQUIRED"), (path, headers)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert client.get(f"/api/v1/version?token={TOKEN}").status_code == 401
        assert client.get("/api/v1/session").json() == {"required": True, "signedIn": False, "readOnly": False}
        assert client.get("/api/v1/health").status_code == 200
        assert client.get("/").status_code == 200
        assert client.get("/api/v1/version", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_browser_turns_the_token_into_a_cookie_that_no_script_reads(protected: str) -> None:
    with httpx.Client(base_url=f"http://{protected}", trust_env=False) as client:
        assert client.post("/signoff/api/v1/session", json={"token": "another"}).json()["reason"] == "TOKEN_WRONG"
        answer = client.post("/signoff/api/v1/session", json={"token": TOKEN})
        cookie = answer.headers["Set-Cookie"]
        assert answer.json() == {"required": True, "signedIn": True, "readOnly": False}
        assert {"HttpOnly", "SameSite=strict", "Path=/signoff"} <= {part.strip() for part in cookie.split(";")}
        assert TOKEN not in cookie
        assert client.get("/signoff/api/v1/version").status_code == 200
        client.delete("/signoff/api/v1/session", headers=JSON)
        client.cookies.clear()
        assert client.get("/signoff/api/v1/version").status_code == 401


def test_behind_a_proxy_with_https_the_cookie_is_secure(protected: str) -> None:
    headers = {"Origin": "https://signoff.example", "Host": "signoff.example"}
    with httpx.Client(base_url=f"http://{protected}", trust_env=False) as client:
        answer = client.post("/signoff/api/v1/session", json={"token": TOKEN}, headers=headers)
        assert "Secure" in answer.headers["Set-Cookie"]


def test_a_door_with_a_prefix_works_with_and_without_it(protected: str) -> None:
    with httpx.Client(base_url=f"http://{protected}", trust_env=False) as client:
        assert client.get("/signoff").headers["Location"] == "/signoff/"
        assert b'<base href="/signoff/">' in client.get("/signoff/").content
        assert b'<base href="/signoff/">' in client.get("/signoff/runs/some/deep/link").content
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/signoff/api/openapi.json", headers=headers).json()["servers"] == [{"url": "/signoff"}]
        assert client.get("/api/v1/version", headers=headers).status_code == 200


# ---------------------------------------------------------------- read-only


@pytest.mark.guard(name="read-only changes nothing")
def test_a_read_only_door_answers_questions_and_refuses_commands(
    services: Services, finished: str, folder: Path
) -> None:
    ids = {"planId": "notes", "executionId": finished, "taskId": "1_1", "attempt": "1"}
    with door.door(services, folder, "--read-only") as address, httpx.Client(trust_env=False) as client:
        for endpoint in (one for one in ENDPOINTS if one.method != "GET"):
            url = f"http://{address}{endpoint.path.format(**ids)}"
            headers = {"Content-Type": endpoint.takes} if isinstance(endpoint.takes, str) else JSON
            answer = client.request(endpoint.method, url, content=b'{"token": "x"}', headers=headers)
            is_refused = answer.status_code == 403 and answer.json()["reason"] == "READ_ONLY"
            assert is_refused == endpoint.changes, (endpoint.name, answer.text)
        assert client.get(f"http://{address}/api/v1/executions/{finished}").status_code == 200
        assert client.get(f"http://{address}/api/v1/session").json()["readOnly"] is True


def test_each_endpoint_that_is_no_question_says_whether_it_changes_something() -> None:
    silent = {one.name for one in ENDPOINTS if one.method != "GET" and not one.changes}
    assert silent == {"check_plan", "create_session", "end_session", "preview_execution"}
    assert not [one.name for one in ENDPOINTS if one.method == "GET" and one.changes]


# ---------------------------------------------------------------- headers


def test_every_answer_tells_the_browser_what_it_may_do(services: Services, finished: str) -> None:
    for path in (services.url, "plans", "nothing", f"executions/{finished}/tasks/1_1/artifact"):
        headers = services.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Server" not in headers
    policy = services.client.get(services.url).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy

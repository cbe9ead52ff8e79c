"""The environment of a process: proxies, certificates, and addresses of this machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from signoff.errors import ConfigurationError
from signoff.service.environment import check_proxy_variables, host_of, is_loopback, python_command

AWAY = "https://api.example.com/v1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "models.localhost"])
def test_this_machine_is_known_by_all_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "api.example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.nip.io", "0.0.0.0"]
)
def test_other_machines_are_not_taken_for_it(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1:50052", "127.0.0.1"),
        ("[::1]:50052", "[::1]"),
        ("dns:///localhost:1", "localhost"),
        ("ipv4:127.0.0.1:1", "127.0.0.1"),
        ("unix:/tmp/socket", ""),
        ("runner", "runner"),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.guard(name="broken variables are named at the start")
@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "ALL_PROXY",
            "socks://secret@host:1",
            "ALL_PROXY: expected a proxy such as http://host:port, but got one that",
        ),
        ("https_proxy", "ftp://host", "https_proxy: expected a proxy"),
        ("http_proxy", "socks4://host", "begins with socks4://"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(variable: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_proxy_variables(AWAY, {variable: value})
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
    check_proxy_variables("http://127.0.0.1:8000/v1", {variable: value})


@pytest.mark.parametrize(("variable", "what"), [("SSL_CERT_FILE", "file"), ("SSL_CERT_DIR", "folder")])
def test_certificates_that_are_not_there_are_named(variable: str, what: str, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(ConfigurationError) as caught:
        check_proxy_variables(AWAY, {variable: str(missing)})
    assert str(caught.value) == f"{variable}: expected a {what} of certificates, but there is none at {missing}"
    missing.mkdir() if what == "folder" else missing.touch()
    check_proxy_variables(AWAY, {variable: str(missing)})


@pytest.mark.parametrize("value", ["", " ", "http://proxy:3128", "https://user:password@proxy:3128", "proxy:3128"])
def test_variables_that_are_empty_or_usual_are_fine(value: str) -> None:
    check_proxy_variables(AWAY, {name: value.strip() for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY")})


def test_a_module_is_run_without_the_working_directory_in_its_path() -> None:
    assert python_command("worker_svc", "--x")[1:] == ("-P", "-m", "worker_svc", "--x")

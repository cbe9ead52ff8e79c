"""docker-compose.yml starts services with flags that they accept, and they find each other."""

from __future__ import annotations

import os
import tomllib
from typing import cast

import pytest

from runner_svc.settings import RunnerSettings
from signoff.rpc.addresses import addresses_in
from signoff.service.process import ListeningSettings, ServiceSettings
from tests.deploy.files import ROOT, Service, composed, module_of, program, seconds, settings_of
from worker_svc.__main__ import WorkerSettings, handler_of

SERVICES = ("planner", "runner", "executor", "validator")
WORKERS = ("executor", "validator")


def read(service: Service, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """Returns the settings of a container, in an environment that is the container's alone."""
    for name in list(os.environ):
        if name.startswith(("SIGNOFF_", "OPENAI_")):
            monkeypatch.delenv(name)
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value)
    return settings_of(service)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_compose_accepts_the_file() -> None:
    checked = program("docker-compose", "config", "--quiet")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_it_has_the_four_parts() -> None:
    assert set(composed()) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_every_process_accepts_its_flags_and_its_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = composed()[name]
    settings = read(service, monkeypatch)
    assert settings.log_format == "json"
    prefix = str(settings.model_config["env_prefix"])
    own = {f"{prefix}{field}".upper() for field in type(settings).model_fields}
    others = {"SIGNOFF_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"}
    assert set(service["environment"]) <= own | others, "a variable that no service reads"


@pytest.mark.parametrize("name", ["planner", "runner"])
def test_what_listens_can_be_reached_from_other_containers_and_from_this_machine_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = composed()[name]
    settings = cast(ListeningSettings, read(service, monkeypatch))
    assert settings.address.startswith("0.0.0.0:")
    metrics = [settings.metrics] if isinstance(settings, RunnerSettings) else []
    assert all(address.startswith("0.0.0.0:") for address in metrics)
    listening = [port_of(address) for address in (settings.address, *metrics)]
    assert [published["target"] for published in service["ports"]] == listening
    assert {published["host_ip"] for published in service["ports"]} == {"127.0.0.1"}


def test_the_runner_finds_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = cast(RunnerSettings, read(composed()["runner"], monkeypatch))
    planner = cast(ListeningSettings, read(composed()["planner"], monkeypatch))
    assert runner.planner == f"planner:{port_of(planner.address)}"


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_finds_the_runner_and_has_its_role(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = cast(WorkerSettings, read(composed()[name], monkeypatch))
    runner = cast(ListeningSettings, read(composed()["runner"], monkeypatch))
    assert worker.runner == f"runner:{port_of(runner.address)}"
    assert worker.role == name


@pytest.mark.parametrize("name", WORKERS)
def test_replicas_of_a_worker_do_not_share_a_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = composed()[name]
    assert cast(WorkerSettings, read(service, monkeypatch)).name == ""
    assert not {"container_name", "hostname", "ports"} & set(service), "it could not be scaled"


@pytest.mark.parametrize("name", WORKERS)
async def test_without_a_model_named_the_mock_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = composed()[name]
    settings = cast(WorkerSettings, read(service, monkeypatch))
    assert service["environment"]["SIGNOFF_MODEL"] == "mock"
    await handler_of(settings, slots=1).close()


def test_a_model_of_the_environment_reaches_every_worker() -> None:
    chosen = {"SIGNOFF_MODEL": "m", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://models:8000/v1"}
    for name in WORKERS:
        assert chosen.items() <= composed(**chosen)[name]["environment"].items()


def test_planner_and_runner_keep_their_data_in_one_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("planner", "runner"):
        service = composed()[name]
        (volume,) = service["volumes"]
        assert (volume["type"], volume["source"]) == ("volume", "data")
        assert volume["target"] == str(read(service, monkeypatch).model_dump()["data_dir"])


def test_nothing_else_keeps_anything() -> None:
    assert not [name for name in WORKERS if composed()[name].get("volumes")]


@pytest.mark.parametrize(("name", "after"), [("runner", "planner"), ("executor", "runner"), ("validator", "runner")])
def test_a_part_starts_when_what_it_needs_is_well(name: str, after: str) -> None:
    assert composed()[name]["depends_on"][after]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", ["planner", "runner"])
def test_health_is_asked_where_the_service_listens(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = composed()[name]
    settings = cast(ListeningSettings, read(service, monkeypatch))
    address = f"127.0.0.1:{port_of(settings.address)}"
    alive = ["--alive"] if name == "runner" else []  # it may stand by
    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "signoff.health", *alive, address]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_time_to_end_in_order(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = composed()[name]
    grace = float(read(service, monkeypatch).model_dump()["grace"])
    needed = 2 * grace if module_of(service) == "runner_svc" else grace  # for its workers, then for its files
    assert seconds(service["stop_grace_period"]) > needed + 5


@pytest.mark.parametrize("name", SERVICES)
def test_all_parts_are_one_image_of_this_version(name: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert composed()[name]["image"] == f"signoff:{version}"


# ---------------------------------------------------------------- with a runner that stands by

STANDBY = {
    "COMPOSE_PROFILES": "standby",
    "SIGNOFF_RUNNER_STORE": "postgresql://signoff:signoff@database/signoff",
    "SIGNOFF_WORKER_RUNNER": "runner:50052,standby:50052",
}


def test_the_variables_of_the_profile_are_those_that_the_file_and_the_guide_name() -> None:
    for page in ("docker-compose.yml", "docs/how-to/services.md"):
        said = (ROOT / page).read_text()
        assert all(f"export {name}={value}" in said for name, value in STANDBY.items() if name.startswith("SIGNOFF_"))
        assert "docker compose --profile standby up" in said


def test_the_profile_adds_a_second_runner_and_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    services = composed(**STANDBY)
    assert set(services) == {*SERVICES, "standby", "database"}
    runners = [cast(RunnerSettings, read(services[name], monkeypatch)) for name in ("runner", "standby")]
    assert runners[0] == runners[1]
    assert runners[0].stand_by
    assert runners[0].store.get_secret_value() == STANDBY["SIGNOFF_RUNNER_STORE"]
    assert runners[0].store.get_secret_value().startswith("postgresql://signoff:")
    database = services["database"]["environment"]
    assert (database["POSTGRES_USER"], database["POSTGRES_PASSWORD"]) == ("signoff", "signoff")


def test_workers_of_the_profile_know_both_runners(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WORKERS:
        worker = cast(WorkerSettings, read(composed(**STANDBY)[name], monkeypatch))
        assert addresses_in(worker.runner) == ("runner:50052", "standby:50052")


def test_the_two_runners_of_the_profile_are_found_at_different_ports_of_this_machine() -> None:
    services = composed(**STANDBY)
    published = [port["published"] for name in ("planner", "runner", "standby") for port in services[name]["ports"]]
    assert len(published) == len(set(published))
    assert "ports" not in services["database"]

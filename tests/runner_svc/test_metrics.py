"""The page for Prometheus, read over HTTP and parsed as Prometheus parses it."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runner_svc.metrics import metrics_served
from runner_svc.prices import Price, Prices
from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.support.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.runner import PlannerOfTexts, Running, running

SPECS = {
    "known": plan_pb2.TaskSpec(
        validation=plan_pb2.Validation(criteria=["good"], canaries=[plan_pb2.Canary(candidate="bad", good=False)])
    )
}
PRICES = Prices("EUR", {"m": Price(input=1000.0, output=2000.0)})
Page = dict[str, float]


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(PlannerOfTexts(SPECS, knowing="known; next <- known"), tmp_path, prices=PRICES) as up:
        yield up


async def page(address: str) -> Page:
    """Every sample, as "name{label=value,…}"."""

    def read() -> str:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    samples: Page = {}
    for family in text_string_to_metric_families(await asyncio.to_thread(read)):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}"] = sample.value
    return samples


async def test_the_page_shows_workers_work_costs_and_canaries(runner: Running) -> None:
    async with metrics_served(runner.engine, "127.0.0.1:0") as address:
        settings = execution_pb2.ExecutionSettings(canary_rate=1)
        await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id="knowing", settings=settings))
        async with (
            raw_worker(runner, EXECUTOR, "w1", slots=3) as executor,
            raw_worker(runner, VALIDATOR, "v1", models=["judge-1"]) as validator,
        ):
            made = await executor.assigned()
            await executor.say(
                usage=worker_pb2.Usage(lease_id=made.lease_id, model="m", input_tokens=5, output_tokens=2, requests=1)
            )
            await executor.make(made)
            await validator.judge(await validator.assigned(), execution_pb2.OUTCOME_PASS)
            await validator.assigned()
            seen = await page(address)
    assert {name: value for name, value in seen.items() if value and not name.startswith("process_")} == {
        "signoff_workers{role=executor}": 1,
        "signoff_workers{role=validator}": 1,
        "signoff_slots{role=executor}": 3,
        "signoff_slots{role=validator}": 1,
        "signoff_leases{role=validator}": 1,
        "signoff_executions{state=running}": 1,
        "signoff_tasks{status=undone}": 1,
        "signoff_tasks{status=validating}": 1,
        "signoff_tokens_total{direction=input,model=m,phase=execute}": 5,
        "signoff_tokens_total{direction=output,model=m,phase=execute}": 2,
        "signoff_cost_total{currency=EUR,model=m,phase=execute}": pytest.approx(0.009),
        "signoff_canaries_total{known=bad,labels=,model=judge-1,verdict=pass}": 1,
    }
    assert any(name.startswith("process_cpu_seconds_total") for name in seen)


async def test_a_runner_that_does_not_answer_shows_no_figures(runner: Running) -> None:
    for loop in runner.loops:
        loop.cancel()
    await asyncio.gather(*runner.loops, return_exceptions=True)
    async with metrics_served(runner.engine, "127.0.0.1:0") as address:
        seen = await page(address)
    assert not [name for name in seen if name.startswith("signoff_")]


@pytest.mark.parametrize("address", ["9464", "127.0.0.1:", "127.0.0.1:99999", ":9464", "127.0.0.1:http"])
async def test_an_address_that_is_none_is_refused(runner: Running, address: str) -> None:
    with pytest.raises(ConfigurationError, match="expected host:port for the metrics"):
        async with metrics_served(runner.engine, address):
            pass


async def test_an_address_that_is_in_use_is_refused(runner: Running) -> None:
    async with metrics_served(runner.engine, "127.0.0.1:0") as address:
        with pytest.raises(ConfigurationError, match=f"cannot serve metrics at {address}: Address already in use"):
            async with metrics_served(runner.engine, address):
                pass

"""The page for Prometheus, read over HTTP and parsed as Prometheus parses it."""

from __future__ import annotations

import asyncio
import gzip
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from runner_svc.core.model.tallies import Pool, Tally
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import Away, ModelAt, Phase
from runner_svc.prices import Price, Prices
from runner_svc.publish.metrics import Figures, metrics_served, page_of
from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

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
    """Returns every sample, as "name{label=value,…}"."""

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
                usage=worker_pb2.Usage(
                    lease_id=made.lease_id, model="m", input_tokens=5, output_tokens=2, requests=1,
                    cached_input_tokens=4, reasoning_tokens=1, estimated_input_tokens=3, estimated_output_tokens=6,
                )
            )  # fmt: skip
            await executor.say(usage=worker_pb2.Usage(lease_id=made.lease_id, model="new", estimated_input_tokens=9))
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
        "signoff_cached_input_tokens_total{model=m,phase=execute}": 4,
        "signoff_reasoning_tokens_total{model=m,phase=execute}": 1,
        "signoff_estimated_tokens{direction=input,model=m,phase=execute}": 3,
        "signoff_estimated_tokens{direction=output,model=m,phase=execute}": 6,
        "signoff_estimated_cost{currency=EUR,model=m,phase=execute}": pytest.approx(0.015),
        "signoff_estimated_tokens{direction=input,model=new,phase=execute}": 9,
        "signoff_unpriced_tokens{model=new,phase=execute}": 9,
        "signoff_canaries_total{known=bad,labels=,model=judge-1,verdict=pass}": 1,
        "signoff_canaries_wrong_share_low{known=bad,labels=,model=judge-1}": pytest.approx(0.2065, abs=1e-4),
        "signoff_canaries_wrong_share_high{known=bad,labels=,model=judge-1}": 1,
    }
    assert any(name.startswith("process_cpu_seconds_total") for name in seen)


async def test_a_runner_that_does_not_answer_shows_no_figures(runner: Running) -> None:
    for loop in runner.loops:
        loop.cancel()
    await asyncio.gather(*runner.loops, return_exceptions=True)
    async with metrics_served(runner.engine, "127.0.0.1:0") as address:
        seen = await page(address)
    assert not [name for name in seen if name.startswith("signoff_")]


# ---------------------------------------------------------------- values of every kind

ODD = ["", "a\nb", 'say "no"', "back\\slash", "half \ud83d", "nul \0", "\x1b[31mred", "研究", "x" * 5_000]
TOTAL = Usage(input_tokens=2**64, output_tokens=10**400, requests=1, cost_nanos=10**400, unpriced_tokens=-1)


@pytest.mark.guard(name="labels that a page can carry")
@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0", "text/plain;version=what"])
def test_no_value_keeps_the_page_from_being_read(accept: str) -> None:
    pools = [(Pool(model=name, labels=frozenset({(name, name)})), Tally(good=2**70, bad=10**400)) for name in ODD]
    usage = {name: {(Phase.EXECUTE, name): TOTAL} for name in ODD}
    answer = page_of(figures(usage=usage, canaries=pools), {"accept": accept})
    parse = openmetrics_families if "openmetrics" in answer.kind else text_string_to_metric_families
    shown = {
        sample.labels["model"]
        for family in parse(answer.body.decode())
        for sample in family.samples
        if "model" in sample.labels
    }
    assert len(shown) == len(ODD)
    assert {"", 'say "no"', "back\\slash", "half \ufffd", "nul \ufffd", "\ufffd[31mred", "研究", "x" * 256} < shown


def test_a_model_that_is_away_is_shown_with_the_moment_since_when() -> None:
    away = Away(
        model=ModelAt("m", "http://h/v1"), since=1_700_000_000.5, tries=3, next_try=1_700_000_010.0, message="no"
    )
    body = page_of(figures(outages=(away,)), {}).body.decode()
    shown = 'signoff_model_away_since_seconds{endpoint="http://h/v1",model="m"} 1.7000000005e+09'
    assert shown in body.splitlines()


def test_models_that_look_the_same_on_the_page_are_one_series() -> None:
    usage = {"EUR": {(Phase.EXECUTE, "m" * 256 + end): Usage(input_tokens=3) for end in "ab"}}
    body = page_of(figures(usage=usage), {}).body.decode()
    tokens = [line for line in body.splitlines() if line.startswith("signoff_tokens_total") and "input" in line]
    assert [line.rpartition(" ")[2] for line in tokens] == ["6.0"]


def figures(**known: Any) -> Figures:
    nothing: dict[str, Any] = {name: Counter() for name in ("workers", "slots", "leases", "executions", "tasks")}
    return Figures(**{**nothing, "usage": {}, "canaries": (), **known})


async def test_a_page_may_be_compressed_on_its_way(runner: Running) -> None:
    async with metrics_served(runner.engine, "127.0.0.1:0") as address:
        request = urllib.request.Request(f"http://{address}/metrics", headers={"Accept-Encoding": "gzip"})
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=10) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert b"signoff_workers" in gzip.decompress(answer.read())


# ---------------------------------------------------------------- the address


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

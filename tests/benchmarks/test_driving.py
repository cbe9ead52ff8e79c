"""No engine wins by cheating, and the use of a run is the use of its processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from benchmarks import dag
from benchmarks.driving import BrokenRun, Result, Stopwatch, body, waits_ms
from benchmarks.meter import Meter, Process, family, resident_kib, short_name
from benchmarks.ours.executions import check_events, flight_of
from benchmarks.sample import Sample, rates, sample_from_json
from benchmarks.shapes import Node, chain, fan_out, layers
from signoff.v1 import execution_pb2


def at(*times: float) -> dict[str, Result]:
    return {f"t{number}": {"ok": True, "id": f"t{number}", "t": time} for number, time in enumerate(times)}


def test_a_node_waits_from_the_last_of_its_dependencies() -> None:
    assert waits_ms(chain(3), at(10.5, 11.0, 13.0), started=10.0) == pytest.approx([500, 500, 2000])


def test_a_missing_result_is_no_result() -> None:
    with pytest.raises(BrokenRun, match="1 are missing, first t1"):
        waits_ms(chain(2), at(10.0), started=10.0)


def test_a_task_before_its_dependency_is_no_result() -> None:
    with pytest.raises(BrokenRun, match="t1 after all it depends on"):
        waits_ms(chain(2), at(12.0, 11.0), started=10.0)


async def test_a_graph_is_run_in_order_and_at_most_so_many_at_once() -> None:
    running, most = 0, 0

    async def step(node: Node) -> Result:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return body(node.id)

    nodes = layers(150)
    results = await dag.run(nodes, step, 5)
    assert len(waits_ms(nodes, results, started=0.0)) == 150
    assert most == 5


def test_a_stopwatch_counts_the_children_that_ran_meanwhile() -> None:
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    with Stopwatch() as watch:
        subprocess.run([sys.executable, "-c", busy], check=True)
    (driver,) = [process for process in watch.processes if process.name == "driver"]
    assert driver.cpu_seconds >= 0.15  # the kernel counts in hundredths
    assert driver.peak_mib > 1
    assert watch.seconds >= 0.2


def test_processes_that_are_gone_are_left_out() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    meter = Meter({ended.pid: "gone", os.getpid(): "here"})
    meter.begin()
    assert [process.name for process in meter.end()] == ["here"]
    assert resident_kib(ended.pid) == 0


def test_a_family_is_a_process_and_what_it_started() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        members = family(os.getpid())
        child.communicate(b"\n")
    assert members[os.getpid()] == "driver"
    assert child.pid in members


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["/usr/bin/python3", "-m", "runner_svc", "--x"], "runner_svc"),
        (["/usr/bin/redis-server 127.0.0.1:1"], "redis-server"),
        (["ray::IDLE"], "ray"),
        ([], "unnamed"),
    ],
)
def test_a_process_is_called_by_its_module_or_its_program(command: list[str], name: str) -> None:
    assert short_name(command) == name


def test_a_sample_is_the_same_after_its_way_through_json() -> None:
    process = Process(name="runner", cpu_seconds=1.5, peak_mib=60.0)
    sample = Sample(figures=rates(100, 0.5), processes=(process,), version="1", durable=True, note="n")
    assert sample_from_json(sample.to_json()) == sample
    assert sample.figures == {"seconds": 0.5, "tasks_per_second": 200.0, "ms_per_task": 5.0}


# ---------------------------------------------------------------- our own engine is checked by its journal

Event = execution_pb2.Event
ASSIGNED = execution_pb2.TaskAssigned(phase=execution_pb2.PHASE_EXECUTE)
MADE, PASSED = execution_pb2.CandidateStored(), execution_pb2.VerdictPassed()


def life(task_id: str) -> list[Event]:
    return [
        Event(task_id=task_id, task_assigned=ASSIGNED),
        Event(task_id=task_id, candidate_stored=MADE),
        Event(task_id=task_id, verdict_passed=PASSED),
    ]


def test_a_journal_with_every_task_made_and_passed_in_order_is_a_result() -> None:
    check_events(life("t0") + life("t1"), chain(2))


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (life("t1") + life("t0"), "t1 after all it depends on"),
        (life("t0"), "expected 2 candidates and passes, but got 1 and 1"),
        (life("t0") + life("t1")[:2], "got 2 and 1"),
        (life("t0") + life("t1") + [Event(task_id="t1", verdict_passed=PASSED)], "expected one pass of t1"),
        (life("t0") + life("t0")[:2], "expected one candidate of t0"),
    ],
)
def test_a_journal_that_leaves_something_out_is_none(events: list[Event], words: str) -> None:
    with pytest.raises(BrokenRun, match=words):
        check_events(events, chain(2))


def test_tasks_in_flight_are_those_assigned_and_not_yet_made() -> None:
    lives = [life(node.id) for node in fan_out(3)]
    events = [event for number in range(3) for event in (one[number] for one in lives)]
    assert flight_of(events).most == 3
    assert flight_of(event for one in lives for event in one).most == 1

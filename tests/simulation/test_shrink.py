"""A scenario that fails becomes a small one that fails in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner_svc.core.decide import on_report
from runner_svc.core.decide.turn import Turn
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model import signals
from tests.simulation.many import silenced
from tests.simulation.scenario import Fault, Scenario, Start, Watch, draw, from_json
from tests.simulation.shrink import kind_of, shrink, smaller
from tests.simulation.world import World

BROKEN = Path(__file__).with_name("broken")  # scenarios that a runner without a certain guard does not survive


def _start() -> Start:
    return Start(at=3.0, settings={"max_failures": 1})


def test_what_a_failure_does_not_need_is_taken_away() -> None:
    def failure(scenario: Scenario) -> str:
        kinds = {fault.kind for fault in scenario.faults}
        needs = kinds >= {"line breaks", "stop"} and "b <- a" in scenario.plan and "w2" in scenario.workers
        return "both at once" if needs else ""

    faults = [Fault(at=float(n), kind=kind, who=who) for n, (kind, who) in enumerate(
        [("pause", "0"), ("line breaks", "w2"), ("runner dies", ""), ("stop", "1"), ("resume", "1"), ("retry", "0")]
    )]  # fmt: skip
    watch = Watch(execution=0, delay=0.0, snapshot=True, pace=0.0)
    scenario = Scenario(
        seed=1, plan="a; b <- a; c <- b", executions=[_start(), _start()], watchers=[watch], faults=faults,
        checkpoint_every=3,
    )  # fmt: skip
    found = shrink(scenario, failure)
    assert [(fault.kind, fault.who) for fault in found.faults] == [("line breaks", "w2"), ("stop", "0")]
    assert (found.plan, tuple(found.workers), tuple(found.watchers)) == ("a; b <- a", ("w2", "v2"), ())
    assert found.executions == [Start(at=0.0, settings={})]
    assert found.checkpoint_every == 5000


def test_another_failure_is_not_the_same() -> None:
    scenario = Scenario(seed=1, plan="a", faults=[Fault(at=1.0, kind="pause", who="0"), Fault(at=2.0, kind="stop")])
    found = shrink(scenario, lambda candidate: f"{len(candidate.faults)} faults")
    assert len(found.faults) == 2


def test_somebody_is_left_to_do_the_work() -> None:
    lost = Fault(at=1.0, kind="worker is lost", who="v2")
    scenario = Scenario(seed=1, plan="a", workers=("w1", "v1", "v2"), faults=[lost])
    assert shrink(scenario, lambda candidate: "lost" if lost in candidate.faults else "").workers == scenario.workers


def test_every_cut_of_a_scenario_makes_a_world() -> None:
    for scenario in smaller(draw(5)):
        World(scenario)


def test_what_is_broken_is_found_and_shrunk_to_the_fault_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unfenced(turn: Turn, signal: signals.AboutLease) -> LiveLease | None:
        return turn.state.roster.leases.get(signal.lease)

    monkeypatch.setattr(on_report, "_held", unfenced)
    scenario = from_json((BROKEN / "forgeries_among_others.json").read_text())
    assert len(scenario.faults) > 1
    with silenced():
        assert [fault.kind for fault in shrink(scenario).faults] == ["forgeries"]


def test_a_kind_of_failure_is_its_error_and_where_it_came_up() -> None:
    with pytest.raises(AssertionError) as caught:
        shrink(Scenario(seed=1, plan="a"), lambda _: "")
    assert kind_of(caught.value) == "AssertionError in shrink.py:shrink"

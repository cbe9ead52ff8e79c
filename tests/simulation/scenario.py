"""Scenarios: the parts of a world and its faults. One follows from a seed, and can be stored as JSON and shrunk."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.simulation.nature import bugs
from tests.simulation.nature.crashing import FILE_POINTS, POINTS
from tests.simulation.players import liar, models
from tests.support.values.maps import map_of

PLANS = (
    "a; b <- a; c <- a; d <- b, c",
    "g/a[p]; g/b <- a; h/c(p) <- g; h/d <- g; e <- h; f",
    "g/h/a; g/h/b; g/c <- k/x; k/x; k/y <- x; z <- g, k",
    "; ".join(f"t{n}" for n in range(8)),
)
PERSON = "ada"  # who judges
WORKERS = ("w1", "w2", "v1", "v2")  #: executors and validators
CHAOS = 150.0  #: virtual seconds in which faults begin
ORDERS = ("pause", "resume", "stop", "retry")  #: faults that are commands of people
AMPLE = 10.0**9  # tokens: nothing is ever held back for want of them, but all is reserved and settled
OUTAGE = 600.0  #: the judge's worst, in virtual seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that happens to a world. faults.py says what each kind does, and which fields it reads."""

    at: float  #: virtual seconds from the start
    kind: str
    who: str = ""  #: a worker, or the number of an execution or a watcher
    how: str = ""
    seconds: float = 0.0  #: how long it lasts, or how long until it is mended
    rate: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An execution that a person starts."""

    at: float
    settings: Mapping[str, float]  #: of ExecutionSettings; times in seconds
    edition: int = 0  #: how often the plan was edited before
    until: Sequence[str] = ()  #: the only tasks that are asked for, with what they need; empty: all


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A watcher of an execution, from its beginning or from a snapshot on."""

    execution: int
    delay: float  #: virtual seconds from the start of the execution
    snapshot: bool
    pace: float  #: most seconds that the watcher takes for one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The description of a world before it begins."""

    seed: int  #: of all that is drawn while the world goes on
    plan: str  #: as tests.support.values.maps reads it
    workers: Sequence[str] = WORKERS
    executions: Sequence[Start] = ()
    watchers: Sequence[Watch] = ()
    faults: Sequence[Fault] = ()
    checkpoint_every: int = 5000  #: events
    queue_limit: int = 20_000  #: events that may wait for one watcher
    max_stream_age: float = 0.0  #: seconds; 0: streams are not rotated
    people: bool = False  #: every second task asks for a person's verdict
    files: bool = False  #: some tasks make results of several files


def to_json(scenario: Scenario) -> str:
    """Returns a scenario as JSON: one line a fault, without values that are the defaults."""
    members = {name: value for name, value in asdict(scenario).items() if value != _USUAL.get(name)}
    members["faults"] = [_short(fault) for fault in scenario.faults]
    lines = [f"  {json.dumps(name)}: {_lines(value)}" for name, value in members.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


_USUAL = asdict(Scenario(seed=0, plan="")) | {"seed": None, "plan": None}


def _short(fault: Fault) -> dict[str, Any]:
    usual = {"who": "", "how": "", "seconds": 0.0, "rate": 1.0}
    return {name: value for name, value in asdict(fault).items() if value != usual.get(name)}


def _lines(value: Any) -> str:
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
    return json.dumps(value)


def from_json(text: str) -> Scenario:
    members = json.loads(text)
    for name, kind in (("executions", Start), ("watchers", Watch), ("faults", Fault)):
        members[name] = tuple(kind(**part) for part in members.get(name, ()))
    members["executions"] = tuple(replace(start, until=tuple(start.until)) for start in members["executions"])
    return Scenario(**members)


# ---------------------------------------------------------------- by a seed


def draw(seed: int) -> Scenario:
    """Draws the scenario of a seed, with a few kinds of faults or all ("swarm testing", Groce et al., ISSTA 2012)."""
    chance = random.Random(seed)
    plan = chance.choice(PLANS)
    rates = random.Random(f"{seed} canaries")
    starts = [_start(chance, rates, n) for n in range(chance.choice((1, 2, 2, 3)))]
    executions = _in_part(seed, plan, _edited(seed, starts))
    watchers = tuple(_watch(chance, len(executions)) for _ in range(chance.randrange(3)))
    usual = [kind for kind in DRAWN if kind not in (*models.LATER, *OF_FILES, *OF_CLOCKS)]
    kinds = [kind for kind in usual if chance.random() < 0.4] + [chance.choice(usual), "runner dies"]
    count = chance.choice((4, 10, 25))
    about = _World(chance, plan, len(executions), len(watchers))
    others = _World(random.Random(f"{seed} retries"), plan, len(executions), len(watchers))
    drawn = [_fault(about, kinds) for _ in range(count)]
    drawn += [_fault(others, models.LATER) for _ in range(others.chance.choice((0, 0, 1, 2)))]
    makers = _World(random.Random(f"{seed} files"), plan, len(executions), len(watchers))
    files = makers.chance.random() < 0.3
    drawn += [_fault(makers, OF_FILES) for _ in range(makers.chance.choice((0, 1, 2, 5)) if files else 0)]
    clocks = _World(random.Random(f"{seed} clock"), plan, len(executions), len(watchers))
    drawn += [_fault(clocks, OF_CLOCKS) for _ in range(clocks.chance.choice((0, 0, 0, 1, 3)))]
    faults = sorted(drawn, key=lambda fault: fault.at)
    return Scenario(
        seed=seed,
        plan=plan,
        executions=executions,
        watchers=watchers,
        faults=tuple(faults),
        checkpoint_every=chance.choice((5000, 20, 3)),
        queue_limit=chance.choice((20_000, 20_000, 3)),
        max_stream_age=chance.choice((0.0, 0.0, 0.0, 20.0, 45.0)),
        people=random.Random(f"{seed} people").random() < 0.3,
        files=files,
    )


def _edited(seed: int, starts: Sequence[Start]) -> tuple[Start, ...]:
    """Has the plan edited before some of the starts, and most executions keep what earlier ones have signed off."""
    chance = random.Random(f"{seed} editions")
    found, edition = list[Start](), 0
    for start in starts:
        edition += chance.random() < 0.5
        found.append(
            replace(start, edition=edition, settings={**start.settings, "reuse": float(chance.random() < 0.75)})
        )
    return tuple(found)


def _in_part(seed: int, plan: str, starts: Sequence[Start]) -> tuple[Start, ...]:
    """Has some of the executions asked for a part of the plan alone."""
    chance, tasks = random.Random(f"{seed} parts"), map_of(plan).task_ids
    return tuple(
        replace(start, until=tuple(chance.sample(tasks, chance.choice((1, 2))))) if chance.random() < 0.2 else start
        for start in starts
    )


@dataclass(frozen=True, slots=True)
class _World:
    """The facts of a world that faults are drawn from."""

    chance: random.Random
    plan: str
    executions: int
    watchers: int
    workers: Sequence[str] = field(default=WORKERS)


def _start(chance: random.Random, rates: random.Random, number: int) -> Start:
    settings: dict[str, float] = {
        "max_failures": chance.choice((1, 2, 3)),
        "max_rollbacks": chance.choice((0, 1)),
        "max_judge_errors": chance.choice((2, 5)),
        "max_losses": chance.choice((2, 10)),
        "rollback_scope": chance.choice((1, 2)),
        "run_timeout": chance.choice((60.0, 1800.0)),
        "priority": chance.choice((0, 0, 1)),
        "canary_rate": rates.choice((0.0, 0.3, 1.0)),
        "outage_patience": rates.choice((10.0, 900.0)),
        "on_failure": rates.choice((1, 1, 2)),
    }
    if rates.random() < 0.5:
        settings["budget"] = AMPLE
    return Start(at=number * round(chance.uniform(0, 60), 1), settings=settings)


def _watch(chance: random.Random, executions: int) -> Watch:
    return Watch(
        execution=chance.randrange(executions),
        delay=chance.choice((0.0, 30.0)),
        snapshot=chance.random() < 0.5,
        pace=chance.choice((0.0, 0.1, 5.0)),
    )


def _fault(about: _World, kinds: Sequence[str]) -> Fault:
    chance = about.chance
    kind = chance.choice(kinds)
    return Fault(at=round(chance.uniform(0, CHAOS), 3), kind=kind, **DRAWN[kind](about))


Drawn = dict[str, Any]


def _death(about: _World) -> Drawn:
    how = about.chance.choice(("", "power", *POINTS))
    return {"how": how, "seconds": about.chance.choice((0.5, 5.0, 70.0))}


def _death_amid_files(about: _World) -> Drawn:
    return {"how": about.chance.choice(FILE_POINTS), "seconds": about.chance.choice((0.5, 5.0, 70.0))}


def _restart(about: _World) -> Drawn:
    return {"seconds": about.chance.choice((0.5, 5.0, 70.0))}


def _pause(about: _World) -> Drawn:
    return {"seconds": about.chance.choice((5.0, 20.0, 45.0, 90.0))}


def _step_of_the_clock(about: _World) -> Drawn:
    return {"seconds": about.chance.choice((-600.0, -40.0, 4.0, 40.0, 28_800.0))}


def _window(about: _World) -> Drawn:
    return {"seconds": about.chance.choice((5.0, 30.0, 100.0)), "rate": about.chance.choice((0.1, 0.3, 1.0))}


def _for_a_while(about: _World) -> Drawn:
    """Draws a fault that lasts long enough for a task to meet it twice in a row."""
    return {"seconds": about.chance.choice((30.0, 100.0)), "rate": about.chance.choice((0.5, 1.0))}


def _some_of_it(about: _World) -> Drawn:
    """Draws a fault with a rate below 1: a world in which every message is lost shows little."""
    return {"seconds": about.chance.choice((30.0, 100.0)), "rate": about.chance.choice((0.05, 0.2))}


def _outage(about: _World) -> Drawn:
    return {"seconds": about.chance.choice((30.0, 100.0, OUTAGE))}


def _worker(about: _World) -> Drawn:
    return {"who": about.chance.choice(about.workers)}


def _worker_death(about: _World) -> Drawn:
    how, seconds = about.chance.choice(("", "", "power")), about.chance.choice((0.1, 10.0, 80.0))
    return _worker(about) | {"how": how, "seconds": seconds}


def _one_of_two(about: _World) -> Drawn:
    """Draws a fault of one worker; the other one of its role can do the work."""
    return {"who": about.chance.choice(("w2", "v2"))}


def _worker_pause(about: _World) -> Drawn:
    return _worker(about) | _pause(about)


def _direction(about: _World) -> Drawn:
    return _worker(about) | {"how": about.chance.choice(("both", "both", "up", "down"))}


def _stall(about: _World) -> Drawn:
    return _direction(about) | {"seconds": about.chance.choice((3.0, 12.0, 40.0))}


def _lie(about: _World) -> Drawn:
    return _some_of_it(about) | {"rate": 0.5}


def _bug(about: _World) -> Drawn:
    return {"seconds": about.chance.choice((5.0, 30.0)), "rate": about.chance.choice((0.02, 0.1))}


def _order(about: _World) -> Drawn:
    """Draws a command. Request ids are few, so that some are used again, also for other commands."""
    request = about.chance.choice(("", f"r{about.chance.randrange(4)}"))
    return {"who": str(about.chance.randrange(about.executions)), "how": request}


def _retry(about: _World) -> Drawn:
    """Draws a retry; `rate` names the task by its place in the plan."""
    return _order(about) | {"rate": round(about.chance.random(), 3)}


def _watcher(about: _World) -> Drawn:
    return {"who": str(about.chance.randrange(max(1, about.watchers)))}


#: Faults of worlds in which tasks make files.
OF_FILES = ("calls break", "runner dies amid files")

OF_CLOCKS = ("clock is set",)

#: How each kind of fault is drawn.
DRAWN: Mapping[str, Callable[[_World], Drawn]] = {
    "runner dies": _death,
    "runner freezes": _pause,
    "runner stops": _restart,
    "clock is set": _step_of_the_clock,
    "writes fail": _window,
    "reads fail": _window,
    "worker dies": _worker_death,
    "worker is lost": _one_of_two,
    "worker freezes": _worker_pause,
    "worker drains": _worker,
    "worker doubles": _worker,
    "line breaks": _worker,
    "line goes silent": _direction,
    "line stalls": _stall,
    "messages lost": _some_of_it,
    "messages repeated": _some_of_it,
    "pause": _order,
    "resume": _order,
    "stop": _order,
    "retry": _retry,
    "watcher breaks": _watcher,
    "calls break": _worker,
    "runner dies amid files": _death_amid_files,
    **dict.fromkeys(models.FAULTS, _window),
    **dict.fromkeys(models.LATER, _for_a_while),
    "judge down": _outage,
    "away": _outage,
    **dict.fromkeys(liar.LIES, _lie),
    **dict.fromkeys(bugs.THROWS, _bug),
}

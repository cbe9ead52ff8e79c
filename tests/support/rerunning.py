"""Executions of a plan that is edited between them, on a machine alone: each runs to its end in one go.

    runs = Reruns("a; b <- a")
    runs.run()                                  # both are made and judged
    runs.edit("b", description="another")
    assert runs.run().made == ["b"]

An executor makes a text of the task's description, what it reads and its own model, so that the result of a run tells
what it was made from. `edit` takes fields of a TaskSpec; `workers` replaces the makers of the workers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner_svc.codec.fill import fill_spec, places_of
from runner_svc.codec.spec_parts import spec_parts
from runner_svc.core.decide.inputs import given_inputs
from runner_svc.core.decide.reuse import collect
from runner_svc.core.decide.turn import Decision
from runner_svc.core.explain.preview import Preview, Question, preview
from runner_svc.core.fleet.alike import Alike
from runner_svc.core.machine import Machine
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.earlier import EarlierResults
from runner_svc.core.model.inputs import DeclaredInput, GivenInput, InputFile, InputKind
from runner_svc.core.model.makers import NamedMaker
from runner_svc.core.model.map import Map
from runner_svc.core.model.pass_rules import Passed
from runner_svc.core.model.values import (
    Content,
    CriterionResult,
    ExecutionId,
    Maker,
    Outcome,
    Phase,
    Role,
    SessionId,
    Settings,
    WorkerName,
)
from runner_svc.core.state.execution import Execution
from signoff.v1 import plan_pb2
from tests.support import invariants
from tests.support.steps import turn_by_steps
from tests.support.values.maps import map_of

START = 1_700_000_000.0
PASS = CriterionResult(criterion="is good", outcome=Outcome.PASS, criterion_number=1)
PASSED = Passed(criteria=frozenset({1}))
Say = Callable[[str, list[str], str], str]  # the text that is made of a description, the texts read, and a model


def say_all(description: str, read: list[str], model: str) -> str:
    return f"{description} by {model} of ({', '.join(read)})"


@dataclass(slots=True)
class Outcomes:
    """The work that was done and kept in one execution, by the ids of tasks."""

    execution: Execution
    made: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    kept_to_judge: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)  #: of the artifacts


class Reruns:
    """A plan, its executions, and workers that do all they are given."""

    def __init__(self, text: str, say: Say = say_all) -> None:
        self._base = map_of(text)
        self._say = say
        self.specs = {
            task: plan_pb2.TaskSpec(task_id=task, description=f"write {task}") for task in self._base.task_ids
        }
        self.declared: dict[str, DeclaredInput] = {}
        self.given: dict[str, GivenInput] = {}
        self.machine = Machine()
        self.at = START
        self._texts: dict[str, str] = {}  # by digest
        self._serial = 0
        self.entries: list[events.Entry] = []
        self.steps: list[int] = []  #: events of each step of a turn
        self._sessions: dict[Role, SessionId] = {}
        self.model = ""
        self.files = "v1"  #: that programs name, on the machine of the executor
        self.workers("m1", "j1")

    @property
    def plan(self) -> Map:
        specs = [self.specs[task].SerializeToString(deterministic=True) for task in self._base.task_ids]
        digest = hashlib.sha256(b"".join(specs)).hexdigest()
        return replace(
            self._base,
            specs=specs,
            digest=digest,
            read_parts=spec_parts,
            inputs=self.declared,
            read_places=places_of,
            fill=fill_spec,
        )

    def declare(self, name: str, kind: InputKind = InputKind.TEXT, value: str | None = None) -> None:
        """Declares an input of the plan."""
        is_folder = kind is InputKind.FOLDER
        self.declared[name] = DeclaredInput(name=name, kind=kind, value=value, is_folder=is_folder)

    def give(self, name: str, value: str) -> None:
        """Gives the next executions a text, or JSON."""
        is_json = self.declared[name].kind is InputKind.JSON
        self.given[name] = GivenInput(name=name, json=value) if is_json else GivenInput(name=name, text=value)
        self._texts[hashlib.sha256(value.encode()).hexdigest()] = value

    def give_files(self, name: str, files: Mapping[str, str]) -> None:
        """Gives the next executions files, by their paths."""
        self.given[name] = GivenInput(name=name, files=tuple(self._file(path, text) for path, text in files.items()))

    def _file(self, path: str, text: str) -> InputFile:
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._texts[digest] = text
        return InputFile(path=path, content=Content(digest=digest, size=len(text), media_type="text/csv"))

    def edit(self, task: str, **fields: Any) -> None:
        """Changes fields of a task's spec, and of its validation: `criteria`."""
        spec = self.specs[task]
        if "criteria" in fields:
            del spec.validation.criteria[:]
            spec.validation.criteria.extend(fields.pop("criteria"))
        for name, value in fields.items():
            setattr(spec, name, value)

    def workers(self, model: str, judge: str, *, prompts: str = "p1", say_parts: bool = True) -> None:
        """Connects an executor and a validator that ask these models, in the place of those that were there."""
        self.model = model
        for role, handler, name in ((Role.EXECUTOR, "model", model), (Role.VALIDATOR, "judge", judge)):
            self._serial += 1
            session = SessionId(f"s{self._serial}")
            self._sessions[role] = session
            maker = Maker(digest=f"{handler} {name} {prompts}", handler=handler, model=name, prompts=prompts)
            joined = signals.WorkerJoined(
                at=self.at,
                session=session,
                worker=WorkerName(handler),
                role=role,
                slots=100,
                makers=frozenset({maker.digest}),
                known_makers=(NamedMaker(maker=maker, is_default=True),) if say_parts else (),
            )
            self._turn([joined, signals.CreditGranted(at=self.at, session=session, window=100)])
        self._maker = f"model {model} {prompts}"

    def leave(self) -> None:
        """All workers leave for good."""
        for session in self._sessions.values():
            self._turn([signals.WorkerLost(at=self.at, session=session, reason="left", orderly=True)])

    def start(self, settings: Settings | None = None) -> ExecutionId:
        """Starts an execution of the plan as it is now, with what earlier ones have signed off."""
        self._serial += 1
        self.at += 1
        name = ExecutionId(f"e{self._serial}")
        plan = self.plan
        self._turn([signals.SetLayout(at=self.at, request_id="", map=plan)])
        self.machine.state.earlier[plan.plan_id] = self.earlier()
        start = signals.StartExecution(
            at=self.at,
            request_id="",
            execution=name,
            plan_id=plan.plan_id,
            settings=settings or Settings(),
            inputs=tuple(self.given.values()),
        )
        self.todo = self._turn([start])
        self.machine.state.earlier.clear()
        return name

    def earlier(self) -> EarlierResults:
        found = EarlierResults(last={})
        for execution in reversed(self.machine.state.executions.values()):
            for _ in collect(execution, found):
                pass
        return found

    def previewed(self, settings: Settings | None = None) -> Preview:
        """Returns what a start would do now."""
        alike = Alike(dict(self.machine.state.roster.sessions))
        plan = self.plan.bound(given_inputs(self.plan, self.given.values())[0])
        return preview(Question(map=plan, settings=settings or Settings(), earlier=self.earlier(), alike=alike))

    def run(self, settings: Settings | None = None) -> Outcomes:
        """Starts an execution, and does all that is given out until nothing more is."""
        return self.finish(self.start(settings))

    def finish(self, name: ExecutionId) -> Outcomes:
        outcomes = Outcomes(self.machine.state.executions[name])
        while self.todo.commands:
            self.advance(outcomes)
        execution = outcomes.execution
        for entry in (entry for entry in self.entries if entry.execution == name):
            kept = {events.ArtifactReused: outcomes.kept, events.CandidateReused: outcomes.kept_to_judge}
            if type(entry.event) in kept:
                kept[type(entry.event)].append(execution.map.name(entry.event.task))
        for task, record in execution.records.items():
            if record.artifact is not None:
                outcomes.texts[execution.map.name(task)] = self._texts[record.artifact.digest]
        return outcomes

    def advance(self, outcomes: Outcomes) -> None:
        """Does all that is given out now."""
        given = [command for command in self.todo.commands if isinstance(command, commands.Assign)]
        answers = [self._answer(assign, outcomes) for assign in given]
        self.todo = self._turn(answers) if answers else Decision()

    def retry(self, name: ExecutionId, task: str) -> None:
        """A person has a task done anew. What is given out, and not taken back, is still to be done."""
        before = self.todo.commands
        self.todo = self._turn([signals.RetryTask(at=self.at, request_id="", execution=name, task_id=task)])
        leases = self.machine.state.roster.leases
        held = [order for order in before if isinstance(order, commands.Assign) and order.lease in leases]
        self.todo.commands[:0] = held

    def _answer(self, assign: commands.Assign, outcomes: Outcomes) -> signals.Signal:
        task = assign.map.name(assign.task)
        if assign.phase is Phase.VALIDATE:
            outcomes.judged.append(task)
            return signals.VerdictGiven(
                at=self.at,
                session=assign.session,
                lease=assign.lease,
                outcome=Outcome.PASS,
                results=(PASS,),
                passed=PASSED,
            )
        spec = plan_pb2.TaskSpec.FromString(assign.map.specs[assign.task])
        maker, description = self._maker, spec.description
        if spec.executor.command.argv:
            maker, description = f"program with {self.files}", f"{description} with {self.files}"
            if assign.unless_maker == maker:
                return signals.WorkUnchanged(at=self.at, session=assign.session, lease=assign.lease, maker=maker)
        outcomes.made.append(task)
        text = self._say(description, [self._texts[given.content.digest] for given in assign.inputs], self.model)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._texts[digest] = text
        content = Content(digest=digest, size=len(text), media_type="text/plain", maker=maker)
        return signals.CandidateMade(
            at=self.at, session=assign.session, lease=assign.lease, content=content, body=text.encode()
        )

    def _turn(self, incoming: list[signals.Signal]) -> Decision:
        decision, steps = turn_by_steps(self.machine, incoming)
        self.steps += steps
        while self.machine.state.is_lending:
            more, steps = turn_by_steps(self.machine, [signals.TimePassed(at=self.at)])
            self.steps += steps
            decision.entries.extend(more.entries)
            decision.commands.extend(more.commands)
        self.entries += decision.entries
        invariants.check(self.machine, self.entries, self.at)
        return decision

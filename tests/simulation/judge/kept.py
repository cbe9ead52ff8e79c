"""An oracle of what is kept from earlier executions. It shares no code with what it checks.

It follows what each artifact was made from and judged by, in the words of the plan's edition. What is kept must have
been signed off before, in an execution that asked for the same of the same inputs; without being judged again, also
under the same words of the validation, and with that very evidence. What is adopted must have been given out to its
worker with the same inputs, and no better candidate may have come since.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import NO_TASK, CriterionResult, ExecutionId, LeaseId, Phase, WorkerName
from signoff.v1 import plan_pb2
from tests.simulation.editions import PLACE, TOPIC

Key = tuple[ExecutionId, int]
Made = tuple[int, str, str, tuple[str, ...]]  # a task, the digest it made, its description and what it read
Evidence = tuple[str, tuple[CriterionResult, ...], object]  # words of the validation, results, and who signed it off


class Kept:
    """The oracle. It raises AssertionError for the first row that keeps something else."""

    def __init__(self, plans: Sequence[Map]) -> None:
        self._plans = {plan.digest: plan for plan in plans}
        self._plan: dict[ExecutionId, Map] = {}
        self._reuses: dict[ExecutionId, bool] = {}
        self._candidate: dict[Key, str] = {}
        self._artifact: dict[Key, str] = {}
        self._withdrawn: dict[Key, str] = {}
        #: by task: the work that was given out, by lease
        self._outstanding: defaultdict[Key, dict[LeaseId, tuple[WorkerName, Made]]] = defaultdict(dict)
        self._begun: Counter[Key] = Counter()  # attempts; one that was given back was never begun
        self._signed_off: defaultdict[Made, dict[ExecutionId, list[Evidence]]] = defaultdict(dict)

    def enter(self, execution: ExecutionId, event: events.Event) -> None:
        key = (execution, event.task)
        if isinstance(event, events.ExecutionCreated):
            self._plan[execution] = self._plans[event.map_digest]
            self._reuses[execution] = event.settings.reuse
        elif event.task == NO_TASK:
            return
        elif isinstance(event, events.TaskAssigned):
            self._begun[key] += event.phase is Phase.EXECUTE
            if event.phase is Phase.EXECUTE:
                self._outstanding[key][event.lease] = (event.worker, self._made(key, ""))
        elif isinstance(event, events.LeaseReturned | events.OutageMet):
            self._begun[key] -= event.phase is Phase.EXECUTE
        elif isinstance(event, events.CandidateStored):
            self._candidate[key] = event.content.digest
            self._outstanding[key].clear()
        elif isinstance(event, events.OrphanAdopted):
            self._adopted(key, event)
        elif isinstance(event, events.ArtifactReused | events.CandidateReused):
            self._reused(key, event)
        elif isinstance(event, events.VerdictPassed):
            self._artifact[key] = self._candidate[key]
            self._sign_off(key, event.results, event.by)
        elif isinstance(event, events.TaskRolledBack | events.TaskRetried):
            self._withdrawn[key] = self._artifact.pop(key, self._withdrawn.get(key, ""))
            self._begun[key] += 1
            if isinstance(event, events.TaskRetried):
                self._outstanding[key].clear()
        elif isinstance(event, events.ArtifactKept):
            self._artifact[key] = self._withdrawn[key]

    def _adopted(self, key: Key, event: events.OrphanAdopted) -> None:
        """Checks that its worker had been given the same work, and that the task has had no candidate since."""
        given = self._outstanding[key].get(event.lease)
        assert given == (event.worker, self._made(key, "")), f"it was given {given}, and this was adopted: {event}"
        self._candidate[key] = event.content.digest
        self._begun[key] += 1
        self._outstanding[key].clear()

    def _sign_off(self, key: Key, results: tuple[CriterionResult, ...], by: object) -> None:
        evidence = (self._spec(key).validation.description, results, by)
        self._signed_off[self._made(key, self._artifact[key])].setdefault(key[0], []).append(evidence)

    def _reused(self, key: Key, event: events.ArtifactReused | events.CandidateReused) -> None:
        execution, content = key[0], event.content
        assert self._reuses[execution], f"all was to be done anew: {event}"
        assert not self._begun[key], f"it was begun, and is kept from elsewhere: {event}"
        found = self._signed_off.get(self._made(key, content.digest), {})
        earlier = {other: evidence for other, evidence in found.items() if other != execution}
        assert earlier, f"no execution has signed this off for the same work: {event}"
        assert content.kept_from is not None, f"it names no origin: {event}"
        if isinstance(event, events.CandidateReused):
            self._candidate[key] = content.digest
            return
        words = self._spec(key).validation.description
        known = [evidence for each in earlier.values() for evidence in each]
        evidence = (words, event.results, content.signed_off_by)
        assert evidence in known, f"this is no evidence that was given under {words!r}: {event}"
        self._artifact[key] = content.digest
        self._sign_off(key, event.results, content.signed_off_by)

    def _made(self, key: Key, digest: str) -> Made:
        execution, task = key
        plan = self._plan[execution]
        named = plan.reads[task]
        makers = [maker for maker in plan.producers(task) if not named or plan.makes[maker] in named]
        read = tuple(self._artifact[execution, maker] for maker in makers)
        return task, digest, self._spec(key).description, read

    def _spec(self, key: Key) -> plan_pb2.TaskSpec:
        plan = self._plan[key[0]]
        spec = plan_pb2.TaskSpec.FromString(plan.specs[key[1]])
        spec.description = spec.description.replace(PLACE, plan.inputs[TOPIC].value or "")
        return spec

"""The validator: code decides first, then a model judges each criterion; only a pass on all of them is a pass.

    any check fails                        FAIL, and nothing that costs more is asked
    any check could not be carried out     ERROR; the judge is asked, if it was made from a criterion in words
    any criterion fails                    FAIL
    any criterion could not be decided,
    or the judge gave no verdict           ERROR: counts neither for nor against the candidate
    everything else                        PASS

Checks run from the cheapest to the most expensive: of the candidate's bytes, functions, programs, then the judge. The
judge is asked about all criteria that no check was made from: once, or as often as the plan wants votes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

from signoff.plan.glossary import COMMAND, JUDGE
from signoff.plan.limits import MAX_CHECKS, MAX_CRITERIA
from signoff.plan.specs import criteria_to_judge
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Artifact, Assignment, CheckRunner, Offer, Report, VerdictResult
from worker_svc.known_makers import code_of, models_of
from worker_svc.llm.port import Model, ModelFailure, endpoints_of, own_names_of
from worker_svc.prompts.messages import derived_from, maker_digest, own_check
from worker_svc.prompts.version import judge_version
from worker_svc.validate import checks, file_checks
from worker_svc.validate.candidate_files import CandidateFiles, files_of
from worker_svc.validate.check_process import CheckProcess, CheckRun
from worker_svc.validate.checks import BY_RUNNERS
from worker_svc.validate.judge.panel import NOT_ASKED, Judgement, judgement, not_judged

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

MOST_CHECKS = MAX_CHECKS + MAX_CRITERIA  # of one task: its own, and those made from criteria
_MOST_SHOWN = 300  # characters of a remark
PROGRESS_SECONDS = 2.0  # between signs of it while a check runs: an idle_timeout may be a few seconds
TURN_SECONDS = 0.01  # of quick checks, before others get their turn
_NO_RUNNERS: Mapping[str, CheckRunner] = MappingProxyType({})
_NO_FUNCTIONS: Mapping[str, str] = MappingProxyType({})

CriterionResult = execution_pb2.CriterionResult


class Validator:
    """An assignment.Handler that signs candidates off, or says why not.

    Without a model it decides only what code can. `runners` carry out checks of their kind, "command" or "function";
    `functions` are the names that the function runner knows, with the versions of their code.
    """

    def __init__(
        self,
        model: Model | None,
        *,
        check_process: CheckProcess | None = None,
        runners: Mapping[str, CheckRunner] = _NO_RUNNERS,
        functions: Mapping[str, str] = _NO_FUNCTIONS,
    ) -> None:
        self._model = model
        self._check_process = check_process or CheckProcess()
        self._runners = runners
        self._functions = functions

    @property
    def offer(self) -> Offer:
        judge = (JUDGE,) if self._model is not None else ()
        command = (COMMAND,) if COMMAND in self._runners else ()
        # An empty list would mean "judge": a validator with only the checks of bytes has to name something.
        handlers = (*judge, *command, *self._functions) or ("checks",)
        known = [code_of(name, f"{name}@{version}", version) for name, version in self._functions.items()]
        known += [code_of(COMMAND, COMMAND, "") for _ in command]
        if self._model is None:
            return Offer(handlers=handlers, known_makers=tuple(known))
        return Offer(
            handlers=handlers,
            models=self._model.names,
            known_makers=(*known, *models_of(self._model, JUDGE, judge_version())),
            endpoints=endpoints_of(self._model),
            own_names=own_names_of(self._model),
        )

    async def __call__(self, assignment: Assignment, report: Report) -> VerdictResult:
        if assignment.candidate is None:
            raise ValueError(f"expected a candidate to judge under lease {assignment.lease_id}, but got none")
        judged, judge = NOT_ASKED, ""
        if (count := len(assignment.task.validation.checks)) > MOST_CHECKS:
            return _too_many(count)
        results = await self._decided_by_code(assignment, assignment.candidate, report)
        results, undecided = self._left_to_the_judge(results, assignment.task)
        numbered = (*criteria_to_judge(assignment.task), *undecided)
        criteria = tuple(text for _, text in numbered)
        # guard: words around a result are judged or rejected -> if False:
        if assignment.candidate.remark and not criteria:
            results = [*results, _with_words_around(assignment.candidate.remark)]
        try:
            judge = self._judge_of(assignment)
            if criteria and _all_pass(results):
                judged = await self._ask_judges(assignment, assignment.candidate, criteria, report)
        except ModelFailure as failure:
            return _broke(results, failure, judge)
        return _verdict([*results, *_numbered(judged.results, numbered)], judged, judge)

    async def close(self) -> None:
        await self._check_process.close()
        for runner in self._runners.values():
            await runner.close()
        if self._model is not None:
            await self._model.close()

    def _judge_of(self, assignment: Assignment) -> str:
        """Returns the digest of the judge. Raises ModelFailure when the assignment names a model that is not here."""
        if self._model is None:
            return maker_digest("", judge_version(), {})
        name, settings = self._model.maker_parts(assignment.model)
        return maker_digest(name, judge_version(), settings)

    async def _decided_by_code(
        self, assignment: Assignment, candidate: Artifact, report: Report
    ) -> list[CriterionResult]:
        """Returns the results of the checks, up to the first kind with a result that is no pass."""
        task = assignment.task
        looked_at = files_of(candidate) or candidate.whole()
        async with _progress(report), self._check_process.looking_at(looked_at, candidate.media_type) as look:
            results = await _implicit_results(look, looked_at, task.output, candidate.media_type)
            if not _all_pass(results):
                return results  # the plan's own checks of an empty or unreadable candidate would only repeat it
            turn = _Turn()
            for number, check in _of_kind(task.validation, ""):
                await turn.share()
                report.tokens(0)  # this is progress: many checks take longer than a runner waits for a sign of it
                result = _quick_result(check, looked_at, candidate.media_type) or await look.check_result(check)
                results.append(_under_its_criterion(result, check, number, task.validation))
        for kind in BY_RUNNERS:
            if not _all_pass(self._left_to_the_judge(results, task)[0]):
                break
            for number, check in _of_kind(task.validation, kind):
                result = await self._run(kind, check, assignment, report)
                results.append(_under_its_criterion(result, check, number, task.validation))
        return results

    def _left_to_the_judge(
        self, results: list[CriterionResult], task: plan_pb2.TaskSpec
    ) -> tuple[list[CriterionResult], tuple[tuple[int, str], ...]]:
        """Takes out the results of criteria that their check could not decide, such as the language of a title.

        The judge decides these after all. Returns the other results, and the criteria with their numbers.
        """
        undecided = [result for result in results if result.outcome == ERROR and result.criterion_number]
        # guard: what code cannot tell is judged -> if True:
        if self._model is None or not undecided:
            return results, ()
        left = {id(result) for result in undecided}  # compared one with another, a thousand of them take a second
        return [result for result in results if id(result) not in left], tuple(
            (result.criterion_number, task.validation.criteria[result.criterion_number - 1]) for result in undecided
        )

    async def _run(self, kind: str, check: plan_pb2.Check, assignment: Assignment, report: Report) -> CriterionResult:
        if (runner := self._runners.get(kind)) is None:
            return checks.broken(check, f"this validator cannot carry out checks of kind {kind}")
        return await runner(check, assignment, report)

    async def _ask_judges(
        self, assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...], report: Report
    ) -> Judgement:
        if self._model is None:
            return not_judged(criteria, "this validator has no model to judge it")
        return await judgement(self._model, assignment, candidate, criteria, report)


@asynccontextmanager
async def _progress(report: Report) -> AsyncIterator[None]:
    """Reports progress while checks run: one of a gigabyte takes minutes, and each has an end."""

    async def ticking() -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            # guard: long checks are progress -> (removed)
            report.tokens(0)

    ticks = asyncio.create_task(ticking())
    try:
        yield
    finally:
        ticks.cancel()
        await asyncio.wait((ticks,))


class _Turn:
    """A turn of the event loop, which quick checks share with other work."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._begun = self._now()

    async def share(self) -> None:
        """Lets other work have its turn when this one has taken long."""
        if self._now() - self._begun > TURN_SECONDS:
            await asyncio.sleep(0)
            self._begun = self._now()


async def _implicit_results(
    look: CheckRun, candidate: bytes | CandidateFiles, output: plan_pb2.TaskOutput, media_type: str
) -> list[CriterionResult]:
    if isinstance(candidate, bytes) and checks.is_quick(candidate):
        return checks.implicit_results(candidate, output, media_type)
    return await look.implicit_results(output)


def _quick_result(check: plan_pb2.Check, candidate: bytes | CandidateFiles, media_type: str) -> CriterionResult | None:
    """Returns the result of a check that is carried out at once; None: it belongs in a process of its own."""
    if not isinstance(candidate, bytes):
        return file_checks.quick_result(check, candidate)
    return checks.check_result(check, candidate, media_type) if checks.is_quick(candidate, check) else None


def _with_words_around(remark: str) -> CriterionResult:
    """Returns a failure for words around the candidate: they may take it back, and no judge reads them."""
    shown = " ".join(remark.split())[:_MOST_SHOWN]
    return CriterionResult(
        criterion="nothing stands around the result",
        outcome=FAIL,
        reason=f"the answer has words around the result, which no judge reads: “{shown}”; answer with the result alone",
        deterministic=True,
    )


def _too_many(count: int) -> VerdictResult:
    """Returns the verdict on a task with more checks than a plan can mean."""
    reason = f"expected at most {MOST_CHECKS} checks of a task, but got {count}"
    result = checks.cannot_tell("the plan's checks can be carried out", reason)
    return VerdictResult(outcome=ERROR, results=(result,), feedback=feedback_of([result], ERROR))


def overall(results: Sequence[CriterionResult]) -> execution_pb2.Outcome.ValueType:
    """Returns the outcome of all results: any failure fails the whole, else any error leaves it undecided."""
    outcomes = {result.outcome for result in results}
    if FAIL in outcomes:
        return FAIL
    return PASS if outcomes == {PASS} else ERROR


def feedback_of(results: Sequence[CriterionResult], outcome: execution_pb2.Outcome.ValueType) -> str:
    """Returns the reasons of the results with this outcome, one line each."""
    return "\n".join(f"{result.criterion}: {result.reason}" for result in results if result.outcome == outcome)


def _verdict(results: Sequence[CriterionResult], judged: Judgement, judge: str) -> VerdictResult:
    outcome = overall(results)
    by_code = any(result.outcome == FAIL and result.deterministic for result in results)
    return VerdictResult(
        outcome=outcome,
        results=tuple(results),
        feedback=feedback_of(results, outcome) if outcome != PASS else "",
        retry_worthwhile=by_code or judged.retry_worthwhile,
        retry_after=judged.retry_after if outcome == ERROR else None,
        failure_kind=judged.failure_kind if outcome == ERROR else execution_pb2.FAILURE_KIND_UNSPECIFIED,
        judge=judge,
    )


def _broke(results: Sequence[CriterionResult], failure: ModelFailure, judge: str) -> VerdictResult:
    return VerdictResult(
        outcome=ERROR,
        results=tuple(results),
        feedback=f"the judge gave no verdict: {failure.message}",
        retry_after=failure.retry_after,
        failure_kind=failure.kind,
        judge=judge,
    )


def _all_pass(results: Iterable[CriterionResult]) -> bool:
    return all(result.outcome == PASS for result in results)


def _of_kind(validation: plan_pb2.Validation, kind: str) -> list[tuple[int, plan_pb2.Check]]:
    """Returns the checks of a runner's kind, with their numbers from 1; of kind "", those that need no runner."""
    checks = enumerate(validation.checks, 1)
    return [(number, own_check(check, validation)) for number, check in checks if _runner_of(check) == kind]


def _runner_of(check: plan_pb2.Check) -> str:
    kind = check.WhichOneof("kind") or ""
    return kind if kind in BY_RUNNERS else ""


def _under_its_criterion(
    result: CriterionResult, check: plan_pb2.Check, number: int, validation: plan_pb2.Validation
) -> CriterionResult:
    """Returns the result under the name of the criterion that the check was made from, if there is one."""
    return CriterionResult(
        criterion=derived_from(check, validation) or result.criterion,
        outcome=result.outcome,
        reason=result.reason,
        deterministic=True,
        criterion_number=check.criterion,
        check_number=number,
    )


def _numbered(results: Sequence[CriterionResult], numbered: Sequence[tuple[int, str]]) -> Iterator[CriterionResult]:
    """Yields the judges' results, each with its criterion's number; there is one for each criterion, in order."""
    for result, (number, _) in zip(results, numbered, strict=bool(results)):
        copy = CriterionResult()
        copy.CopyFrom(result)
        copy.criterion_number = number
        yield copy

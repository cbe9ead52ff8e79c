"""The runner's figures as Prometheus reads them, on an HTTP address of their own.

Everything is asked of the engine when somebody reads the page, so all of it is durable and of one moment. What counts
up is counted from the journal, and goes on where it was after a restart.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from runner_svc.core.decide.turn import State
from runner_svc.core.model.states import ExecutionState, TaskStatus
from runner_svc.core.model.usage import Totals, add
from runner_svc.core.model.values import Away, Phase, Role
from runner_svc.core.state.canaries import Tallies
from runner_svc.engine import Engine
from runner_svc.prices import NANOS
from runner_svc.publish.http_page import Headers, HttpAnswer, PageServer
from signoff.errors import ConfigurationError, SignoffError
from signoff.intervals import wilson

log = structlog.get_logger(__name__)

ANSWER_WITHIN = 5.0  # seconds
MOST_LABEL = 256  # characters of a label's value

_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # no page in UTF-8 has half a character

Series = tuple[Sequence[str], float]  # the labels' values, and the number


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the page shows, of one moment."""

    workers: Counter[Role]
    slots: Counter[Role]
    leases: Counter[Role]
    executions: Counter[ExecutionState]
    tasks: Counter[TaskStatus]  #: of the executions that have not ended
    usage: dict[str, Totals]  #: by currency
    canaries: Tallies
    outages: Sequence[Away] = ()


def figures_of(state: State) -> Figures:
    sessions, overviews = state.roster.sessions.values(), list(state.overviews())
    tasks: Counter[TaskStatus] = Counter()
    usage: dict[str, Totals] = {}
    for overview in overviews:
        for phase, model, spent in overview.usage:
            add(usage.setdefault(overview.currency, {}), phase, model, spent)
        if not overview.state.is_final:
            tasks.update({status: overview.counts[status] for status in TaskStatus})
    return Figures(
        workers=Counter(session.role for session in sessions),
        slots=Counter({role: state.roster.slots(role) for role in Role}),
        leases=Counter(lease.phase.role for lease in state.roster.leases.values()),
        executions=Counter(overview.state for overview in overviews),
        tasks=tasks,
        usage=usage,
        canaries=state.canaries(),
        outages=tuple(state.roster.outages.all()),
    )


def metrics_of(figures: Figures) -> Iterator[Metric]:
    """The page's families; docs/metrics.md lists them."""
    yield _gauge("workers", "Workers whose streams are open.", ["role"], _roles(figures.workers))
    yield _gauge("slots", "What they work on at once.", ["role"], _roles(figures.slots))
    yield _gauge("leases", "Work that is given out.", ["role"], _roles(figures.leases))
    states = (((state.label,), figures.executions[state]) for state in ExecutionState)
    yield _gauge("executions", "Executions by their state.", ["state"], states)
    statuses = (((status.label,), figures.tasks[status]) for status in TaskStatus)
    yield _gauge("tasks", "Tasks of executions that have not ended, by their status.", ["status"], statuses)
    yield from _usage(figures.usage)
    yield from _canaries(figures.canaries)
    away = (((outage.model.model, outage.model.endpoint), outage.since) for outage in figures.outages)
    told = "Unix time since which a model cannot be asked; none while it answers."
    yield _filled(GaugeMetricFamily("signoff_model_away_since_seconds", told, labels=["model", "endpoint"]), away)


def _gauge(name: str, told: str, labels: Sequence[str], series: Iterable[Series]) -> Metric:
    return _filled(GaugeMetricFamily(f"signoff_{name}", told, labels=labels), series)


def _counter(name: str, told: str, labels: Sequence[str], series: Iterable[Series]) -> Metric:
    counted = ((whose, max(0, number)) for whose, number in series)  # a page with less than nothing is none
    return _filled(CounterMetricFamily(f"signoff_{name}", told, labels=labels), counted)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, series: Iterable[Series]) -> Metric:
    """Labels that look the same on the page are one series there: two of them would be no page at all."""
    numbers: dict[tuple[str, ...], float] = {}
    for labels, number in series:
        shown = tuple(map(_shown, labels))
        numbers[shown] = numbers.get(shown, 0) + number
    for shown, number in numbers.items():
        family.add_metric(shown, _number(number))
    return family


def _shown(label: str) -> str:
    # guard: labels that a page can carry -> return label
    return _UNREADABLE.sub("\ufffd", label[:MOST_LABEL])


def _number(number: float) -> float:
    """What a page can carry: a whole number may be larger than any of its kind."""
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _roles(counts: Counter[Role]) -> Iterator[Series]:
    return (((role.name.lower(),), counts[role]) for role in Role)


def _usage(usage: dict[str, Totals]) -> Iterator[Metric]:
    whose = ["phase", "model"]
    together: Totals = {}
    costs: list[Series] = []
    guesses: list[Series] = []
    for currency, totals in usage.items():
        for (phase, model), spent in totals.items():
            add(together, phase, model, spent)
            costs.append(((_phase(phase), model, currency), _cost(spent.cost_nanos)))
            guesses.append(((_phase(phase), model, currency), _cost(spent.estimated_cost_nanos)))
    spent_by = [((_phase(phase), model), spent) for (phase, model), spent in together.items()]

    def series(**columns: str) -> list[Series]:
        """By the value of the last label; `_` for a metric that has none besides phase and model."""
        return [
            ((*by, *([] if label == "_" else [label])), getattr(spent, column))
            for by, spent in spent_by
            for label, column in columns.items()
        ]

    by_direction = [*whose, "direction"]
    counted = series(input="input_tokens", output="output_tokens")
    estimated = series(input="estimated_input_tokens", output="estimated_output_tokens")
    yield _counter("tokens", "As providers count them.", by_direction, counted)
    yield _counter("cached_input_tokens", "Of the input: read from a cache.", whose, series(_="cached_input_tokens"))
    yield _counter("reasoning_tokens", "Of the output: thought only.", whose, series(_="reasoning_tokens"))
    yield _counter("cost", "Spent, as far as prices are known.", [*whose, "currency"], costs)
    # These fall when a provider counts what was estimated.
    yield _gauge("estimated_tokens", "Besides what providers have counted.", by_direction, estimated)
    yield _gauge("estimated_cost", "Of these, as far as prices are known.", [*whose, "currency"], guesses)
    yield _gauge("unpriced_tokens", "All whose price is not known.", whose, series(_="unpriced_tokens"))


def _cost(nanos: int) -> float:
    try:
        return nanos / NANOS
    except OverflowError:
        return float("inf")


def _phase(phase: Phase) -> str:
    return phase.name.lower()


def _canaries(tallies: Tallies) -> Iterator[Metric]:
    whose = ["model", "labels"]
    judged: list[Series] = []
    undecided: list[Series] = []
    wrong: dict[tuple[str, ...], tuple[int, int]] = {}  # and all, by what the page shows of the labels
    for pool, tally in tallies:
        pooled = (pool.model, ",".join(f"{key}={value}" for key, value in sorted(pool.labels)))
        judged.append(((*pooled, "good", "pass"), tally.good - tally.false_rejects))
        judged.append(((*pooled, "good", "fail"), tally.false_rejects))
        judged.append(((*pooled, "bad", "pass"), tally.false_accepts))
        judged.append(((*pooled, "bad", "fail"), tally.bad - tally.false_accepts))
        undecided.append((pooled, tally.undecided))
        for known, part, whole in (("good", tally.false_rejects, tally.good), ("bad", tally.false_accepts, tally.bad)):
            shown = tuple(map(_shown, (*pooled, known)))
            before = wrong.get(shown, (0, 0))
            wrong[shown] = (before[0] + part, before[1] + whole)
    yield _counter("canaries", "Verdicts on canaries.", [*whose, "known", "verdict"], judged)
    yield _counter("canaries_undecided", "Canaries without a verdict.", whose, undecided)
    intervals = {shown: wilson(*counted) for shown, counted in wrong.items() if 0 <= counted[0] <= counted[1] != 0}
    for place, (end, told) in enumerate((("low", "Least"), ("high", "Largest"))):
        text = f"{told} share of wrong verdicts that the canaries are likely to come from, at 95 %."
        family = GaugeMetricFamily(f"signoff_canaries_wrong_share_{end}", text, labels=[*whose, "known"])
        yield _filled(family, ((shown, interval[place]) for shown, interval in intervals.items()))


# ---------------------------------------------------------------- the page


class _Known(Collector):
    """What is known of one moment; nothing when the runner has not answered."""

    def __init__(self, figures: Figures | None) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        return metrics_of(self._figures) if self._figures is not None else iter(())


def page_of(figures: Figures | None, headers: Headers) -> HttpAnswer:
    """The page in the form that its reader asks for; no figures of the runner when there are none."""
    registry = CollectorRegistry()
    registry.register(_Known(figures))
    ProcessCollector(registry=registry)
    try:
        encode, kind = choose_encoder(headers.get("accept", ""))
    except (ValueError, TypeError):  # a version that is none
        encode, kind = choose_encoder("")
    body = encode(registry)
    if "gzip" not in headers.get("accept-encoding", ""):
        return HttpAnswer(kind=kind, body=body)
    return HttpAnswer(kind=kind, body=gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})


class _Page:
    """Asks the engine once for all who ask meanwhile, and writes the page in one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asking: asyncio.Task[Figures | None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")

    async def __call__(self, headers: Headers) -> HttpAnswer:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        figures = await asyncio.shield(self._asking)
        return await asyncio.get_running_loop().run_in_executor(self._thread, page_of, figures, headers)

    async def _ask(self) -> Figures | None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await self._engine.ask(figures_of)
        except (SignoffError, TimeoutError) as error:
            log.warning("metrics_not_read", problem=str(error) or "the runner did not answer in time")
            return None

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        await asyncio.to_thread(self._thread.shutdown)


@asynccontextmanager
async def metrics_served(engine: Engine, address: str) -> AsyncIterator[str]:
    """Serves the page at `host:port` (port 0: any free one) and gives its address. Raises ConfigurationError."""
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigurationError(f"expected host:port for the metrics, but got {address!r}")
    page = _Page(engine)
    server = PageServer(page)
    try:
        number = await server.start(host.strip("[]"), int(port))
    except OSError as error:
        raise ConfigurationError(f"cannot serve metrics at {address}: {_problem(error)}") from None
    try:
        yield f"{host}:{number}"
    finally:
        await server.stop()
        await page.close()


def _problem(error: OSError) -> str:
    """The system's own words: asyncio puts a sentence about the address around them."""
    return os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error)

"""Metrics for Prometheus, on an HTTP address of their own.

Each reading of the page asks the engine for all figures, so they are durable and of one moment. Counters are counted
from the journal, and go on after a restart where they were.
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
from runner_svc.core.model.tallies import Tallies
from runner_svc.core.model.usage import Totals, add
from runner_svc.core.model.values import Away, Phase, Role
from runner_svc.engine import Engine
from runner_svc.publish.http_page import Headers, HttpAnswer, PageServer
from signoff.errors import ConfigurationError, SignoffError
from signoff.intervals import wilson
from signoff.money import from_nanos

log = structlog.get_logger(__name__)

ANSWER_WITHIN = 5.0  # seconds
MOST_LABEL = 256  # characters of a label's value

_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # no page in UTF-8 has half a character

Series = tuple[Sequence[str], float]  # the values of the labels, and the number


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of the page at one moment."""

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
    usage = {currency: dict(totals) for currency, totals in state.pruned.usage.items()}
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
    """Yields the page's families of metrics; docs/reference/metrics.md lists them."""
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
    meaning = "Unix time since which a model cannot be asked; none while it answers."
    yield _filled(GaugeMetricFamily("signoff_model_away_since_seconds", meaning, labels=["model", "endpoint"]), away)


def _gauge(name: str, meaning: str, labels: Sequence[str], series: Iterable[Series]) -> Metric:
    return _filled(GaugeMetricFamily(f"signoff_{name}", meaning, labels=labels), series)


def _counter(name: str, meaning: str, labels: Sequence[str], series: Iterable[Series]) -> Metric:
    counted = ((values, max(0, number)) for values, number in series)  # Prometheus refuses a negative counter
    return _filled(CounterMetricFamily(f"signoff_{name}", meaning, labels=labels), counted)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, series: Iterable[Series]) -> Metric:
    """Returns the family with its series. Labels that look the same on the page are added up: it may show each once."""
    numbers: dict[tuple[str, ...], float] = {}
    for labels, number in series:
        values = tuple(map(_label_value, labels))
        numbers[values] = numbers.get(values, 0) + number
    for values, number in numbers.items():
        family.add_metric(values, _to_float(number))
    return family


def _label_value(label: str) -> str:
    # guard: labels that a page can carry -> return label
    return _UNREADABLE.sub("\ufffd", label[:MOST_LABEL])


def _to_float(number: float) -> float:
    """Returns the number as a float; infinity for a whole number that is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _roles(counts: Counter[Role]) -> Iterator[Series]:
    return (((role.name.lower(),), counts[role]) for role in Role)


def _usage(usage: dict[str, Totals]) -> Iterator[Metric]:
    labels = ["phase", "model"]
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
        """Returns a series for each column, by its value of the last label; `_`: there is no last label."""
        return [
            ((*by, *([] if label == "_" else [label])), getattr(spent, column))
            for by, spent in spent_by
            for label, column in columns.items()
        ]

    by_direction = [*labels, "direction"]
    counted = series(input="input_tokens", output="output_tokens")
    estimated = series(input="estimated_input_tokens", output="estimated_output_tokens")
    yield _counter("tokens", "As providers count them.", by_direction, counted)
    yield _counter("cached_input_tokens", "Of the input: read from a cache.", labels, series(_="cached_input_tokens"))
    yield _counter("reasoning_tokens", "Of the output: thought only.", labels, series(_="reasoning_tokens"))
    yield _counter("cost", "Spent, as far as prices are known.", [*labels, "currency"], costs)
    # These fall when a provider counts what was estimated.
    yield _gauge("estimated_tokens", "Besides what providers have counted.", by_direction, estimated)
    yield _gauge("estimated_cost", "Of these, as far as prices are known.", [*labels, "currency"], guesses)
    yield _gauge("unpriced_tokens", "All whose price is not known.", labels, series(_="unpriced_tokens"))


def _cost(nanos: int) -> float:
    try:
        return from_nanos(nanos)
    except OverflowError:
        return float("inf")


def _phase(phase: Phase) -> str:
    return phase.name.lower()


def _canaries(tallies: Tallies) -> Iterator[Metric]:
    labels = ["model", "labels"]
    judged: list[Series] = []
    undecided: list[Series] = []
    wrong: dict[tuple[str, ...], tuple[int, int]] = {}  # wrong verdicts and all, by the labels on the page
    for pool, tally in tallies:
        pooled = (pool.model, ",".join(f"{key}={value}" for key, value in sorted(pool.labels)))
        judged.append(((*pooled, "good", "pass"), tally.good - tally.false_rejects))
        judged.append(((*pooled, "good", "fail"), tally.false_rejects))
        judged.append(((*pooled, "bad", "pass"), tally.false_accepts))
        judged.append(((*pooled, "bad", "fail"), tally.bad - tally.false_accepts))
        undecided.append((pooled, tally.undecided))
        for known, part, whole in (("good", tally.false_rejects, tally.good), ("bad", tally.false_accepts, tally.bad)):
            values = tuple(map(_label_value, (*pooled, known)))
            before = wrong.get(values, (0, 0))
            wrong[values] = (before[0] + part, before[1] + whole)
    yield _counter("canaries", "Verdicts on canaries.", [*labels, "known", "verdict"], judged)
    yield _counter("canaries_undecided", "Canaries without a verdict.", labels, undecided)
    intervals = {values: wilson(*counted) for values, counted in wrong.items() if 0 <= counted[0] <= counted[1] != 0}
    for place, (end, bound) in enumerate((("low", "Least"), ("high", "Largest"))):
        meaning = f"{bound} share of wrong verdicts that the canaries are likely to come from, at 95 %."
        family = GaugeMetricFamily(f"signoff_canaries_wrong_share_{end}", meaning, labels=[*labels, "known"])
        yield _filled(family, ((values, interval[place]) for values, interval in intervals.items()))


# ---------------------------------------------------------------- the page


class _FiguresCollector(Collector):
    """A collector of the figures of one moment; of none when the runner has not answered."""

    def __init__(self, figures: Figures | None) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        return metrics_of(self._figures) if self._figures is not None else iter(())


def page_of(figures: Figures | None, headers: Headers) -> HttpAnswer:
    """Returns the page in the form that its reader asks for. Without figures it shows only the process."""
    registry = CollectorRegistry()
    registry.register(_FiguresCollector(figures))
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
    """The page. Readers that ask at the same time share one question to the engine; one thread writes their pages."""

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
    """Serves the page at `host:port` (port 0: any free one) and yields its address. Raises ConfigurationError."""
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
    """Returns the system's own words: asyncio puts a sentence about the address around them."""
    return os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error)

"""The runner's figures as Prometheus reads them, on an HTTP address of their own.

Everything is asked of the engine when somebody reads the page, so all of it is durable and of one moment. What counts
up is counted from the journal, and goes on where it was after a restart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as NotInTime
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runner_svc.core.canaries import Tallies
from runner_svc.core.states import ExecutionState, TaskStatus
from runner_svc.core.turn import State
from runner_svc.core.usage import Totals, add
from runner_svc.core.values import Phase, Role
from runner_svc.engine import Engine
from runner_svc.prices import NANOS
from signoff.errors import ConfigurationError, SignoffError

log = structlog.get_logger(__name__)

ANSWER_WITHIN = 5.0  # seconds


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
    )


def metrics_of(figures: Figures) -> Iterator[Metric]:
    """The page's families; docs/metrics.md lists them."""
    yield _gauge("workers", "Workers whose streams are open.", "role", _roles(figures.workers))
    yield _gauge("slots", "What they work on at once.", "role", _roles(figures.slots))
    yield _gauge("leases", "Work that is given out.", "role", _roles(figures.leases))
    states = ((state.label, figures.executions[state]) for state in ExecutionState)
    yield _gauge("executions", "Executions by their state.", "state", states)
    statuses = ((status.label, figures.tasks[status]) for status in TaskStatus)
    yield _gauge("tasks", "Tasks of executions that have not ended, by their status.", "status", statuses)
    yield from _usage(figures.usage)
    yield from _canaries(figures.canaries)


def _gauge(name: str, told: str, label: str, values: Iterable[tuple[str, int]]) -> Metric:
    family = GaugeMetricFamily(f"signoff_{name}", told, labels=[label])
    for value, number in values:
        family.add_metric([value], number)
    return family


def _roles(counts: Counter[Role]) -> Iterator[tuple[str, int]]:
    return ((role.name.lower(), counts[role]) for role in Role)


def _usage(usage: dict[str, Totals]) -> Iterator[Metric]:
    whose = ["phase", "model"]
    tokens = CounterMetricFamily("signoff_tokens", "Tokens spent.", labels=[*whose, "direction"])
    unpriced = CounterMetricFamily("signoff_unpriced_tokens", "Those whose price is not known.", labels=whose)
    cost = CounterMetricFamily("signoff_cost", "Spent, as far as prices are known.", labels=[*whose, "currency"])
    together: Totals = {}
    for currency, totals in usage.items():
        for (phase, model), spent in totals.items():
            add(together, phase, model, spent)
            cost.add_metric([_phase(phase), model, currency], spent.cost_nanos / NANOS)
    for (phase, model), spent in together.items():
        tokens.add_metric([_phase(phase), model, "input"], spent.input_tokens)
        tokens.add_metric([_phase(phase), model, "output"], spent.output_tokens)
        unpriced.add_metric([_phase(phase), model], spent.unpriced_tokens)
    yield from (tokens, unpriced, cost)


def _phase(phase: Phase) -> str:
    return phase.name.lower()


def _canaries(tallies: Tallies) -> Iterator[Metric]:
    whose = ["model", "labels"]
    judged = CounterMetricFamily("signoff_canaries", "Verdicts on canaries.", labels=[*whose, "known", "verdict"])
    undecided = CounterMetricFamily("signoff_canaries_undecided", "Canaries without a verdict.", labels=whose)
    for pool, tally in tallies:
        pooled = [pool.model, ",".join(f"{key}={value}" for key, value in sorted(pool.labels))]
        judged.add_metric([*pooled, "good", "pass"], tally.good - tally.false_rejects)
        judged.add_metric([*pooled, "good", "fail"], tally.false_rejects)
        judged.add_metric([*pooled, "bad", "pass"], tally.false_accepts)
        judged.add_metric([*pooled, "bad", "fail"], tally.bad - tally.false_accepts)
        undecided.add_metric(pooled, tally.undecided)
    yield from (judged, undecided)


class _Figures(Collector):
    """Asks the engine from the threads that answer requests."""

    def __init__(self, ask: Callable[[], Figures]) -> None:
        self._ask = ask

    def describe(self) -> Iterable[Metric]:
        return ()  # nothing is asked when this is registered

    def collect(self) -> Iterator[Metric]:
        try:
            figures = self._ask()
        except (SignoffError, NotInTime) as error:
            log.warning("metrics_not_read", problem=str(error) or "the runner did not answer in time")
            return
        yield from metrics_of(figures)


@asynccontextmanager
async def metrics_served(engine: Engine, address: str) -> AsyncIterator[str]:
    """Serves the page at `host:port` (port 0: any free one) and gives its address. Raises ConfigurationError."""
    loop = asyncio.get_running_loop()

    def ask() -> Figures:
        return asyncio.run_coroutine_threadsafe(engine.ask(figures_of), loop).result(ANSWER_WITHIN)

    registry = CollectorRegistry()
    registry.register(_Figures(ask))
    ProcessCollector(registry=registry)
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigurationError(f"expected host:port for the metrics, but got {address!r}")
    try:
        server, _thread = start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        raise ConfigurationError(f"cannot serve metrics at {address}: {error.strerror or error}") from None
    try:
        yield f"{host}:{server.server_port}"
    finally:
        await asyncio.to_thread(server.shutdown)  # a request that is under way asks this loop
        server.server_close()

"""The clocks of the workers' streams, and the tables about the models that the workers ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner_svc.core.fleet.rate_limits import Limit
from runner_svc.core.spending.expectations import NO_PRICES, Pricing

AGE_SPREAD = 0.2  # of a stream's age


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTimings:
    """The clocks of the workers' streams, in seconds. Welcome tells a worker the first three."""

    ping_interval: float = 10.0  #: for a worker with leases; three missed pings end its session inside the grace
    resume_grace: float = 60.0  #: a lease outlives a lost stream by this much
    accept_deadline: float = 10.0
    max_stream_age: float = 3600.0  #: then a new stream is asked for; 0: never
    rotate_within: float = 30.0  #: the time that a worker has to open the new one

    def stream_age(self, jitter: Callable[[float, float], float]) -> float:
        """Returns when to ask for a new stream: streams that began together do not all end together."""
        # guard: streams do not rotate together -> return self.max_stream_age
        return self.max_stream_age * jitter(1 - AGE_SPREAD, 1 + AGE_SPREAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTables:
    """The tables about models that a user supplies to the runner."""

    limits: Mapping[str, Limit] = field(default_factory=dict)  #: by the name by which tasks ask for the model
    prices: Pricing = NO_PRICES

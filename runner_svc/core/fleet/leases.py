"""The leases that are out, as the running runner knows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner_svc.core.fleet.rate_limits import RateLimiter
from runner_svc.core.model.commands import Input
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import Content, LeaseId, ModelAt, Phase, WorkerName
from runner_svc.core.spending.commitments import NOTHING_KEPT, Reservation
from runner_svc.core.spending.expectations import AttemptSize, Expected
from runner_svc.core.state.execution import Execution


@dataclass(slots=True, kw_only=True)
class LiveLease:
    """A lease as the running runner knows it."""

    id: LeaseId
    execution: Execution
    task: int
    phase: Phase
    worker: WorkerName
    accepted: bool | None  #: None: given before the runner started, nobody knows
    accept_by: float
    run_until: float
    progress_at: float
    canary: int = 0  #: the number, from 1, of the canary that is judged under it
    size: AttemptSize | None = None  #: of its attempt; None: not asked for yet
    expected: Expected | None = None  #: what that may cost; None: there is no budget
    kept: Reservation = NOTHING_KEPT  #: back for it, besides what it has spent
    model: ModelAt | None = None  #: that it asks; None: none, or it was not looked at: Roster.model_of finds it
    is_probe: bool = False  #: given out to find out whether that model is back
    limiter: RateLimiter | None = None  #: of that model, when it has a limit
    asked: int = 0  #: requests that were taken from it
    taken: float = 0.0  #: tokens that were taken from it
    tokens: int = 0  #: that it has cost so far, with all models
    requests: int = 0
    reports: int = 0  #: of costs, recorded ones and others
    untold: dict[str, Usage] = field(default_factory=dict)  #: totals by model that are recorded when it ends
    checkpoints: int = 0  #: that were kept
    reminder_at: float = math.inf  #: of the earliest one that is to come
    #: what its holder is given, and what was left out; None: nobody has asked since the runner started
    inputs: tuple[tuple[Input, ...], tuple[tuple[str, str], ...]] | None = None
    input_digest: str = ""  #: of that and the task's spec; empty: not asked for yet
    readable: Mapping[tuple[int, str], Content] | None = None  #: by maker and digest; None: nothing was read yet

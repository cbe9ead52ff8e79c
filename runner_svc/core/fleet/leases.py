"""The live lease: a lease that is out, with all that the running runner knows of it."""

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
    """A lease that is out, with its clocks and its costs. A restart may forget these."""

    id: LeaseId
    execution: Execution
    task: int
    phase: Phase
    worker: WorkerName
    accepted: bool | None  #: None: not known, because an earlier runner gave it
    accept_by: float
    run_until: float
    progress_at: float
    canary: int = 0  #: the number, from 1, of the canary judged under it
    size: AttemptSize | None = None  #: of its attempt; None: not computed yet
    expected: Expected | None = None  #: the expected cost of its attempt; None: there is no budget
    kept: Reservation = NOTHING_KEPT  #: kept back for it, besides what it has spent
    model: ModelAt | None = None  #: asked under it; None: none, or not looked up yet: see Roster.model_of
    is_probe: bool = False  #: given out to ask whether that model is back
    limiter: RateLimiter | None = None  #: the one of that model, when it has a limit
    asked: int = 0  #: requests taken from the limiter
    taken: float = 0.0  #: tokens taken from the limiter
    tokens: int = 0  #: its cost so far, with all models
    requests: int = 0  #: its requests so far, with all models
    reports: int = 0  #: reports of costs, recorded or not
    untold: dict[str, Usage] = field(default_factory=dict)  #: totals by model, to be recorded when it ends
    checkpoints: int = 0  #: kept so far
    prompts: set[str] = field(default_factory=set)  #: digests of those kept so far
    reminder_at: float = math.inf  #: its earliest deadline
    #: its holder's inputs, and those left out; None: not looked up since the runner started
    inputs: tuple[tuple[Input, ...], tuple[tuple[str, str], ...]] | None = None
    input_digest: str = ""  #: over the inputs and the task's spec; empty: not computed yet
    readable: Mapping[tuple[int, str], Content] | None = None  #: by maker and digest; None: nothing was read yet

"""Guards of the stream between runner and worker."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard
from tests.guards.tables import frames, workers

GUARDS: Sequence[Guard] = (
    Guard(
        "work that is given back is not given out at once", "a worker with a full disk declines all that it is given"
    ),
    Guard("what is given back together counts once", "a worker is short of memory for a moment, and declines a frame"),
    Guard("a result ends a rest", "a worker that has declined works again"),
    Guard("a new session goes on resting", "a worker declines all, and comes back after each time"),
    Guard("rests are forgotten", "workers with ever new names decline once, and leave"),
    Guard("rotate", "a stream lives for ever"),
    Guard("an old stream ends", "a worker ignores Rotate"),
    Guard("streams do not rotate together", "a runner restarts, and all streams grow old in the same moment"),
    Guard("the next stream before the old one is left", "the old stream is left before there is a new one"),
    Guard("a random moment", "all workers are told to rotate in the same moment"),
    Guard("silence on the old stream", "what is said on the old stream after Hello is not heard"),
    Guard("the old stream may end first", "the runner's end of the old stream overtakes its Welcome on the new one"),
    Guard("the old stream stays when none can be opened", "nothing new can be connected while the old stream is well"),
    Guard("a frame is finished", "a slow write is under way when the next stream begins"),
    Guard("three missed pings", "a worker is stuck, or the line is dead"),
    Guard("idle workers are pinged rarely", "a thousand workers wait for work"),
    Guard("work brings a ping along", "a worker hangs that had nothing to do, and is given work"),
    Guard("a pong is a sign of life", "a worker has nothing to say but pong"),
    Guard("hello is awaited only so long", "a client connects and sends nothing"),
    Guard("uploads are bounded", "a worker begins candidates and never ends them"),
    Guard("attention after keep", "a watcher comes while a worker is away"),
    Guard("a slow watcher is cut off", "a watcher does not read"),
    Guard("thinking gives way to events", "a watcher reads more slowly than the workers think"),
    Guard("the inbox is bounded", "workers report faster than the store writes"),
    Guard("an end is reported at once", "the store stalls, the inbox is full, and a worker leaves"),
    Guard("keepalive is permitted", "a stream is quiet for long"),
    *frames.GUARDS,
    *workers.GUARDS,
)

"""Guards of the bounds of frames, in both directions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("requests are within their bounds", "a client sends a million ids, or a path as an id"),
    Guard("bytes that are no message", "something that is no client of ours finds the port"),
    Guard("messages are within their bounds", "a worker speaks of a lease with an id of thousands of digits"),
    Guard("a small candidate in chunks is stored", "a worker sends a candidate of a few bytes in chunks"),
    Guard(
        "a candidate without its bytes does not count",
        "chunks come under a lease that is not held, and the lease is given before their candidate comes",
    ),
    Guard(
        "large candidates under leases that are held",
        "a worker sends large candidates under leases that it was never given",
    ),
    Guard("chunks under leases that are held", "a worker sends chunks under leases that it was never given"),
    Guard("thinking under leases of its own", "a worker thinks aloud under the lease of another"),
    Guard("the outbox is bounded", "a worker says much and reads nothing"),
    Guard("uploads of a session are bounded", "a worker with many slots uploads all of them at once"),
    Guard("uploads of all are bounded", "many workers upload at once"),
    Guard("groups within each other", "a planner answers groups of which each is above the other"),
    Guard("an answer of a planner is checked", "a planner answers a path as the id of a task"),
    Guard("receive limit", "a worker sends a frame of any size"),
    Guard("no frame above the limit", "an assignment is larger than the worker's frames"),
    Guard("feedback gives way", "a validator said more than the next worker can be told"),
    Guard("inputs give way", "a task reads more than fits a frame"),
    Guard(
        "an assignment that fits no frame is a failure",
        "an assignment is larger than the worker's frames, again and again",
    ),
    Guard("batches are bounded", "events have long texts"),
    Guard("pages are bounded", "tasks have long texts"),
    Guard("a view names few tasks", "a client starts an execution with a thousand names"),
    Guard("lists in views are bounded in bytes", "workers find ever other models away, at long addresses"),
    Guard("pools of long labels are counted together", "a validator comes back with ever other labels"),
    Guard("a large creation is shown in part", "an execution is started with a thousand files and long paths"),
    Guard("the names of a request are bounded", "a client names tasks until a message is full"),
    Guard("frames of a worker fit", "a worker has more to say than fits a frame"),
    Guard("a verdict fits", "a judge writes a book"),
    Guard("a failure fits", "an error message holds a whole document"),
    Guard("thinking fits", "a model thinks aloud faster than the stream takes it"),
    Guard("a candidate too large is a failure", "an executor makes more than the runner stores"),
)

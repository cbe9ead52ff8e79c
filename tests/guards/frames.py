"""Guards of what a frame may hold, in both directions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

SERVICE, ASSIGNMENTS = "runner_svc/services/worker_service.py", "runner_svc/codec/assignments.py"
WORKER_CODEC = "worker_svc/codec.py"

BORDER: Sequence[Guard] = (
    Guard(
        name="requests are within their bounds",
        file="signoff/rpc.py",
        code="    bounds.check(readable(request))\n",
        without="    readable(request)\n",
        fault="a client sends a million ids, or a path as an id",
    ),
    Guard(
        name="bytes that are no message",
        file="signoff/rpc.py",
        code="        except DecodeError:\n            return Unreadable(name, len(data))",
        without="        except ZeroDivisionError:\n            return Unreadable(name, len(data))",
        fault="something that is no client of ours finds the port",
    ),
    Guard(
        name="messages are within their bounds",
        file=SERVICE,
        code='                check(message, "messages", number)\n',
        without="",
        fault="a worker speaks of a lease with an id of thousands of digits",
    ),
    Guard(
        name="large candidates under leases that are held",
        file=SERVICE,
        code="held = len(body) > INLINE_LIMIT and await self._holds(lease)",
        without="held = len(body) > INLINE_LIMIT",
        fault="a worker sends large candidates under leases that it was never given",
    ),
    Guard(
        name="chunks under leases that are held",
        file=SERVICE,
        code='problem = "" if await self._holds(lease) else NOT_HELD',
        without='problem = ""',
        fault="a worker sends chunks under leases that it was never given",
    ),
    Guard(
        name="thinking under leases of its own",
        file=SERVICE,
        code="            if not self._hub.has_lent(self._session, LeaseId(message.progress.lease_id)):",
        without="            if False:",
        fault="a worker thinks aloud under the lease of another",
    ),
    Guard(
        name="the outbox is bounded",
        file="runner_svc/services/hub.py",
        code="        if len(self.outbox) >= MOST_UNSENT:",
        without="        if False:",
        fault="a worker says much and reads nothing",
    ),
    Guard(
        name="uploads of a session are bounded",
        file="runner_svc/services/uploads.py",
        code="        if own.kept > self._most_of_a_session:",
        without="        if False:",
        fault="a worker with many slots uploads all of them at once",
    ),
    Guard(
        name="uploads of all are bounded",
        file="runner_svc/services/uploads.py",
        code="        if self._kept > self._most_of_all:",
        without="        if False:",
        fault="many workers upload at once",
    ),
    Guard(
        name="groups within each other",
        file="runner_svc/codec/maps.py",
        code="        if group != NO_PARENT and depths[group] < 0:",
        without="        if False:",
        fault="a planner answers groups of which each is above the other",
    ),
    Guard(
        name="an answer of a planner is checked",
        file="runner_svc/codec/maps.py",
        code='            check(part, "parts", number)\n',
        without="            pass\n",
        fault="a planner answers a path as the id of a task",
    ),
)

GUARDS: Sequence[Guard] = (
    *BORDER,
    Guard(
        name="receive limit",
        file="signoff/rpc.py",
        code="""    ("grpc.so_reuseport", 0),  # two servers would share a port without a word
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),""",
        without="""    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", -1),""",
        fault="a worker sends a frame of any size",
    ),
    Guard(
        name="no frame above the limit",
        file=ASSIGNMENTS,
        code="    if largest > most:\n",
        without="    if False:\n",
        fault="an assignment is larger than the worker's frames",
    ),
    Guard(
        name="feedback gives way",
        file=ASSIGNMENTS,
        code="            assign.feedback.ClearField(told)",
        without="            pass",
        fault="a validator said more than the next worker can be told",
    ),
    Guard(
        name="inputs give way",
        file=ASSIGNMENTS,
        code="if artifact.size_bytes <= INLINE_LIMIT and size <= room:",
        without="if artifact.size_bytes <= INLINE_LIMIT:",
        fault="a task reads more than fits a frame",
    ),
    Guard(
        name="an assignment that fits no frame is a failure",
        file=SERVICE,
        code="            await self._engine.report(s.NotAssignable(",
        without="            (s.NotAssignable(",
        fault="an assignment is larger than the worker's frames, again and again",
    ),
    Guard(
        name="batches are bounded",
        file="runner_svc/feed.py",
        code="for run in runs(events))",
        without="for run in [[*events]])",
        fault="events have long texts",
    ),
    Guard(
        name="pages are bounded",
        file="runner_svc/services/pages.py",
        code="    return next(runs(messages), ())",
        without="    return messages",
        fault="tasks have long texts",
    ),
    Guard(
        name="frames of a worker fit",
        file=WORKER_CODEC,
        code="if size and size + length > min(FRAME_TARGET, most):",
        without="if False:",
        fault="a worker has more to say than fits a frame",
    ),
    Guard(
        name="a verdict fits",
        file=WORKER_CODEC,
        code="    if verdict.ByteSize() <= limits.room:",
        without="    if True:",
        fault="a judge writes a book",
    ),
    Guard(
        name="a failure fits",
        file=WORKER_CODEC,
        code="        message=plain(failed.message),",
        without="        message=failed.message,",
        fault="an error message holds a whole document",
    ),
    Guard(
        name="thinking fits",
        file="worker_svc/word.py",
        code="        step = limits.room // UTF8_MOST",
        without="        step = len(thinking) + 1",
        fault="a model thinks aloud faster than the stream takes it",
    ),
    Guard(
        name="a candidate too large is a failure",
        file=WORKER_CODEC,
        code="    if isinstance(result, CandidateMade) and len(result.content) > limits.candidate:",
        without="    if False:",
        fault="an executor makes more than the runner stores",
    ),
)

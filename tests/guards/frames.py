"""Guards of what a frame may hold, in both directions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

SERVICE, ASSIGNMENTS = "runner_svc/services/worker_service.py", "runner_svc/codec/assignments.py"
WORKER_CODEC = "worker_svc/codec.py"

GUARDS: Sequence[Guard] = (
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
        code="    if message.ByteSize() > most:\n        name =",
        without="    if False:\n        name =",
        fault="an assignment is larger than the worker's frames",
    ),
    Guard(
        name="feedback gives way",
        file=ASSIGNMENTS,
        code='        message.feedback.ClearField("results")',
        without="        pass",
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
        file="runner_svc/services/runner_service.py",
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

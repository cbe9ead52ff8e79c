"""Guards of what tasks are given, and of what is said where a prompt cannot hold it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

INPUTS, ASSIGNMENTS, SHOWN = "runner_svc/core/inputs.py", "runner_svc/codec/assignments.py", "worker_svc/shown.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="a task is given all of its inputs",
        file=INPUTS,
        code="for name, maker in wanted])",
        without="for name, maker in wanted[:64]])",
        fault="a task reads more than fits one message",
    ),
    Guard(
        name="named inputs come before those of dependencies",
        file=INPUTS,
        code="if maker not in named)",
        without=")",
        fault="a task that named some artifacts loosely waits for those that it names rightly",
    ),
    Guard(
        name="inputs of dependencies are work",
        file="runner_svc/core/lending.py",
        code="+ execution.map.input_counts[task]\n",
        without="+ len(execution.map.reads[task])\n",
        fault="many tasks that name nothing wait for a thousand others each",
    ),
    Guard(
        name="inputs travel in parts",
        file=ASSIGNMENTS,
        code="        parts = await _in_parts(assign.inputs, min(most, PART_LIMIT))\n",
        without="        parts = await _in_parts(assign.inputs[:1000], min(most, PART_LIMIT))\n",
        fault="a task reads more than a message holds",
    ),
    Guard(
        name="only who takes parts is sent some",
        file=ASSIGNMENTS,
        code="    if in_parts and assign.ByteSize()",
        without="    if assign.ByteSize()",
        fault="an older worker passes over messages that it does not know",
    ),
    Guard(
        name="parts come before their assignment",
        file="worker_svc/session.py",
        code="            assign.inputs.MergeFrom(before)\n",
        without="            assign.inputs.MergeFrom(before[:100])\n",
        fault="inputs come in several parts",
    ),
    Guard(
        name="no work on a part of the inputs",
        file="worker_svc/session.py",
        code="        if len(before) != assign.inputs_in_parts:\n",
        without="        if False:\n",
        fault="a part of the inputs is missing when their assignment comes",
    ),
    Guard(
        name="large inputs lie in files",
        file="worker_svc/inputs.py",
        code="artifact.size_bytes > IN_MEMORY and artifact.task_id",
        without="False and artifact.task_id",
        fault="a task has gigabytes of inputs",
    ),
    Guard(
        name="a prompt takes no more space than it has",
        file="worker_svc/shares.py",
        code="        if left < 0:\n",
        without="        if False:\n",
        fault="more inputs than a prompt has room for",
    ),
    Guard(
        name="large inputs share evenly",
        file="worker_svc/shares.py",
        code="    share = (left - frames) // len(large) if large else 0\n",
        without="    share = 0\n",
        fault="large inputs beside small ones",
    ),
    Guard(
        name="what a prompt cuts is said with the candidate",
        file=SHOWN,
        code="    parts = [part for part in shown if not part.is_whole]\n",
        without="    parts = [part for part in shown if part.chars is None]\n",
        fault="a model is shown the beginnings of its inputs",
    ),
    Guard(
        name="the judge is told what the author was not shown",
        file="worker_svc/prompts.py",
        code="    if candidate.unread is None:\n",
        without="    if True:\n",
        fault="a candidate was made from a part of its inputs",
    ),
    Guard(
        name="what the author was not shown is kept",
        file="runner_svc/core/reporting.py",
        code="        unread=made.unread,\n",
        without="",
        fault="a candidate was made from a part of its inputs",
    ),
    Guard(
        name="a run says what a model was not shown",
        file="signoff/cli/following.py",
        code="    for line in (*unread_lines(tasks), *people_lines(tasks)):\n",
        without="    for line in people_lines(tasks):\n",
        fault="a candidate was made from a part of its inputs, and signed off",
    ),
)

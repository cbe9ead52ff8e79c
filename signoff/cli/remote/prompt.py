"""`signoff prompt` and `signoff thinking`: what models are asked, and what the one at work thinks aloud."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from signoff.cli.flags import WorkPhase
from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.output import CommandOutput
from signoff.client.values import by_execution
from signoff.display.sizes import format_size
from signoff.display.visible_text import one_line, visible
from signoff.display.wire_names import phase_name, record_of
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2


async def prompt(
    name: str, task_id: str, attempt: int | None, phase: WorkPhase | None, where: RunnerLocation, output: CommandOutput
) -> int:
    """Prints the prompts of an attempt, of the last one that has some by default; facts go to standard error."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        ref = by_execution(execution.execution_id)
        known = await reached.client.prompts(ref, task_id, attempt or 0, _PHASES[phase])
        wanted = [info for info in known if attempt or info.attempt == known[-1].attempt]
        found = [await reached.client.prompt(ref, task_id, info.digest) for info in wanted]
    if not found:
        output.note(_nothing(task_id, attempt, execution))
    for info, one in zip(wanted, found, strict=True):
        if output.json:
            output.record({**record_of(info), "messages": messages_in(one.content)})
            continue
        output.note(describe_prompt(info))
        lines = [visible(line) + "\n" for line in _lines(messages_in(one.content))]
        output.content("".join(lines).encode())
    return 0


def _nothing(task_id: str, attempt: int | None, execution: pb.Execution) -> str:
    of = f"attempt {attempt} of {task_id}" if attempt else task_id
    if not execution.settings.keep_prompts:
        return f"no prompt of {of} is kept: this execution keeps none (--no-prompts)"
    return f"no prompt of {of} is there: no model was asked yet, or its validator has not answered yet"


def describe_prompt(info: runner_pb2.PromptInfo) -> str:
    """Returns for example "attempt 2, execute, by executor-1: 12 KiB, digest 3f…"."""
    about = f", canary {info.canary} in the place of the candidate" if info.canary else ""
    by = f", by {info.worker}" if info.worker else ""
    size = format_size(info.size_bytes)
    return f"attempt {info.attempt}, {phase_name(info.phase)}{about}{by}: {size}, digest {info.digest}"


def messages_in(content: bytes) -> Sequence[dict[str, Any]]:
    """Returns the messages of a prompt. A worker of another make may have sent anything: that is one message."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and all(isinstance(message, dict) for message in found):
        return found
    return [{"role": "unknown", "content": content.decode(errors="replace")}]


def _lines(messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        yield f"----- {one_line(str(message.get('role', 'unknown')))}"
        yield str(message.get("content", ""))
    yield "-----"


_PHASES = {None: pb.PHASE_UNSPECIFIED, WorkPhase.EXECUTE: pb.PHASE_EXECUTE, WorkPhase.VALIDATE: pb.PHASE_VALIDATE}


async def thinking(name: str, task_id: str, where: RunnerLocation, output: CommandOutput) -> int:
    """Prints the end of what the worker at work on a task thinks; facts about it go to standard error."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        found = await reached.client.thinking(by_execution(execution.execution_id), task_id)
    if output.json:
        output.record(record_of(found))
        return 0
    output.note(f"{execution.plan_id} {task_id}: {describe_thinking(found)}")
    if found.text:
        output.content((visible(found.text).removesuffix("\n") + "\n").encode())
    return 0


def describe_thinking(found: runner_pb2.GetThinkingResponse) -> str:
    """Returns for example "attempt 2, execute; something before this is not kept"."""
    if found.phase == pb.PHASE_UNSPECIFIED:
        return "no worker is at work on it now, and thinking is kept only while one is"
    said = f"attempt {found.attempt}, {phase_name(found.phase)}"
    if not found.text:
        return f"{said}: nothing was thought aloud yet" if not found.dropped else f"{said}: its thinking is not kept"
    return f"{said}; something before this or in it is not kept" if found.dropped else said

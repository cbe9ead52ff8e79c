"""Guards of the planner: against plans that take too much, and callers who give too little."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        name="a compile takes no more CPU than it was given",
        file="planner_svc/compiling.py",
        code="    _limit_cpu(job.cpu_seconds)\n",
        without="",
        fault="a plan that takes very long to compile",
    ),
    Guard(
        name="a compile ends when its caller goes away",
        file="planner_svc/compilers.py",
        code="                await asyncio.shield(self._end(compiler))  # until it is gone it may write files\n",
        without="",
        fault="a client cancels its call in the middle of a compile",
    ),
    Guard(
        name="uploads are bounded in time",
        file="planner_svc/uploads.py",
        code="                async with asyncio.timeout_at(min(loop.time() + self._stall, slowest)):\n",
        without="                async with asyncio.timeout_at(None):\n",
        fault="a client sends a byte now and then, and never ends",
    ),
    Guard(
        name="schemas come to an end",
        file="planner_svc/references.py",
        code="        self._check_endless()\n",
        without="",
        fault="a plan with a schema that refers to itself",
    ),
    Guard(
        name="pages of plans are bounded in bytes",
        file="planner_svc/store.py",
        code="            if page and (len(page) == most or size > most_bytes):\n",
        without="            if page and len(page) == most:\n",
        fault="many plans with long ideas",
    ),
    Guard(
        name="shapes are promises",
        file="planner_svc/parse.py",
        code="        return (check,) if check is not None else ()\n",
        without="        return ()\n",
        fault="a plan with the format JSON: { words: string[] }, and an answer in another shape",
    ),
    Guard(
        name="misspelt fields are errors",
        file="planner_svc/field_names.py",
        code="                self._report_misspelt(name, meant, level, place, blame)\n",
        without="                pass\n",
        fault="a plan with a typo in the name of a field",
    ),
    Guard(
        name="unknown fields are told",
        file="planner_svc/field_names.py",
        code="                self._ignore(name, level, place, blame)\n",
        without="",
        fault="a plan with a field that nobody reads",
    ),
    Guard(
        name="a key stands once",
        file="planner_svc/parse.py",
        code="allow_inf_nan=False, catch_duplicate_keys=True)",
        without="allow_inf_nan=False)",
        fault="a plan in which a key stands twice",
    ),
    Guard(
        name="a task that is meant to run can run",
        file="planner_svc/rules.py",
        code='    code = "cannot-run" if has else "never-runs"\n',
        without='    code = "never-runs"\n',
        fault="a task that lacks its input, beside others that run",
    ),
    Guard(
        name="an atomic task is waited for",
        file="planner_svc/rules.py",
        code="    return not tree.tasks[above].is_atomic\n",
        without="    return True\n",
        fault="a task that depends on one it lies below, which is no group",
    ),
    Guard(
        name="ids that only look nested",
        file="planner_svc/rules.py",
        code="    if not other.is_atomic:\n        return True\n",
        without="    return True\n",
        fault="tasks whose ids look nested, and are not",
    ),
    Guard(
        name="a task whose artifacts nobody makes gets those of its dependencies",
        file="planner_svc/compiler.py",
        code="with_inputs_instead(named[:count], readings) if readings.unmade else named[:count]",
        without="named[:count]",
        fault="a plan that names artifacts loosely",
    ),
    Guard(
        name="a task that also names what is made gets both",
        file="planner_svc/artifacts.py",
        code="with_dependencies=bool(named)",
        without="with_dependencies=False",
        fault="a task names an artifact that is there and one that no task makes",
    ),
    Guard(
        name="no task has more inputs than a runner gives",
        file="planner_svc/artifacts.py",
        code="        if count > MAX_INPUTS:\n",
        without="        if False:\n",
        fault="a task waits for a group of a million others",
    ),
    Guard(
        name="a phrase that may stand for others is no check",
        file="planner_svc/wording.py",
        code="    if may_stand_for_others(phrase) or not any(map(_is_seen, phrase)):\n",
        without="    if not any(map(_is_seen, phrase)):\n",
        fault="a criterion quotes a placeholder such as 'YYYY-MM-DD'",
    ),
    Guard(
        name="sources are counted only when their marks are told",
        file="planner_svc/worded.py",
        code="    if not marks or not least or",
        without="    if not least or",
        fault="a criterion asks for sources, and the candidate has a list in APA style",
    ),
)

"""The Python client of signoff's services: `from signoff.client import Client`.

`Client` is put together from parts that share one way to each service:

    values              references to executions, and the values that calls return
    planner_calls       checking and compiling plans
    runner_connection   the way to the runner that serves; repeats calls while it is away
    commands            calls that change something; each takes effect once, however often it is repeated
    questions           calls that change nothing
    result_files        results of several files: manifests, and files as streams
    client              Client itself, and watches that survive lost streams

    inputs              the inputs of a plan as a person gives them, read from files and values
    input_files         finds the files of an input on this machine

Three modules need no connection, and can be fed events from elsewhere:

    watch        a watcher's position in a journal: every event once and in order
    view         the state of an execution, folded from the messages of a watch
    costs        costs by model, task and fate; costs_fold adds them up from events

A new rpc becomes a method of `commands` or `questions`. Errors are those of signoff.errors.
"""

from __future__ import annotations

from signoff.client.client import Client
from signoff.client.inputs import ResolvedInputs, resolve_inputs
from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import Artifact, Candidate, Compilation, ExecutionMap, Layout, Prompt, by_execution, by_plan

__all__ = [
    "Artifact",
    "Candidate",
    "Client",
    "Compilation",
    "ExecutionMap",
    "Layout",
    "Prompt",
    "ResolvedInputs",
    "ResultOf",
    "by_execution",
    "by_plan",
    "files_of",
    "resolve_inputs",
]

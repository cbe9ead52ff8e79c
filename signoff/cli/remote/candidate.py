"""`signoff candidate`: what an attempt made, and what became of it. `approve` and `reject` show it first."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.remote.result_files import (
    HEADINGS,
    Wanted,
    describe_difference,
    file_lines,
    main_text,
    manifest_record,
    put_files,
    refuse_path,
)
from signoff.cli.show.output import CommandOutput, aligned
from signoff.cli.show.output_files import write_file
from signoff.client.client import Client
from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import Candidate, Ref, by_execution
from signoff.display.differences import Side, difference, text_of
from signoff.display.origins import describe_origin, describe_sign_off_time
from signoff.display.sizes import describe_size
from signoff.display.unread import describe_unread
from signoff.display.verdicts import describe_author, describe_results
from signoff.display.visible_text import one_line, visible
from signoff.display.wire_names import enum_name, record_of
from signoff.errors import ConfigurationError
from signoff.manifest.manifest import Manifest
from signoff.v1 import execution_pb2 as pb

MOST_LINES, MOST_CHARS = 40, 4_000  # of a candidate or a difference that are shown before the question
NAMED = 20  # attempts in a line


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateComparison:
    """A candidate, and the one of the attempt before it."""

    candidate: Candidate
    before: Candidate | None
    files: Manifest | None = None  #: of the candidate; None: it is one content
    main: bytes | None = None  #: the main file, when a small one was asked for
    changes: str | None = None  #: how the files differ from those before; None: one of both has none

    @property
    def difference(self) -> str:
        """The changes since the attempt before, as a diff or a sentence."""
        if self.before is None:
            return f"no attempt before {self.candidate.info.artifact.attempt} has made a candidate\n"
        if self.changes is not None:
            return self.changes
        return difference(_side(self.before), _side(self.candidate))


def _side(candidate: Candidate) -> Side:
    return Side(name=_attempt(candidate), content=candidate.content)


def _attempt(candidate: Candidate) -> str:
    return f"attempt {candidate.info.artifact.attempt}"


async def look(client: Client, ref: Ref, task_id: str, attempt: int, *, compare: bool) -> CandidateComparison:
    """Fetches a candidate and, to compare it, the one before. Raises CandidateNotFound."""
    found = await client.candidate(ref, task_id, attempt)
    files, result = files_of(found), _result(ref, found)
    if not compare:
        return CandidateComparison(candidate=found, before=None, files=files)
    main = await main_text(client, result, files) if files is not None else None
    earlier = [number for number in found.info.attempts if number < found.info.artifact.attempt]
    before = await client.candidate(ref, task_id, earlier[-1]) if earlier else None
    files_before = files_of(before) if before is not None else None
    changes = None
    if before is not None and files is not None and files_before is not None:
        sides = (_result(ref, before), files_before), (result, files)
        changes = await describe_difference(client, *sides, (_attempt(before), _attempt(found)))
    return CandidateComparison(candidate=found, before=before, files=files, main=main, changes=changes)


def _result(ref: Ref, candidate: Candidate) -> ResultOf:
    made = candidate.info.artifact
    return ResultOf(ref=ref, task_id=made.task_id, attempt=made.attempt)


async def candidate(
    name: str,
    task_id: str,
    attempt: int | None,
    diff: bool,
    wanted: Wanted,
    where: RunnerLocation,
    output: CommandOutput,
) -> int:
    """Prints a candidate, or how it differs from the one before; what is known of it goes to standard error."""
    if diff and wanted.path:
        raise ConfigurationError("expected --file, or --diff for all files, but got both")
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        ref = by_execution(execution.execution_id)
        found = await look(reached.client, ref, task_id, attempt or 0, compare=diff)
        info = found.candidate.info
        if not output.json:
            for line in header(execution.plan_id, info):
                output.note(one_line(line))
        if found.files is None or diff:
            refuse_path(wanted, f"the candidate of {_attempt(found.candidate)} of {task_id}")
            _put(found, diff, wanted, output)
            return 0
        if output.json and not wanted.path:
            output.record(_record(found, diff))
        command = _command(execution.plan_id, info, where)
        await put_files(reached.client, _result(ref, found.candidate), found.files, wanted, output, command)
    return 0


def _put(found: CandidateComparison, diff: bool, wanted: Wanted, output: CommandOutput) -> None:
    content = found.difference.encode() if diff else found.candidate.content
    if wanted.output is not None:
        write_file(wanted.output, content)
    if output.json:
        output.record(_record(found, diff))
    elif wanted.output is None:
        output.content(content)


def _record(found: CandidateComparison, diff: bool) -> dict[str, Any]:
    if diff:
        made: dict[str, Any] = {"difference": found.difference}
    elif found.files is not None:
        made = {"manifest": manifest_record(found.files)}
    else:
        made = {"content": found.candidate.content.decode(errors="replace")}
    return {**record_of(found.candidate.info), **made}


# ---------------------------------------------------------------- what is known of it

_STATES = MappingProxyType(
    {
        pb.CANDIDATE_STATE_WAITS_FOR_VALIDATOR: "waits for a validator",
        pb.CANDIDATE_STATE_WAITS_FOR_PERSON: "waits for a person's verdict",
        pb.CANDIDATE_STATE_SIGNED_OFF: "signed off",
        pb.CANDIDATE_STATE_REJECTED: "rejected",
        pb.CANDIDATE_STATE_WITHDRAWN: "withdrawn: its task was rolled back or retried",
    }
)


def header(plan_id: str, info: pb.CandidateInfo) -> Iterator[str]:
    """Yields what is known of a candidate, a line each."""
    made = info.artifact
    name = f" ({made.name})" if made.name else ""
    yield f"{plan_id} {made.task_id}{name}, the candidate of attempt {made.attempt}: {describe_state(info)}"
    by = f" by {info.worker}" if info.worker else ""
    yield f"made{by}: {describe_size(made)}, digest {made.digest}"
    if made.HasField("kept_from"):
        yield f"kept from {describe_origin(made.kept_from)}, signed off{describe_sign_off_time(made.kept_from)}"
    if info.remark:
        yield f"its maker wrote around it: {info.remark}"
    if made.HasField("unread"):
        yield describe_unread(made.unread)
    if info.validator:
        yield f"judged by the validator {info.validator}:"
    yield from describe_results(info.results, info.decided_by)
    if info.feedback:
        yield f"rejected because: {info.feedback}"
    others = [str(number) for number in info.attempts if number != made.attempt]
    if others:
        more = f" and {len(others) - NAMED:,} before them" if len(others) > NAMED else ""
        yield f"other attempts that made one: {', '.join(others[-NAMED:])}{more}"


def describe_state(info: pb.CandidateInfo) -> str:
    """Returns for example "rejected by the person ada"."""
    state = _STATES.get(info.state) or enum_name(pb.CandidateState.DESCRIPTOR, info.state)
    is_decided = info.state in (pb.CANDIDATE_STATE_SIGNED_OFF, pb.CANDIDATE_STATE_REJECTED)
    by = describe_author(info.decided_by)
    return f"{state} by {by}" if is_decided and by else state


# ---------------------------------------------------------------- before a question


def preview(plan_id: str, found: CandidateComparison, where: RunnerLocation) -> Iterator[str]:
    """Yields the lines that a person sees before they decide. Long texts are cut, with the command that shows all."""
    info = found.candidate.info
    all_of_it = _command(plan_id, info, where)
    yield from _beginning("\n".join(map(one_line, header(plan_id, info))), all_of_it, times=5)
    yield "----- the candidate"
    yield from _files(found, all_of_it) if found.files is not None else _text(found.candidate.content, all_of_it)
    if found.before is not None:
        before = found.before.info
        yield f"----- the difference to attempt {before.artifact.attempt}, {describe_state(before)}"
        yield from _beginning(found.difference, f"{all_of_it} --diff")
    yield "-----"


def _text(content: bytes, all_of_it: str) -> Iterator[str]:
    text = text_of(content)
    yield from _beginning(text, all_of_it) if text is not None else [f"it is no text: `{all_of_it} -o FILE` writes it"]


def _files(found: CandidateComparison, all_of_it: str) -> Iterator[str]:
    """Yields the names of the files, the beginning of the main one, and the commands that show the others."""
    assert found.files is not None
    rows = list(file_lines(found.files))
    yield from aligned(HEADINGS, [[one_line(cell) for cell in row] for row in rows[:MOST_LINES]]).splitlines()
    if len(rows) > MOST_LINES:
        yield f"… and {len(rows) - MOST_LINES:,} more files: `{all_of_it}` lists all"
    yield f"`{all_of_it} --file PATH` prints one of them, `{all_of_it} -o FOLDER` writes all, to look at"
    main = text_of(found.main) if found.main is not None else None
    if main is not None:
        yield f"----- the main file, {one_line(found.files.main)}"
        yield from _beginning(main, f"{all_of_it} --file {shlex.quote(found.files.main)}")


def _command(plan_id: str, info: pb.CandidateInfo, where: RunnerLocation) -> str:
    """Returns the command that shows all of a candidate."""
    words = ["signoff", "candidate", plan_id, info.artifact.task_id, "--attempt", str(info.artifact.attempt)]
    words += ["--runner", where.runner] if where.runner else []
    words += ["--data-dir", str(where.data_dir)] if where.data_dir != RunnerLocation().data_dir else []
    return shlex.join(words)


def _beginning(text: str, all_of_it: str, times: int = 1) -> Iterator[str]:
    shown = text[: MOST_CHARS * times].split("\n")[: MOST_LINES * times]
    yield from (visible(line) for line in shown)
    left = len(text) - len("\n".join(shown))
    if left > 1:
        yield f"… and {left:,} more characters: `{all_of_it}` shows all"

"""Programs that write files: what they find, which of it becomes the candidate, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signoff.manifest.manifest import MANIFEST_TYPE, manifest_from_json
from signoff.v1 import execution_pb2
from tests.support.work.givens import Heard, artifact, with_files
from tests.support.work.programs import checked, commanded, judged, left_in, python
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Feedback
from worker_svc.commands import CommandChecks, CommandExecutor

TRANSIENT = execution_pb2.FAILURE_KIND_TRANSIENT
WRITES = """
import os, pathlib, sys
out = pathlib.Path("outputs")
assert os.environ["SIGNOFF_OUTPUTS"] == str(out.resolve())
(out / "charts").mkdir()
(out / "charts" / "sales.png").write_bytes(bytes(range(256)))
(out / "report.md").write_text("# Sales")
(out / "scratch.tmp").write_text("left out")
print("on standard output")
print("and on the other", file=sys.stderr)
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def executor(base: Path) -> CommandExecutor:
    return CommandExecutor(base)


def writing(program: str, *patterns: str, **given: Any) -> Assignment:
    assignment = python(program, **given)
    assignment.task.output.files.extend(patterns)
    return assignment


async def test_the_files_that_match_are_the_candidate(executor: CommandExecutor, base: Path) -> None:
    heard = Heard()
    result = await executor(writing(WRITES, "*.md", "charts/*.png"), heard)
    assert isinstance(result, CandidateResult), result
    assert (result.media_type, result.maker) == (MANIFEST_TYPE, executor.offer.makers[0])
    manifest = manifest_from_json(result.content)
    assert manifest.main == "report.md"
    assert heard.brought == {"charts/sales.png": bytes(range(256)), "report.md": b"# Sales"}
    assert sorted(heard.pieces) == ["and on the other\n", "on standard output\n"]
    assert left_in(base) == []


async def test_files_that_cannot_be_a_candidate_fail_the_same_each_time(executor: CommandExecutor, base: Path) -> None:
    program = "import os; os.symlink('/etc/passwd', 'outputs/report.md')"
    result = await executor(writing(program, "report.md"), Heard())
    assert isinstance(result, FailureResult)
    assert result.kind == TRANSIENT
    assert "expected a file, but 'report.md' is a link: write the file itself" in result.message
    assert result.message.startswith("the files of the command `")
    assert "'report.md' is a link" in result.gist
    assert left_in(base) == []


async def test_a_program_that_fails_says_why_on_either_output(executor: CommandExecutor) -> None:
    for stream in ("out", "err"):
        program = f"import sys; print('no sales', file=sys.std{stream}); sys.exit(1)"
        result = await executor(writing(program, "report.md"), Heard())
        assert isinstance(result, FailureResult)
        assert "no sales" in result.message


async def test_inputs_with_files_lie_in_a_folder_of_their_name(executor: CommandExecutor, tmp_path: Path) -> None:
    several = with_files(tmp_path / "a", {"report.md": b"# Sales", "charts/x.png": b"\0"}, "report.md")
    one = with_files(tmp_path / "b", {"table.csv": b"a,b"}, "table.csv", name="table")
    program = (
        "import json, pathlib, sys\n"
        "several, one = map(pathlib.Path, sys.argv[1:])\n"
        "assert (several / 'report.md').read_text() == '# Sales'\n"
        "assert (several / 'charts' / 'x.png').read_bytes() == bytes(1)\n"
        "assert one.read_text() == 'a,b'\n"
        "print(json.dumps([str(several), str(one), json.load(open('task.json'))['inputs']]))\n"
    )
    assignment = commanded("python", "-c", program, "{input:sales}", "{input:table}", inputs=(several, one))
    result = await executor(assignment, Heard())
    assert isinstance(result, CandidateResult), result
    first, second, (told, _) = json.loads(result.content)
    assert (first, second) == ("inputs/sales", "inputs/table/table.csv")
    assert (told["path"], told["main"], told["size_bytes"]) == ("inputs/sales", "report.md", 8)
    assert told["files"][0] == {"path": "charts/x.png", "media_type": "image/png", "size_bytes": 1}


async def test_standard_input_is_the_main_file_of_the_only_input(executor: CommandExecutor, tmp_path: Path) -> None:
    given = with_files(tmp_path / "a", {"a.md": b"no", "z.md": b"yes"}, "z.md")
    result = await executor(commanded("cat", inputs=(given,)), Heard())
    assert isinstance(result, CandidateResult), result
    assert result.content == b"yes"


async def test_a_program_cannot_change_the_files_of_others(executor: CommandExecutor, tmp_path: Path) -> None:
    given = with_files(tmp_path / "a", {"a.md": b"Mars"}, "a.md")
    await executor(python("open('inputs/sales/a.md', 'w').write('Venus')", inputs=(given,)), Heard())
    assert given.file("a.md").read_bytes() == b"Mars"


async def test_a_rejected_candidate_with_files_is_a_folder(executor: CommandExecutor, tmp_path: Path) -> None:
    rejected = with_files(tmp_path / "a", {"a.md": b"Mars", "b.md": b"Venus"}, "a.md")
    feedback = Feedback(summary="too short", results=(), previous_candidate=rejected)
    program = "import json; print(json.load(open('task.json'))['feedback']['previous']['path'], *open('previous/b.md'))"
    result = await executor(python(program, feedback=feedback), Heard())
    assert isinstance(result, CandidateResult), result
    assert result.content == b"previous Venus\n"


@pytest.mark.parametrize(
    ("files", "place"), [({"a.md": b"Mars", "b.md": b"x"}, "candidate"), ({"a.md": b"Mars"}, "candidate/a.md")]
)
async def test_a_check_gets_all_files_and_reads_the_main_one(
    files: dict[str, bytes], place: str, tmp_path: Path
) -> None:
    candidate = with_files(tmp_path / "a", files, "a.md")
    program = (
        "import os, pathlib, sys\n"
        f"assert sys.argv[1] == {place!r}, sys.argv\n"
        "assert sys.stdin.read() == pathlib.Path('candidate/a.md').read_text() == 'Mars'\n"
        "assert not pathlib.Path('outputs').exists() and 'SIGNOFF_OUTPUTS' not in os.environ\n"
    )
    assignment = replace(judged("x", inputs=(artifact("red"),)), candidate=candidate)
    assignment.task.output.files.append("*.md")
    result = await CommandChecks(tmp_path / "base")(
        checked("python", "-c", program, "{candidate}"), assignment, Heard()
    )
    assert (result.outcome, result.reason) == (execution_pb2.OUTCOME_PASS, "")

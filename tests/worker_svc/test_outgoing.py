"""The secret filter: no secret of a worker reaches its runner, wherever a handler puts it."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from signoff.secrets.redaction import Secrets
from signoff.secrets.stream import HIDDEN
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import Heard, artifact, spent, task, to_execute, to_judge
from worker_svc.__main__ import hide_in_logs
from worker_svc.assignment import (
    Assignment,
    CandidateResult,
    FailureResult,
    Offer,
    Prompt,
    Report,
    Result,
    VerdictResult,
)
from worker_svc.commands import CommandExecutor
from worker_svc.functions.executor import FunctionExecutor
from worker_svc.functions.loading import functions_of
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.llm.config.keys import secrets_in_body, secrets_of
from worker_svc.llm.config.settings import models_from_settings
from worker_svc.outgoing import SecretFilter

KEY = "sk-very-secret-0123456789"
WRITTEN = (KEY, KEY.encode().hex(), b64encode(b"?" + KEY.encode()).decode(), "".join(f"%{ord(c):02x}" for c in KEY))
PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL


@dataclass
class Telling:
    """An assignment.Handler that reports all it knows, and ends with a given result, or an exception."""

    result: Result | Exception
    pieces: tuple[str, ...] = ()
    checkpoint: bytes = b""
    prompt: Prompt = ()
    offer: Offer = Offer()  # noqa: RUF009 - frozen

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        for piece in self.pieces:
            report.thinking(piece)
        if self.checkpoint:
            report.checkpoint(self.checkpoint)
            report.usage(KEY, spent(1, 1))
        if report.prompts_wanted:
            await report.prompt(self.prompt)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def close(self) -> None:
        """Does nothing: there is nothing to close."""


async def passed(handler: Telling, report: Heard | None = None, *, judges: bool = False) -> Result:
    assignment = to_judge("Mars") if judges else to_execute()
    return await SecretFilter(handler, Secrets([KEY]))(assignment, report or Heard())


@pytest.mark.guard(name="no key leaves a worker")
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("size", [0, 300_000])
async def test_a_candidate_leaves_without_the_key(written: str, size: int) -> None:
    content = b"x" * size + written.encode() + b"y" * size
    result = await passed(Telling(CandidateResult(content=content, media_type=f"text/{KEY}", maker="m")))
    assert isinstance(result, CandidateResult)
    assert written.encode() not in result.content
    assert HIDDEN.encode() in result.content
    assert result.media_type == f"text/{HIDDEN}"
    assert result.digest == artifact(result.content).digest


async def test_a_candidate_without_a_key_leaves_as_it_is() -> None:
    content = "Mars, sk-very-, \x00 行星".encode() + b"\xff" * 200_000
    result = await passed(Telling(CandidateResult(content=content, media_type="text/plain", maker="m")))
    assert isinstance(result, CandidateResult)
    assert result.content is content


@pytest.mark.parametrize("written", WRITTEN)
async def test_failures_and_verdicts_leave_without_the_key(written: str) -> None:
    words = f"the program said {written}"
    failed = await passed(Telling(FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message=words)))
    assert isinstance(failed, FailureResult)
    assert written not in failed.message
    results = (execution_pb2.CriterionResult(criterion="Is it so?", outcome=FAIL, reason=words),)
    given = VerdictResult(outcome=FAIL, results=results, feedback=words, retry_after=timedelta(seconds=3))
    verdict = await passed(Telling(given), judges=True)
    assert isinstance(verdict, VerdictResult)
    assert written not in repr(verdict)
    assert (verdict.results[0].criterion, verdict.results[0].outcome) == ("Is it so?", FAIL)
    assert results[0].reason == words, "what the handler keeps was changed"


async def test_a_bug_of_a_handler_is_told_without_the_key() -> None:
    failed = await passed(Telling(RuntimeError(f"no {KEY}")))
    assert failed == FailureResult(
        kind=execution_pb2.FAILURE_KIND_PERMANENT, message=f"a bug in the worker: RuntimeError: no {HIDDEN}"
    )
    verdict = await passed(Telling(RuntimeError(f"no {KEY}")), judges=True)
    assert isinstance(verdict, VerdictResult)
    assert verdict.outcome == execution_pb2.OUTCOME_ERROR


async def test_thinking_is_told_without_the_key_also_when_it_comes_in_pieces_and_whole_in_the_end() -> None:
    report = Heard()
    result = CandidateResult(content=b"ok", media_type="text/plain", maker="m")
    pieces = ("the key is sk", "-very-secret", "-0123456789, or", " sk-very")
    await passed(Telling(result, pieces=pieces, checkpoint=f'{{"at": "{KEY}"}}'.encode()), report)
    assert "".join(report.pieces) == f"the key is {HIDDEN}, or sk-very"
    assert report.checkpoints == [f'{{"at": "{HIDDEN}"}}'.encode()]
    assert report.costs == [(HIDDEN, spent(1, 1))]


@pytest.mark.guard(name="no key is in a prompt that is kept")
@pytest.mark.parametrize("written", WRITTEN)
async def test_a_prompt_is_reported_without_the_key(written: str) -> None:
    report, long = Heard(), "x" * 300_000
    result = CandidateResult(content=b"ok", media_type="text/plain", maker="m")
    await passed(Telling(result, prompt=(("system", "no key"), ("user", f"{long}{written}"))), report)
    ((system, user),) = report.prompts
    assert system == ("system", "no key")
    assert written not in user[1]
    assert HIDDEN in user[1]


async def test_a_message_without_end_is_clipped() -> None:
    failed = await passed(Telling(FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="x" * 60_000_000)))
    assert isinstance(failed, FailureResult)
    assert len(failed.message) < 100_000


# ---------------------------------------------------------------- programs and functions


async def test_a_program_that_prints_a_key_does_not_bring_it_out(tmp_path: Path) -> None:
    spec = task()
    program = f"import sys; print({KEY!r}); print({KEY!r}, file=sys.stderr); sys.exit(int(sys.argv[1]))"
    report, handler = Heard(), SecretFilter(CommandExecutor(tmp_path), Secrets([KEY]))
    for code in ("0", "3"):
        spec.executor.command.argv[:] = [sys.executable, "-c", program, code]
        result = await handler(to_execute(spec), report)
        assert KEY not in repr(result)
        assert HIDDEN in repr(result)
    assert KEY not in "".join(report.pieces)
    await handler.close()


APP = """
import os
from signoff.app import App, Context
app = App()

@app.executor
def prints(ctx: Context) -> str:
    ctx.progress(os.environ["OPENAI_API_KEY"])
    ctx.save({"key": os.environ["OPENAI_API_KEY"]})
    return str(dict(os.environ))

@app.executor(process=True)
def raises() -> str:
    raise ValueError(os.environ["OPENAI_API_KEY"])
"""


async def test_functions_that_tell_the_environment_do_not_bring_the_key_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "telling_app.py").write_text(APP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    secrets, places, report = secrets_of({"OPENAI_API_KEY": KEY}), CallPlaces(1), Heard()
    for callee in functions_of(("telling_app:app",)).executors.values():
        spec = plan_pb2.TaskSpec(task_id="1", description="Tell")
        result = await SecretFilter(FunctionExecutor(callee, places), secrets)(to_execute(spec), report)
        assert KEY not in repr(result)
        assert HIDDEN in repr(result)
    assert report.checkpoints == [f'{{"key": "{HIDDEN}"}}'.encode()]
    assert "".join(report.pieces).strip() == HIDDEN
    await places.close()


# ---------------------------------------------------------------- what is known, and where it must not be


def test_the_environment_says_what_is_secret() -> None:
    env = {
        "OPENAI_API_KEY": "sk-openai-1",
        "OPENAI_BASE_URL": "https://svc-77:hunter-two@example.com/v1?api-version=2024-10-21",
        "HTTPS_PROXY": "http://me:proxy-password@10.0.0.1:3128",
        "SIGNOFF_RUNNER_STORE": "postgresql://signoff:store-password@db/signoff",
        "HOME": "https://a:not-of-ours@x",
        "UNRELATED_TOKEN": "unrelated-token",
    }
    cleaned = secrets_of(env).without(" ".join(env.values()))
    assert cleaned.split() == [
        HIDDEN,
        f"https://svc-77:{HIDDEN}@example.com/v1?api-version=2024-10-21",
        f"http://me:{HIDDEN}@10.0.0.1:3128",
        f"postgresql://signoff:{HIDDEN}@db/signoff",
        "https://a:not-of-ours@x",
        "unrelated-token",
    ]


async def test_the_keys_of_all_presets_are_secret_also_of_those_that_are_left_out(tmp_path: Path) -> None:
    file, secrets = tmp_path / "models.toml", Secrets()
    file.write_text(
        'default = "a"\n[models.a]\nmodel = "mock"\n'
        '[models.b]\nmodel = "x"\nbase_url = "https://u1:url-password@example.com"\napi_key_env = "B_KEY"\n'
        'extra_body = { auth = { token = "body-token" }, note = "body-note" }\n'
        '[models.c]\nmodel = "y"\napi_key_env = "MISSING"\n'
    )
    env = {"B_KEY": "key-of-model-b"}
    model = models_from_settings(None, env, role="executor", file=file, secrets=secrets)
    assert secrets.without("key-of-model-b url-password body-token body-note") == " ".join([HIDDEN] * 3 + ["body-note"])
    await model.close()


def test_secrets_in_a_body_are_found_at_any_depth() -> None:
    body = {"a": [{"api_key": ["one-secret"]}], "metadata": {"password": {"x": "another"}}, "top_k": 3, "stop": "no"}
    assert set(secrets_in_body(body)) == {"one-secret", "another"}


def test_log_lines_have_no_keys_tracebacks_included(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        structlog.configure(
            processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
            cache_logger_on_first_use=False,
        )
        secrets = Secrets()
        hide_in_logs(secrets)
        secrets.add(KEY)  # learned later
        try:
            raise ValueError(f"bad {KEY}")
        except ValueError:
            structlog.get_logger().error("failed", key=KEY, exc_info=True)
    finally:
        structlog.configure(**before)
    printed = capsys.readouterr().out
    assert json.loads(printed)["key"] == HIDDEN
    assert KEY not in printed


async def test_files_leave_without_the_key(tmp_path: Path) -> None:
    class Writing(Telling):
        async def __call__(self, assignment: Assignment, report: Report) -> Result:
            (tmp_path / "a.txt").write_text(f"the key is {KEY}")
            content = await report.files(tmp_path, ["a.txt"], "a.txt")
            return CandidateResult(content=content, media_type="text/plain", maker="m")

    heard = Heard()
    assert isinstance(await passed(Writing(ValueError("not called")), heard), CandidateResult)
    assert heard.brought == {"a.txt": f"the key is {HIDDEN}".encode()}

"""Results with files at a door over real HTTP, in front of a runner that plays what a test wrote."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import httpx
import pytest

from signoff.v1 import execution_pb2 as pb
from signoff.web.app import application
from signoff.web.listening import bind, server_of
from signoff.web.safety.hosts import AllowedHosts
from signoff.web.safety.rules import Rules
from signoff.web.upstream import Upstream
from signoff.web.wire.contents import file_type
from tests.support.servers.fake_runner import EXECUTION_ID, FakeRunner, listening, signed_off, with_files

PAGE = b"<script>alert(1)</script>"
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
HOSTILE = "100% of %2e%2e & #1? ü 表.txt"
FILES: Mapping[str, bytes] = {
    "report.md": b"# Sales\n",
    "charts/a.png": PNG,
    "charts/b.svg": SCRIPT,
    "page.html": PAGE,
    "liar.png": PAGE,
    "empty.txt": b"",
    "data.json": b"{}",
    "blob.xyz": b"\x00\x01",
    HOSTILE: b"hostile",
}
TASK = f"executions/{EXECUTION_ID}/tasks/2"


def runner(files: Mapping[str, bytes] = FILES) -> FakeRunner:
    state, manifest = with_files("2", files, main="report.md", name="Q3 報告")
    info = pb.CandidateInfo(artifact=state.artifact, state=pb.CANDIDATE_STATE_REJECTED, attempts=[1])
    return FakeRunner(
        tasks=[signed_off("1", b"# Notes\n", name="../notes"), state],
        contents={"1": b"# Notes\n", "2": manifest},
        bodies={sha256(body).hexdigest(): body for body in files.values()},
        candidates=[(info, manifest)],
    )


@asynccontextmanager
async def door(of: FakeRunner) -> AsyncIterator[httpx.AsyncClient]:
    """Serves a door on loopback, in this loop; yields a client of its API."""
    bound, address = bind("127.0.0.1:0")
    async with listening(of) as runner_address, Upstream(runner=runner_address) as upstream:
        rules = Rules(hosts=AllowedHosts(names=frozenset(), bound="127.0.0.1"))
        server = server_of(application(upstream, rules, asyncio.Event()), 1.0)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            async with httpx.AsyncClient(base_url=f"http://{address}/api/v1/", trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            await serving


def quoted(path: str) -> str:
    return "/".join("".join(f"%{byte:02X}" for byte in name.encode()) for name in path.split("/"))


def reason_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


@pytest.mark.guard(name="nothing is told of tasks in quarantine")
@pytest.mark.parametrize("path", [TASK, f"{TASK}/artifact/files.zip"])
async def test_a_task_of_a_quarantined_execution_is_no_bug_of_the_door(path: str) -> None:
    of = runner()
    of.execution.state, of.execution.reason = pb.EXECUTION_STATE_QUARANTINED, "its journal could not be read"
    async with door(of) as client:
        answer = await client.get(path)
        assert reason_of(answer) == (409, "EXECUTION_QUARANTINED")
        assert "its journal could not be read" in answer.json()["detail"]


@pytest.mark.parametrize("of", ["artifact", "attempts/1/candidate"])
async def test_files_are_listed_and_read_one_by_one_and_together(of: str) -> None:
    async with door(runner()) as client:
        told = (await client.get(f"{TASK}/{of}/files")).json()
        assert told["main"] == "report.md"
        assert {file["path"] for file in told["files"]} == set(FILES)
        for file in told["files"]:
            answer = await client.get(f"{TASK}/{of}/files/{quoted(file['path'])}")
            assert (answer.status_code, answer.content) == (200, FILES[file["path"]])
            assert answer.headers["ETag"] == f'"{file["digest"]}"'
            assert (file["sizeBytes"], file["digest"]) == (str(len(answer.content)), sha256(answer.content).hexdigest())
        together = await client.get(f"{TASK}/{of}/files.zip")
    with zipfile.ZipFile(io.BytesIO(together.content)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == FILES
    assert "filename*=UTF-8''Q3-%E5%A0%B1%E5%91%8A" in together.headers["Content-Disposition"]


@pytest.mark.guard(name="files are in a sandbox")
@pytest.mark.parametrize(
    ("path", "kind", "disposition"),
    [
        ("charts/a.png", "image/png", "inline"),
        ("charts/b.svg", "image/svg+xml", "attachment"),
        ("page.html", "text/plain; charset=utf-8", "inline"),
        ("liar.png", "image/png", "inline"),
        ("data.json", "text/plain; charset=utf-8", "inline"),
        ("report.md", "text/plain; charset=utf-8", "inline"),
        ("blob.xyz", "text/plain; charset=utf-8", "inline"),
    ],
)
async def test_no_file_acts_in_a_browser(path: str, kind: str, disposition: str) -> None:
    async with door(runner()) as client:
        answer = await client.get(f"{TASK}/artifact/files/{path}")
        download = await client.get(f"{TASK}/artifact/files/{path}?download=1")
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith(f"{disposition};")
    assert download.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"


@pytest.mark.guard(name="files are no documents")
@pytest.mark.parametrize(
    "media_type",
    ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "text/javascript", "application/pdf"],
)
def test_a_document_is_plain_text_or_bytes(media_type: str) -> None:
    assert file_type(media_type) in ("text/plain", "application/octet-stream")


@pytest.mark.guard(name="active files are downloads")
async def test_a_drawing_by_itself_is_a_download() -> None:
    async with door(runner()) as client:
        answer = await client.get(f"{TASK}/artifact/files/charts/b.svg")
    assert answer.headers["Content-Disposition"].startswith("attachment;")


async def test_a_file_is_read_in_ranges_and_only_when_it_has_changed() -> None:
    of = runner()
    where = f"{TASK}/artifact/files/charts/a.png"
    async with door(of) as client:
        tag = (await client.get(where)).headers["ETag"]
        for header, expected in (("bytes=2-5", PNG[2:6]), ("bytes=-7", PNG[-7:]), ("bytes=5000-", PNG[5000:])):
            answer = await client.get(where, headers={"Range": header, "If-Range": tag})
            assert (answer.status_code, answer.content) == (206, expected), header
            assert answer.headers["Content-Range"].endswith(f"/{len(PNG)}")
        assert of.asked[-1].offset == 5000, "the runner sends the range alone"
        assert reason_of(await client.get(where, headers={"Range": "bytes=999999-"})) == (416, "RANGE_NOT_SATISFIABLE")
        assert (await client.get(where, headers={"If-None-Match": tag})).status_code == 304
        stale = await client.get(where, headers={"Range": "bytes=2-5", "If-Range": '"another"'})
        assert (stale.status_code, stale.content) == (200, PNG)
        head = await client.head(where)
        assert (head.headers["Content-Length"], head.content) == (str(len(PNG)), b"")


@pytest.mark.guard(name="paths of files are checked")
@pytest.mark.parametrize("path", ["%2e%2e/x", "..%2f..%2fetc%2fpasswd", "%2Fetc/passwd", "a%00b", "charts%5ca.png"])
async def test_a_path_that_no_file_can_have_is_refused_here(path: str) -> None:
    of = runner()
    async with door(of) as client:
        answer = await client.get(f"{TASK}/artifact/files/{path}")
    assert "expected the path of a file of the artifact of 2, but got" in answer.json()["detail"]
    assert of.asked == []


@pytest.mark.parametrize(
    "path",
    ["%2e%2e/x", "..%2f..%2fetc%2fpasswd", "%2Fetc/passwd", "charts", "charts%2f", "a%00b", "%0d%0aX: y", "%ff",
     "charts/%2e/a.png", "charts%5ca.png", "none", "x" * 2000, "charts//a.png"],
)  # fmt: skip
async def test_a_path_that_is_none_of_its_files_is_not_found(path: str) -> None:
    async with door(runner()) as client:
        answer = await client.get(f"{TASK}/artifact/files/{path}")
        assert answer.status_code == 404, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_an_encoded_slash_is_a_slash_and_percent_signs_are_read_once() -> None:
    async with door(runner()) as client:
        assert (await client.get(f"{TASK}/artifact/files/charts%2Fa.png")).content == PNG
        assert (await client.get(f"{TASK}/artifact/files/charts%252Fa.png")).status_code == 404


async def test_one_content_has_no_files() -> None:
    where = f"executions/{EXECUTION_ID}/tasks/1/artifact"
    async with door(runner()) as client:
        for path in ("files", "files/x", "files.zip"):
            assert (await client.get(f"{where}/{path}")).status_code == 404, path


async def test_the_results_of_a_plan_have_names_for_people_and_their_digests() -> None:
    async with door(runner()) as client:
        content = (await client.get(f"executions/{EXECUTION_ID}/results.zip")).content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        manifest = json.loads(file.read("manifest.json"))
        assert [result["path"] for result in manifest["results"]] == ["1-notes.md", "2-Q3-報告"]
        for result in manifest["results"]:
            assert all(_is_as_told(file, name, digest) for name, digest in _told(result))
        assert len(file.namelist()) == 2 + len(FILES)


def _told(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    files = result.get("files", [])
    return [(f"{result['path']}/{file['path']}", file["digest"]) for file in files] or [
        (result["path"], result["digest"])
    ]


def _is_as_told(file: zipfile.ZipFile, name: str, digest: str) -> bool:
    return sha256(file.read(name)).hexdigest() == digest


async def test_the_difference_of_two_candidates_has_a_line_for_each_file() -> None:
    of = runner()
    state, manifest = with_files("2", {**FILES, "report.md": b"# Other sales\n"}, main="report.md")
    state.artifact.attempt = 2
    info = pb.CandidateInfo(artifact=state.artifact, state=pb.CANDIDATE_STATE_REJECTED, attempts=[1, 2])
    of.candidates.append((info, manifest))
    async with door(of) as client:
        told = (await client.get(f"{TASK}/attempts/2/difference")).json()
    changed = [(line["kind"], line["text"][:39]) for line in told["lines"] if line["kind"] in ("added", "removed")]
    assert changed == [
        ("removed", "report.md (text/markdown, 8 bytes) " + sha256(b"# Sales\n").hexdigest()[:4]),
        ("added", "report.md (text/markdown, 14 bytes) " + sha256(b"# Other sales\n").hexdigest()[:3]),
    ]


@pytest.mark.parametrize("path", ["artifact/files/report.md", "artifact/files.zip"])
async def test_a_file_that_arrives_damaged_breaks_the_answer_off(path: str) -> None:
    of = runner()
    of.bodies[sha256(FILES["report.md"]).hexdigest()] = b"# Salts\n"
    async with door(of) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{TASK}/{path}")


@pytest.mark.guard(name="contents are not whole before their last piece")
async def test_a_content_that_arrives_damaged_is_broken_off_before_its_last_piece() -> None:
    of = runner()
    good = b"good" * 1_000
    of.tasks[0], of.contents["1"] = signed_off("1", good, name="notes"), b"evil" * 1_000
    came = bytearray()

    async def download(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", f"executions/{EXECUTION_ID}/tasks/1/artifact") as told:
            async for piece in told.aiter_raw():
                came.extend(piece)

    async with door(of) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await download(client)
    assert 0 < len(came) < len(good)

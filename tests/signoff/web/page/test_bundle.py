"""The page: files of the bundle, deep links, the prefix; and the bundle's way into the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from starlette.requests import Request

from signoff.web.page.bundle import STATIC, Bundle
from signoff.web.safety.refusals import NotFound

ROOT = Path(__file__).parents[4]


def asked(path: str, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": f"/{path}", "headers": raw, "query_string": b""})


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text(
        '<html><head lang="x"><base href="/old/"><script src="app.js"></script></head></html>'
    )
    (folder / "app.js").write_text("run()")
    (tmp_path / "secret.js").write_text("secret")
    (folder / "linked.js").symlink_to(tmp_path / "secret.js")
    return Bundle(prefix="/at/here", folder=folder)


def test_files_have_their_types_and_are_asked_for_again(bundle: Bundle) -> None:
    answer = bundle.response(asked("app.js"), "app.js")
    assert (answer.body, answer.headers["content-type"]) == (b"run()", "text/javascript; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    again = bundle.response(asked("app.js", if_none_match=answer.headers["etag"]), "app.js")
    assert again.status_code == 304


def test_every_other_path_is_the_page_with_its_base(bundle: Bundle) -> None:
    for path in ("", "index.html", "runs/1/tasks/2", "plans/a.plan"):
        body = bytes(bundle.response(asked(path), path).body)
        assert b'<head lang="x"><base href="/at/here/">' in body
        assert body.count(b"<base") == 1


def test_a_script_that_is_not_there_is_not_the_page(bundle: Bundle) -> None:
    with pytest.raises(NotFound):
        bundle.response(asked("old.js"), "old.js")
    assert bundle.response(asked("plans/a.json", accept="text/html"), "plans/a.json").status_code == 200


ALONE = pytest.mark.guard(name="files of the bundle alone")
OUTSIDE = ("../secret.js", "linked.js", "x/../../secret.js")


NO_NAMES = ("\0", "a" * 300, "a/" * 3000)


@pytest.mark.parametrize("path", [*(pytest.param(path, marks=ALONE) for path in OUTSIDE), "//etc/hosts", *NO_NAMES])
def test_nothing_outside_of_the_bundle_is_served(bundle: Bundle, path: str) -> None:
    try:
        answer = bundle.response(asked("x"), path)
    except NotFound:
        return
    assert b"secret" not in bytes(answer.body)
    assert b"<base" in bytes(answer.body)


def test_without_a_bundle_a_plain_page_says_so(tmp_path: Path) -> None:
    assert b"The page is not built" in bytes(Bundle(folder=tmp_path).response(asked(""), "").body)


@pytest.mark.long
def test_the_wheel_that_is_built_from_the_sdist_has_every_file_of_the_bundle(tmp_path: Path) -> None:
    """Files that version control ignores are left out of builds: a page was released empty that way."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "db", "node_modules"))
    shutil.copy(ROOT / ".gitignore", copy)  # a build looks at it
    static = copy / "signoff/web/static/deep"
    static.mkdir(parents=True, exist_ok=True)
    (static / "probe.js").write_text("probe()")
    build = [sys.executable, "-m", "hatchling", "build", "-t"]
    subprocess.run([*build, "sdist", "-d", str(tmp_path)], cwd=copy, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    subprocess.run([*build, "wheel", "-d", str(tmp_path)], cwd=unpacked, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    bundled = {file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.is_file()}
    with zipfile.ZipFile(wheel) as built:
        found = {name.removeprefix("signoff/web/static/") for name in built.namelist() if "web/static/" in name}
    assert found == bundled | {"deep/probe.js"}

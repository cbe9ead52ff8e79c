"""`signoff backup`: an archive of all that a runner keeps and of the plans beside it, while the work goes on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from signoff.cli.archive.archive import NAMES_OF_A_PLAN, PLANS, STORE, ArchiveWriter, Manifest
from signoff.cli.archive.archive import PLAN_FILES as PLAN_FILES_IN_IT
from signoff.cli.remote.find_runner import RunnerLocation, reach
from signoff.cli.show.amounts import counted
from signoff.cli.show.output import CommandOutput
from signoff.client.client import Client
from signoff.display.sizes import format_size
from signoff.errors import ConfigurationError, Unavailable
from signoff.files.data_directory import PLAN_FILES
from signoff.files.writing import end_of_links, part_name
from signoff.plan.ids import is_plan_id
from signoff.rpc.backed_up import tells_of_loss
from signoff.v1 import runner_pb2

MAP = NAMES_OF_A_PLAN[-1]  # a plan exists when it does


async def backup(file: Path, where: RunnerLocation, output: CommandOutput) -> int:
    """Writes an archive. A backup that is cut off leaves nothing under the name of the file."""
    target = _target(file, where.data_dir)
    async with reach(where) as reached:
        with _written(target) as written:
            manifest, lost = await _write(written, reached.client, where.data_dir, output)
            size = written.tell()
    if output.json:
        output.record({"file": str(file), "bytes": size, **facts_of(manifest), "lost": lost})
    else:
        output.line(f"{file}: {format_size(size)}, with {describe(manifest)}")
    for digest in lost:
        output.note(f"expected the content {digest}, but the runner has lost its bytes: the archive is without it")
    # guard: a backup without a content says so -> return 0
    return 1 if lost else 0


async def _write(file: BinaryIO, client: Client, data_dir: Path, output: CommandOutput) -> tuple[Manifest, list[str]]:
    """Writes the archive. Returns its manifest, and the digests of the contents that the runner has lost."""
    archive, lost = ArchiveWriter(file), list[str]()
    try:
        end = await _add_store(archive, client, lost)
        plans = _add_plans(archive, data_dir, output)
        manifest = archive.finish(
            version=version("signoff"),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            plans=plans,
            **_sums(end),
        )
    except BaseException:
        archive.give_up()
        raise
    return manifest, lost


async def _add_store(archive: ArchiveWriter, client: Client, lost: list[str]) -> runner_pb2.BackedUpEnd:
    """Adds the parts of the store, but for contents that are `lost`, whose digests it adds there."""
    end = None
    async with aclosing(client.back_up()) as parts:
        async for part in parts:
            if tells_of_loss(part.content):
                lost.append(part.content.digest)
                continue
            archive.add_message(part.SerializeToString())
            end = part.end if part.HasField("end") else None
    # guard (2 lines): a backup without an end is none -> end = end or runner_pb2.BackedUpEnd()
    if end is None:
        raise Unavailable("the backup was cut off before its end: try again")
    archive.end_store()
    return end


def _sums(end: runner_pb2.BackedUpEnd) -> dict[str, int]:
    return {"events": end.events, "contents": end.contents, "maps": end.maps, "executions": end.executions}


# ---------------------------------------------------------------- the files of plans


def _add_plans(archive: ArchiveWriter, data_dir: Path, output: CommandOutput) -> int:
    """Adds the files of the plans in a data directory. Returns how many plans there are."""
    names = sorted(entry.name for entry in data_dir.iterdir() if is_plan_id(entry.name)) if data_dir.is_dir() else []
    plans = [name for name in names if (data_dir / name / MAP).is_file()]
    for plan_id in plans:
        with ExitStack() as stack:
            files = _files_of(data_dir / plan_id, stack, output)
            for name, file in files.items():
                archive.add(f"{PLANS}/{plan_id}/{name}", file, os.fstat(file.fileno()).st_size)
            origin = _opened(data_dir / PLAN_FILES / plan_id, stack, output)
            if origin is not None:
                archive.add(f"{PLAN_FILES_IN_IT}/{plan_id}", origin, os.fstat(origin.fileno()).st_size)
    return len(plans)


def _files_of(folder: Path, stack: ExitStack, output: CommandOutput) -> dict[str, BinaryIO]:
    """Opens the files of a plan, all of the same compile: the planner puts new ones into place under a lock."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems over a network have no locks
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        opened = {name: _opened(folder / name, stack, output) for name in NAMES_OF_A_PLAN}
    finally:
        os.close(descriptor)
    return {name: file for name, file in opened.items() if file is not None}


def _opened(path: Path, stack: ExitStack, output: CommandOutput) -> BinaryIO | None:
    """Opens a file until the stack ends; None when there is none. What is something else is left out, with a note."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe is not waited for
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return stack.enter_context(os.fdopen(descriptor, "rb"))
        os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ENXIO:  # a socket
            raise ConfigurationError(
                f"expected a file that can be read, but {path} cannot be: {error.strerror}"
            ) from error
    output.note(f"warning: expected a file at {path}, but it is something else: the archive is without it")
    return None


# ---------------------------------------------------------------- the file


def _target(file: Path, data_dir: Path) -> Path:
    """Returns the path that the archive takes: the end of a link. Raises ConfigurationError when it may not be taken.

    A file that is there is replaced when it is empty or is an archive, also one that was cut off.
    """
    try:
        # guard: a backup follows a link -> target = file
        target = end_of_links(file)
        # guard: a backup stays out of what it reads -> if False:
        if _real(target).is_relative_to(data_dir.resolve()):
            raise ConfigurationError(
                f"expected a file outside of the data directory {data_dir} for its archive, but {file} is in it"
            )
        if not target.exists():
            return target
        if not target.is_file():
            raise ConfigurationError(f"expected the name of a file for the archive, but {file} is something else")
        # guard: a backup replaces nothing but an archive -> if False:
        if target.stat().st_size and not _is_archive(target):
            raise ConfigurationError(
                f"expected a new file, or an archive of `signoff backup` to replace, but {file} is another file: "
                "name another one, or remove it"
            )
    except OSError as error:
        raise ConfigurationError(f"expected an archive that can be written, but got {error}") from error
    return target


def _real(target: Path) -> Path:
    """Returns the path without links in its folders."""
    return target.parent.resolve() / target.name


def _is_archive(file: Path) -> bool:
    """Tells whether a file begins as an archive does."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            first = tar.next()
    except (tarfile.TarError, EOFError):
        return False
    return first is not None and first.name.startswith(f"{STORE}/")


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """Opens a file beside the one that is wanted, which takes its name at the end of the block and survives then."""
    part = file.parent / part_name(file.name)
    try:
        with part.open("xb") as written:
            os.fchmod(written.fileno(), 0o600)
            yield written
            written.flush()
            os.fsync(written.fileno())
        part.replace(file)
    except OSError as error:
        raise ConfigurationError(f"expected an archive that can be written, but got {error}") from error
    finally:
        part.unlink(missing_ok=True)


def facts_of(manifest: Manifest) -> dict[str, int]:
    """Returns the sums of a manifest, for programs."""
    return {name: getattr(manifest, name) for name in ("events", "contents", "maps", "executions", "plans")}


def describe(manifest: Manifest) -> str:
    """Returns for example "1,234 events, 56 contents and 1 plan"."""
    only_artifacts = counted(manifest.executions, "execution") + " pruned to the artifacts"
    pruned = f", {only_artifacts}" if manifest.executions else ""
    events, contents = counted(manifest.events, "event"), counted(manifest.contents, "content")
    return f"{events}, {contents}{pruned} and {counted(manifest.plans, 'plan')}"

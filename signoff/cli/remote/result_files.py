"""Results of several files on the command line: a table of them, one of them, or all of them in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signoff.cli.show.output import CommandOutput
from signoff.cli.show.output_files import output_file, refuse_own, write_file
from signoff.client.client import Client
from signoff.client.result_files import ResultOf
from signoff.display.differences import MOST_BYTES, text_of
from signoff.display.file_changes import changes_between, describe_changes
from signoff.display.sizes import format_files, format_size
from signoff.errors import ConfigurationError
from signoff.files.folders import Inside
from signoff.manifest.manifest import FileEntry, Manifest, shown

HEADINGS = ("file", "type", "size")
MOST_IN_MEMORY = 64 * 1024 * 1024  # bytes of a file that goes to a terminal, into JSON or into a device
MOST_NAMED = 10  # files in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The part of a result that a person wants, and where it is to go."""

    output: str | None = None  #: a file, or a folder for all files; None: standard output
    path: str = ""  #: of one of its files; empty: the result itself


def manifest_record(manifest: Manifest) -> dict[str, Any]:
    """Returns a manifest for programs, with the names that the protos give its parts."""
    return {"main": manifest.main, "files": [file_record(file) for file in manifest.files]}


def file_record(file: FileEntry) -> dict[str, Any]:
    """Returns a file of a manifest for programs."""
    return {"path": file.path, "media_type": file.media_type, "size_bytes": file.size, "digest": file.digest}


def refuse_path(wanted: Wanted, what: str) -> None:
    """Raises ConfigurationError when a file of a result is wanted that has none."""
    if wanted.path:
        raise ConfigurationError(f"--file: expected a result with files, but {what} is one content")


def entry_named(manifest: Manifest, path: str) -> FileEntry:
    """Returns a file of a result. Raises ConfigurationError, which names the files that there are."""
    if path in manifest.by_path:
        return manifest.by_path[path]
    named = ", ".join(shown(file.path) for file in manifest.files[:MOST_NAMED])
    more = f" and {len(manifest.files) - MOST_NAMED:,} more" if len(manifest.files) > MOST_NAMED else ""
    raise ConfigurationError(f"--file: expected one of the files {named}{more}, but got {shown(path)}")


def file_lines(manifest: Manifest) -> Iterator[list[str]]:
    """Yields a row of the table for each file; the main one is marked."""
    for file in manifest.files:
        mark = " (main)" if file.path == manifest.main and len(manifest.files) > 1 else ""
        yield [f"{file.path}{mark}", file.media_type, format_size(file.size)]


async def put_files(
    client: Client, result: ResultOf, manifest: Manifest, wanted: Wanted, output: CommandOutput, command: str
) -> None:
    """Prints or writes what is wanted of a result with files. `command` is what a person types to see it."""
    if wanted.path:
        entry = entry_named(manifest, wanted.path)
        await (_put_file if wanted.output is None else _write_one)(client, result, entry, wanted, output)
    elif wanted.output is not None:
        await write_all(client, result, manifest, Path(wanted.output))
        if not output.json:
            output.note(f"{format_files(len(manifest.files), manifest.size)} in {wanted.output}")
    elif not output.json:
        output.table(HEADINGS, list(file_lines(manifest)))
        output.note(f"`{command} --file PATH` prints one of them, `{command} -o FOLDER` writes all")


async def _put_file(client: Client, result: ResultOf, entry: FileEntry, _wanted: Wanted, output: CommandOutput) -> None:
    if output.json:
        body = await file_body(client, result, entry)
        output.record({**file_record(entry), "content": body.decode(errors="replace")})
    elif output.is_terminal:
        body = await file_body(client, result, entry)
        if text_of(body) is None:
            raise ConfigurationError(
                f"--file: expected a text for a terminal, but {shown(entry.path)} is none: write it with -o FILE"
            )
        output.content(body)
    else:
        async with aclosing(client.file(result, entry)) as pieces:
            async for piece in pieces:
                output.content(piece)


async def _write_one(client: Client, result: ResultOf, entry: FileEntry, wanted: Wanted, output: CommandOutput) -> None:
    """Writes one file to a file, which takes its place once it is whole, or to a device or a pipe."""
    assert wanted.output is not None
    target = output_file(wanted.output)
    if _is_plain(target):
        with on_disk(target), Inside(target.parent, hidden=True) as inside, inside.writing(target.name) as file:
            async with aclosing(client.file(result, entry)) as pieces:
                async for piece in pieces:
                    file.write(piece)
    else:
        write_file(wanted.output, await file_body(client, result, entry))
    if output.json:
        output.record(file_record(entry))


def _is_plain(target: Path) -> bool:
    """Tells whether a path is that of a file, or of none yet, and neither that of a device nor a link."""
    return not target.is_symlink() and (target.is_file() or not target.exists()) and target.name not in ("", "..")


async def file_body(client: Client, result: ResultOf, entry: FileEntry) -> bytes:
    """Returns a file as a whole. Raises ConfigurationError for one that is too large to be held."""
    if entry.size > MOST_IN_MEMORY:
        raise ConfigurationError(
            f"--file: expected a file of at most {MOST_IN_MEMORY:,} bytes to show, but {shown(entry.path)} has "
            f"{entry.size:,}: write it with -o FILE"
        )
    async with aclosing(client.file(result, entry)) as pieces:
        return b"".join([piece async for piece in pieces])


async def write_all(client: Client, result: ResultOf, manifest: Manifest, folder: Path) -> None:
    """Writes all files of a result into a folder. Raises ConfigurationError when the disk refuses."""
    require_folder(folder, f"{len(manifest.files):,} files")
    with on_disk(folder):
        await client.save_files(result, manifest, folder)


def require_folder(folder: Path, what: str) -> None:
    """Raises ConfigurationError where something else than a folder is, or the folder of services."""
    refuse_own(folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"-o: expected a folder for {what}, or a place for a new one, but {folder} is none")


@contextlib.contextmanager
def on_disk(place: Path) -> Iterator[None]:
    """Turns an error of the disk into one that a person can mend."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"expected a place at {place} that can be written, but got {error}") from None


# ---------------------------------------------------------------- differences


async def describe_difference(
    client: Client, before: tuple[ResultOf, Manifest], after: tuple[ResultOf, Manifest], names: tuple[str, str]
) -> str:
    """Returns how two results with files differ; texts that changed are compared line by line, within bounds."""
    changes = changes_between(before[1], after[1])
    texts = dict[str, tuple[bytes, bytes]]()
    for old, new in changes.to_compare:
        texts[new.path] = (await file_body(client, before[0], old), await file_body(client, after[0], new))
    return "".join(describe_changes(changes, texts, *names))


async def main_text(client: Client, result: ResultOf, manifest: Manifest) -> bytes | None:
    """Returns the main file, when it is small enough to be shown before a question."""
    entry = manifest.main_file
    return await file_body(client, result, entry) if entry.size <= MOST_BYTES else None

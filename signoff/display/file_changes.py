"""The difference between two results with files: which were added, removed and changed, and how their texts differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from signoff.display.differences import MOST_BYTES, Side, difference
from signoff.display.sizes import format_size
from signoff.manifest.manifest import FileEntry, Manifest

MOST_TEXTS, MOST_TEXT_BYTES = 50, 8 * 1024 * 1024  # files, and bytes of both sides, that are compared line by line


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChanges:
    """The files in which two results differ, each in the order of paths."""

    added: tuple[FileEntry, ...]
    removed: tuple[FileEntry, ...]
    changed: tuple[tuple[FileEntry, FileEntry], ...]  #: before and after
    same: int  #: files that are alike

    @property
    def to_compare(self) -> tuple[tuple[FileEntry, FileEntry], ...]:
        """The changed files that are small enough to be compared line by line, as many as are compared."""
        chosen, size = list[tuple[FileEntry, FileEntry]](), 0
        for before, after in self.changed:
            size += before.size + after.size
            if len(chosen) == MOST_TEXTS or size > MOST_TEXT_BYTES:
                break
            if max(before.size, after.size) <= MOST_BYTES:
                chosen.append((before, after))
        return tuple(chosen)


def changes_between(before: Manifest, after: Manifest) -> FileChanges:
    """Returns the files in which two results differ."""
    both = [(before.by_path[file.path], file) for file in after.files if file.path in before.by_path]
    return FileChanges(
        added=tuple(file for file in after.files if file.path not in before.by_path),
        removed=tuple(file for file in before.files if file.path not in after.by_path),
        changed=tuple((old, new) for old, new in both if old.digest != new.digest),
        same=sum(old.digest == new.digest for old, new in both),
    )


def describe_changes(
    changes: FileChanges, texts: Mapping[str, tuple[bytes, bytes]], before: str, after: str
) -> Iterator[str]:
    """Yields the difference as lines with their ends: a line for each file, below it the diff of its text.

    `texts`: the contents of changed files before and after, by path, of those that are to be compared. `before`,
    `after`: the names of the results, such as "attempt 1".
    """
    counts = (("added", changes.added), ("removed", changes.removed), ("changed", changes.changed))
    yield f"{', '.join(f'{len(files):,} {what}' for what, files in counts)}, {changes.same:,} the same\n"
    for what, files in (("added", changes.added), ("removed", changes.removed)):
        for file in files:
            yield f"{what:7}  {file.path} ({file.media_type}, {format_size(file.size)})\n"
    for old, new in changes.changed:
        yield f"changed  {new.path} ({new.media_type}, {format_size(old.size)} before, {format_size(new.size)} now)\n"
        if new.path in texts:
            sides = zip((before, after), texts[new.path], strict=True)
            yield difference(*(Side(name=f"{name}: {new.path}", content=content) for name, content in sides))

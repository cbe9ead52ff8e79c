"""The rules for the members of an archive: their paths, their links, how many there are, and what comes out of them.

A path must stay in the folder that the archive is unpacked into, and so must what a link leads to. A link may not lead
through another link, nor may a member lie behind one: then no order of unpacking leads anywhere else.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from signoff.manifest.manifest import BadManifest, check_apart, folded
from signoff.plan.inputs import problem_of_path
from worker_svc.validate.checking.looked_at import named
from worker_svc.validate.checking.reading import CheckFailed

PIECE = 64 * 1024  # bytes that are unpacked at once
MAX_DEPTH = 100  # folders above a member

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(slots=True, kw_only=True)
class Members:
    """Takes the members of an archive one by one. Every method raises CheckFailed for what breaks a rule."""

    max_members: int
    max_bytes: int  #: that may come out of all members together
    count: int = 0
    unpacked: int = 0
    _files: list[str] = field(default_factory=list)
    _folders: dict[str, str] = field(default_factory=dict)  #: the path as it is written, by the folded path
    _links: dict[str, str] = field(default_factory=dict)  #: the target of each link, by its path

    def begin(self, path: str, *, is_folder: bool = False) -> str:
        """Counts a member, and returns its path without the "/" behind a folder and the "./" before it."""
        self.count += 1
        # guard: members of an archive are counted -> if False:
        if self.count > self.max_members:
            raise CheckFailed(f"expected at most {self.max_members:,} members, but it has more")
        plain = _plain(path, is_folder=is_folder)
        if plain and is_folder:
            self._folders.setdefault(folded(plain), plain)
        elif plain:
            self._files.append(plain)
        return plain

    def unpack(self, size: int, path: str) -> None:
        """Counts bytes that came out of a member."""
        self.unpacked += size
        # guard: bytes of an archive are counted as they come out -> if False:
        if self.unpacked > self.max_bytes:
            raise CheckFailed(f"expected at most {self.max_bytes:,} bytes to come out, but at {named(path)} it is more")

    def link(self, path: str, target: str, *, is_hard: bool = False) -> None:
        """Notes a link. A symbolic one leads on from its own folder, a hard one from that of the archive."""
        self._links[path] = target if is_hard else posixpath.join(posixpath.dirname(path), target)
        # guard: a link stays in the archive -> if False:
        if _is_absolute(target) or not _stays_inside(self._links[path]) or not target.isprintable():
            raise CheckFailed(f"expected links that stay inside, but {named(path)} leads to {named(target)}")

    def end(self) -> None:
        """Checks all members together: there are some, no two have one path, and none lies behind a link."""
        if not self.count:
            raise CheckFailed("expected an archive with members, but it has none")
        try:
            check_apart(self._files)
        except BadManifest as problem:
            raise CheckFailed(str(problem)) from None
        for path in self._files:
            if (folder := self._folders.get(folded(path))) is not None:
                raise CheckFailed(f"expected {named(path)} to be a file or a folder, but {named(folder)} is both")
        links = frozenset(map(folded, self._links))
        for path, target in self._links.items():
            if (behind := _behind(target, links)) is not None:
                why = f"but {named(path)} leads through {behind}"
                raise CheckFailed(f"expected links that lead through no other, {why}")
        for path in (*self._files, *self._folders.values()):
            if links and (behind := _behind(path, links)) is not None:
                raise CheckFailed(f"expected no member behind a link, but {named(path)} is behind {behind}")


def refuse(path: str, what: str) -> CheckFailed:
    """Returns the error for a member that no archive may have."""
    return CheckFailed(f"expected files, folders and links alone, but {named(path)} is {what}")


def _plain(path: str, *, is_folder: bool) -> str:
    """Returns a member's path in its one form; empty for the folder of the archive itself."""
    plain = path.removesuffix("/") if is_folder else path
    while plain.startswith("./"):
        plain = plain[2:]
    if is_folder and plain in ("", ".") and not path.startswith("/"):
        return ""
    # guard: members of an archive stay in its folder -> problem = ""
    problem = problem_of_path(plain)
    if not problem and _DRIVE.match(plain):
        problem = "expected a path without the letter of a drive"
    if not problem and plain.count("/") > MAX_DEPTH:
        problem = f"expected at most {MAX_DEPTH} folders above a member"
    if problem:
        raise CheckFailed(f"{problem}: {named(path)}")
    return plain


def _is_absolute(target: str) -> bool:
    return target.startswith(("/", "\\")) or "\\" in target or _DRIVE.match(target) is not None


def _stays_inside(path: str) -> bool:
    """Tells whether no part of a path leads above the folder that it begins in."""
    depth = 0
    for part in path.split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return False
    return True


def _behind(path: str, links: frozenset[str]) -> str | None:
    """Returns the name of the link that a path leads through; None: it leads through none."""
    names = path.split("/")
    for end in range(1, len(names)):
        above = posixpath.normpath("/".join(names[:end]))
        if folded(above) in links:
            return named(above)
    return None

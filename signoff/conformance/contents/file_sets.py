"""The files that the kit has workers make and read: their bytes, their manifest, and manifests of workers in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from signoff.conformance.messages import digest_of
from signoff.conformance.outcome import NotMet
from signoff.manifest.manifest import (
    MANIFEST_TYPE,
    BadManifest,
    FileEntry,
    Manifest,
    check_lengths,
    manifest_from_json,
    manifest_of,
    shown,
)
from signoff.manifest.patterns import matches
from signoff.plan.inputs import media_type_of

# The last two names stand the other way round where strings are compared by units of UTF-16.
TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "report.md": "# Planets\n\nMars is one of them.\n",
        "tables/planets.csv": "planet,moons\nMars,2\nVenus,0\n",
        "tables/moons/Mars": "Phobos\nDeimos\n",
        "notes/Mars.txt": "It is red.\n",
        "notes/again.txt": "It is red.\n",
        "notes/empty.txt": "",
        "notes/～.txt": "It has an atmosphere.\n",
        "notes/🪐.txt": "It has rings.\n",
        "scratch.log": "No pattern matches this one.\n",
    }
)
PATTERNS = ("notes/*.txt", "report.md", "tables/**")  # the main file is the first note, and not the first file

READ: Mapping[str, bytes] = MappingProxyType(
    {"report.md": b"# Planets\n\nMars has two moons.\n", "tables/moons.csv": b"Phobos,Mars\nDeimos,Mars\n" * 20_000}
)  # the table comes in several chunks


def manifest_of_texts(texts: Mapping[str, str], patterns: tuple[str, ...]) -> Manifest:
    """Returns the manifest of those texts that a pattern matches."""
    paths = sorted(path for path in texts if any(matches(path, pattern) for pattern in patterns))
    main = next(path for path in paths if matches(path, patterns[0]))
    return manifest_of([_entry(path, texts[path].encode()) for path in paths], main)


def manifest_of_bodies(bodies: Mapping[str, bytes], main: str) -> Manifest:
    """Returns the manifest of some files."""
    return manifest_of([_entry(path, body) for path, body in bodies.items()], main)


def _entry(path: str, body: bytes) -> FileEntry:
    media_type = media_type_of(path, is_text=True)
    return FileEntry(path=path, media_type=media_type, size=len(body), digest=digest_of(body))


def manifest_in(said: Any, body: bytes) -> Manifest:
    """Returns the manifest that a candidate is. Raises NotMet when it is none, or not in its one form."""
    if said.media_type != MANIFEST_TYPE:
        raise NotMet(f"expected a candidate of the media type {MANIFEST_TYPE}, but got {said.media_type!r}")
    try:
        manifest = manifest_from_json(body)
        check_lengths(manifest)
    except BadManifest as problem:
        raise NotMet(f"expected a manifest in its one form, but it breaks a rule: {problem}") from None
    return manifest


def require_same(got: Manifest, expected: Manifest) -> None:
    """Raises NotMet with the first difference between two manifests."""
    if missing := [path for path in expected.by_path if path not in got.by_path]:
        raise NotMet(f"expected the file {shown(missing[0])}, as the task wants, but the manifest has none")
    if more := [path for path in got.by_path if path not in expected.by_path]:
        raise NotMet(f"expected only files that a pattern of the task matches, but got {shown(more[0])}")
    for path, entry in expected.by_path.items():
        for name in ("media_type", "size", "digest"):
            wanted, found = getattr(entry, name), getattr(got.by_path[path], name)
            if wanted != found:
                raise NotMet(f"expected {shown(path)} with the {name} {wanted}, but the manifest says {found}")
    if got.main != expected.main:
        first = f"{shown(expected.main)}, the first that the first pattern matches"
        raise NotMet(f"expected the main file to be {first}, but got {shown(got.main)}")

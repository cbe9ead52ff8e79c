"""Files of candidates, drawn by chance: streams that bring them, and manifests that name them, most of them good."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from runner_svc.contents import LARGE_BYTES
from signoff.manifest.manifest import MANIFEST_TYPE, MAX_FILES, MAX_FILES_BYTES, FileEntry, Manifest, manifest_to_json
from signoff.v1 import runner_pb2
from tests.hostile.drawn_messages import Drawer
from tests.support.work.brought_files import digest_of, entry_of

Upload = runner_pb2.UploadFilesRequest

LARGE = os.urandom(LARGE_BYTES + 1)  # it lies in the object store, when there is one
CHUNK = 300_000
PIECES = 300  # of a file that comes byte by byte
PATHS = ("report.md", "charts/a.png", "charts/b.png", "b.csv", ".hidden", "ä/金星.txt", "x" * 255, "a/" * 90 + "a")
ODD_PATHS = (
    "", ".", "..", "../x", "/etc/passwd", "a//b", "a/../b", "a\\b", "C:\\x", "a\x00b", "a\nb", "\u202ecod.exe",
    "REPORT.md", "report.md/x", "x" * 1_025, "x" * 256, "金" * 86, "a/" * 200 + "a", "charts", "files.new-1/x",
    "output.json", "cafe\u0301",
)  # fmt: skip


@dataclass(slots=True)
class DrawnUpload:
    """A stream: its messages, and how the client leaves it."""

    messages: list[bytes]
    is_left: bool = False  #: before its end
    files: dict[str, bytes] = field(default_factory=dict)  #: by digest: what it brings, if all of it is taken


class DrawnFiles:
    """Draws streams of files, and remembers what was brought under which lease."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer
        self._chance = drawer.chance
        self._brought: dict[str, dict[str, bytes]] = {}

    def took(self, lease: str, upload: DrawnUpload) -> None:
        """Remembers what the runner has taken."""
        self._brought.setdefault(lease, {}).update(upload.files)

    def has_brought(self, lease: str) -> bool:
        return bool(self._brought.get(lease))

    # ------------------------------------------------------------ streams

    def upload(self, lease: str) -> DrawnUpload:
        """Draws a stream under a lease: half of them are good."""
        bodies = [self._body() for _ in range(self._chance.randint(1, 4))]
        messages = [message for body in bodies for message in _file(body)]
        messages[0].lease_id = lease
        good = DrawnUpload([], files={digest_of(body): body for body in bodies})
        if self._chance.random() < 0.5:
            self._remember(good.files)
        else:
            good.files = {}
            good.is_left = self._chance.random() < 0.3
            messages = self._chance.choice(self._damages())(messages)
        good.messages = [message.SerializeToString() for message in messages]
        return good

    def content(self) -> DrawnUpload:
        """Draws a stream of UploadContent."""
        body = self._body()
        digest = digest_of(body) if self._chance.random() < 0.7 else digest_of(b"other")
        messages = [runner_pb2.UploadContentRequest(chunk=piece) for piece in _pieces(body)]
        messages[0].digest = digest
        if self._chance.random() < 0.3:
            place = self._chance.randrange(len(messages) + 1)
            messages.insert(place, self._drawer.message(runner_pb2.UploadContentRequest))
        return DrawnUpload([message.SerializeToString() for message in messages], self._chance.random() < 0.1)

    def _body(self) -> bytes:
        if self._chance.random() < 0.04:
            return LARGE[: self._chance.choice((LARGE_BYTES, LARGE_BYTES + 1))]
        return self._chance.choice((b"", b"text", b"# Report", self._chance.randbytes(30), self._chance.randbytes(30)))

    def _remember(self, files: Mapping[str, bytes]) -> None:
        for digest in files:
            self._drawer.known.add("digest", digest)
            self._drawer.known.add("digests", digest)

    def _damages(self) -> Sequence[Callable[[list[Upload]], list[Upload]]]:
        return (
            self._any,
            self._any,
            self._begun_anew,
            self._bytewise,
            lambda sent: sent[: self._chance.randrange(len(sent))],
            lambda sent: [*sent, *sent],
            lambda sent: self._changed(sent, "digest", digest_of(b"other")),
            lambda sent: self._changed(sent, "digest", ""),
            lambda sent: self._changed(sent, "lease_id", "never.0.1"),
            lambda sent: self._changed(sent, "size_bytes", self._chance.choice((0, 1, 31, MAX_FILES_BYTES, 2**53))),
            lambda sent: self._changed(sent, "chunk", self._chance.choice((b"", b"more", LARGE))),
        )

    def _any(self, sent: list[Upload]) -> list[Upload]:
        """Puts any message of the kind somewhere."""
        place = self._chance.randrange(len(sent) + 1)
        return [*sent[:place], self._drawer.message(Upload), *sent[place:]]

    def _begun_anew(self, sent: list[Upload]) -> list[Upload]:
        """Begins a file again before all of it has come."""
        body = LARGE
        begun = _file(body)
        return [*sent, begun[0], begun[1], *begun]

    def _bytewise(self, sent: list[Upload]) -> list[Upload]:
        """Sends a file in the smallest pieces, some of them empty."""
        body = self._chance.randbytes(PIECES // 2)
        begun = Upload(digest=digest_of(body), size_bytes=len(body))
        pieces = [Upload(chunk=body[n : n + 1]) for n in range(len(body))]
        return [*sent, begun, *(message for piece in pieces for message in (piece, Upload()))]

    def _changed(self, sent: list[Upload], name: str, value: object) -> list[Upload]:
        setattr(self._chance.choice(sent), name, value)
        return sent

    # ------------------------------------------------------------ manifests

    def manifest(self, lease: str) -> bytes:
        """Draws a manifest of what was brought under a lease: half of them are good."""
        brought = [*self._brought.get(lease, {}).values()] or [b"absent"]
        paths = self._chance.sample(PATHS, self._chance.randint(1, len(PATHS)))
        entries = [entry_of(path, self._chance.choice(brought)) for path in sorted(paths)]
        if self._chance.random() < 0.5:
            return _manifest(entries)
        return self._chance.choice(
            (
                self._forged,
                lambda entries: _manifest(sorted([*entries, entry_of(PATHS[0], b"absent")], key=_path)),
                lambda entries: _manifest([*entries, entry_of(self._chance.choice(ODD_PATHS), brought[0])]),
                lambda entries: _manifest(sorted([*entries, self._odd_entry(brought[0])], key=_path)),
                lambda entries: _manifest([*entries, *entries]),
                lambda entries: _manifest([*reversed(entries)]),
                lambda entries: _manifest(entries, main="elsewhere"),
                lambda _: _manifest([], main="none"),
                lambda _: _manifest([entry_of(f"{n}", b"absent") for n in range(MAX_FILES // 50)]),
            )
        )(entries)

    def _odd_entry(self, body: bytes) -> FileEntry:
        """Draws an entry whose size, digest or media type is another one."""
        made = {"path": "z", "media_type": "text/plain", "size": len(body), "digest": digest_of(body)}
        made |= self._chance.choice(
            (
                {"size": len(body) + 1},
                {"size": -1},
                {"size": 2**70},
                {"digest": digest_of(b"never brought")},
                {"digest": "x"},
                {"media_type": MANIFEST_TYPE},
                {"media_type": "\x00"},
            )
        )
        return FileEntry(**made)  # type: ignore[arg-type]

    def _forged(self, entries: Sequence[FileEntry]) -> bytes:
        """Draws bytes that only look like a manifest."""
        good = _manifest(entries)
        place = self._chance.randrange(len(good) + 1)
        return self._chance.choice(
            (
                good[:place],
                good[:place] + self._chance.randbytes(3) + good[place:],
                good + b"\n",
                good.replace(b"\n", b"\r\n"),
                good.replace(b":", b": "),
                good.replace(b'"size":', b'"size":1e'),
                good.replace(b'"path":"', b'"path":"\\u0041'),
                b"\xef\xbb\xbf" + good,
                json.dumps(json.loads(good)).encode(),
                b'{"main":"a","files":[\n' + b"[" * 100_000 + b"\n]}",
                b'{"main":"a","files":[\n' + b"\n" * (MAX_FILES + 1) + b"]}",
                b"{}",
                b"",
            )
        )


def _file(body: bytes) -> list[Upload]:
    """Returns the messages of one file."""
    first, *rest = _pieces(body)
    begun = Upload(digest=digest_of(body), size_bytes=len(body), chunk=first)
    return [begun, *(Upload(chunk=piece) for piece in rest)]


def _pieces(body: bytes) -> list[bytes]:
    return [body[start : start + CHUNK] for start in range(0, max(1, len(body)), CHUNK)]


def _manifest(entries: Sequence[FileEntry], main: str = "") -> bytes:
    return manifest_to_json(Manifest(main=main or entries[0].path, files=tuple(entries)))


def _path(entry: FileEntry) -> str:
    return entry.path

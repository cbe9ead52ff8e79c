"""Candidates with files, as a judge reads them: texts, facts about the others, and pictures where it may see them.

A candidate is judged in one request when its texts fit, else in parts, as a long text is. Each part has whole files as
far as they fit. Quotations are looked up in the texts of the part alone: names and facts are no evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker_svc.assignment import Artifact
from worker_svc.llm.port import Picture
from worker_svc.prompts.blocks import facts_of, is_text
from worker_svc.prompts.candidate_files import CandidateFiles, ShownFile
from worker_svc.prompts.messages import MAX_TOTAL_CHARS
from worker_svc.prompts.pictures import pictures_of
from worker_svc.prompts.pieces import FilePiece, files_of
from worker_svc.validate.invisible import made_visible
from worker_svc.validate.judge.parts import MOST_PARTS, UTF8_MOST, parts_of

MOST_FACTS = 100  # lines about files that are no texts
FRAME_CHARS = 120  # around a text, besides its path

NOTHING_TO_READ = (
    "the judge reads texts, and none of the candidate's files is one: give the task checks, functions or programs as "
    'checks, "human": true, or "judge": {"images": true} for pictures'
)
NO_PICTURES = (
    "the judge reads texts and sees pictures, and none of the candidate's files is one that it can be shown: give the "
    'task checks, functions or programs as checks, or "human": true'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesPart:
    """A part of a candidate with files, for one request."""

    files: CandidateFiles
    text: str  #: that can be quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableFiles:
    """A candidate with files as a judge can read it."""

    parts: tuple[FilesPart, ...]  #: empty: its texts are too long to be judged
    text: str  #: all of it
    has_pictures: bool

    @property
    def is_readable(self) -> bool:
        """Tells whether there is anything that a judge can read or see."""
        return bool(self.text.strip()) or self.has_pictures


def readable(candidate: Artifact, *, images: bool) -> ReadableFiles:
    """Reads the files of a candidate. `images`: the judge may see pictures. Blocks: call it in a thread."""
    files = files_of(candidate)
    texts = [file for file in files if is_text(file)]
    pictures = pictures_of(files) if images else ()
    facts = tuple(_facts([file for file in files if not is_text(file)], pictures, images=images))
    if sum(len(file.content) for file in texts) > UTF8_MOST * MAX_TOTAL_CHARS * MOST_PARTS:
        return ReadableFiles(parts=(), text="…", has_pictures=bool(pictures))
    packed = list(_packed(texts)) or [[]]
    parts = [
        FilesPart(files=CandidateFiles(texts=tuple(shown), facts=facts, pictures=pictures), text=_joined(shown))
        for shown in packed
    ]
    whole = "\n\n".join(file.content[:].decode(errors="replace") for file in texts)
    return ReadableFiles(
        parts=tuple(parts) if len(parts) <= MOST_PARTS else (), text=whole, has_pictures=bool(pictures)
    )


def _packed(files: Sequence[FilePiece]) -> Iterator[list[ShownFile]]:
    """Yields the texts for each request, in order."""
    shown, left = list[ShownFile](), MAX_TOTAL_CHARS
    for file in files:
        most = MAX_TOTAL_CHARS - len(file.path) - FRAME_CHARS
        for text in parts_of(file.content[:], most):
            size = len(made_visible(text)) + len(file.path) + FRAME_CHARS
            if size > left and shown:
                yield shown
                shown, left = [], MAX_TOTAL_CHARS
            shown.append(ShownFile(path=file.path, media_type=file.media_type, digest=file.digest, text=text))
            left -= size
    if shown:
        yield shown


def _joined(shown: Sequence[ShownFile]) -> str:
    return "\n\n".join(file.text for file in shown)


def _facts(others: Sequence[FilePiece], pictures: Sequence[Picture], *, images: bool) -> Iterator[str]:
    """Yields a line about each file that is neither read nor seen, and one for the rest of many."""
    seen = {picture.path for picture in pictures}
    unseen = [file for file in others if file.path not in seen]
    yield from map(facts_of, unseen[:MOST_FACTS])
    if (more := len(unseen) - MOST_FACTS) > 0:
        yield f"And {more:,} more files that are no texts."
    if images and unseen:
        yield 'What you are not shown you cannot judge: say "cannot_tell" where it matters.'

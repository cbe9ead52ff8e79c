"""Blocks of data in a prompt: each piece stands between delimiters that it cannot write itself.

The delimiters carry the digest of the content that they enclose. No content can hold its own SHA-256, so no content can
end its own block.
"""

from __future__ import annotations

import codecs
import hashlib
import re

from signoff.bounds import clipped
from worker_svc.assignment import Artifact, Bytes
from worker_svc.prompts.facts import picture_fact
from worker_svc.prompts.pieces import FilePiece, Piece
from worker_svc.validate.invisible import made_visible

MAX_NAME_CHARS = 200  # of an artifact's name in a prompt
LOOKED_AT_BYTES = 64 * 1024  # of an artifact, to tell whether it is a text
LOOKED_AT_FILE_BYTES = 4 * 1024  # the same of each of many files
FRAME_CHARS = 220  # at most, of a block besides its title and its content: the delimiters, and the note about a cut

_UTF8_MOST = 4  # bytes of a character
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}(?:; ?[\w-]{1,30}=[\w.+-]{1,30})?", re.ASCII)


def block(artifact: Piece, limit: int, *, read: int = 0, unseen: bool = False) -> list[str]:
    """Returns the artifact as a block of at most `limit` characters, and a note when that is not all of it.

    `read`: characters to read of it, when that is more. `unseen`: characters that a reader does not see become marks.
    """
    text, is_all = text_of(artifact, max(read, limit), unseen=unseen)
    shown = text[:limit]
    lines = [title(artifact), *_enclosed(artifact, shown)]
    if not is_all or len(text) > limit:
        size = len(artifact.content)
        lines.append(f"(Only the first {len(shown)} characters of {size} bytes are shown; the rest was cut off here.)")
    return lines


def delimited(content: Bytes, shown: str) -> list[str]:
    """Puts a text between delimiters with the digest of its content."""
    return between(hashlib.sha256(content).hexdigest(), shown)


def between(digest: str, shown: str) -> list[str]:
    """Puts a text between delimiters with a digest, which is that of the content that the text is from."""
    # guard: a block has its own digest -> digest = "0" * 32
    digest = digest[:32]
    return [f"<<<BEGIN {digest}", shown, f"<<<END {digest}"]


def _enclosed(piece: Piece, shown: str) -> list[str]:
    """The digest of a file was compared when it came; to read all of it again would take long."""
    return between(piece.digest, shown) if isinstance(piece, FilePiece) else delimited(piece.content, shown)


def text_of(artifact: Piece, most: int, *, unseen: bool = False) -> tuple[str, bool]:
    """Returns the text of the bytes that `most` characters may take, and whether that is all of it."""
    text = artifact.content[: _UTF8_MOST * most].decode("utf-8", errors="replace")
    return made_visible(text) if unseen else text, len(artifact.content) <= _UTF8_MOST * most


def title(artifact: Piece) -> str:
    """Returns the line before a block. Its media type comes from a worker, so it must look like one."""
    media_type = artifact.media_type if _MEDIA_TYPE.fullmatch(artifact.media_type) else "unknown type"
    return f"{name_of(artifact)} ({origin_of(artifact)}, {media_type})"


def origin_of(artifact: Piece) -> str:
    """Says where an artifact comes from."""
    return f"made by task {artifact.task_id}" if artifact.task_id else "an input of the plan"


def facts_of(artifact: Piece) -> str:
    """Returns a line about an artifact that is no text, in the place of its block."""
    size = f"{len(artifact.content)} bytes that are no text, so they are not shown."
    return f"{title(artifact)}: {size}{picture_fact(artifact)}"


def is_text(artifact: Piece) -> bool:
    """Tells whether an artifact is a text in UTF-8, as far as its beginning shows."""
    most = LOOKED_AT_BYTES if isinstance(artifact, Artifact) else LOOKED_AT_FILE_BYTES
    beginning = artifact.content[:most]
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning, len(artifact.content) <= most)
    except UnicodeDecodeError:
        return False
    return b"\0" not in beginning


def name_of(artifact: Piece) -> str:
    """Returns the artifact's name in a prompt: a very long one is cut."""
    return clipped(artifact.name, MAX_NAME_CHARS) or "unnamed"

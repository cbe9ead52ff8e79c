"""The ways in which one secret may be written once escapes are read: as it is, in base64, in hex."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST_ESCAPE = 24  # bytes of one byte, all layers together; most are a third of it
SLACK = 64  # bytes of an escape that has only begun

LINE_ENDS, SEPARATORS = b"\r\n", b" \t\r\n:,-"
BLANK_LETTERS = b"nrt"  # of the escapes for line ends and tabs
LOWER_HEX = bytes.maketrans(b"ABCDEF", b"abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needles:
    """One secret as it may be written in a text whose escapes are read."""

    texts: tuple[bytes, ...]  #: where line ends are left out
    hexed: bytes  #: where separators are left out besides
    longest: int  #: bytes that any of them may take, escaped

    @classmethod
    def of(cls, secret: str) -> Needles:
        plain = secret.encode(errors="surrogatepass")
        spaced = (plain, plain.replace(b" ", b"+"))
        texts = (*(text.translate(None, LINE_ENDS) for text in spaced), *_in_base64(plain))
        # A backslash before the secret, as in a path, makes an escape of its first letter: then the rest is found.
        # guard: a backslash hides no key -> (removed)
        texts += tuple(text[1:] for text in texts if text[0] in BLANK_LETTERS)
        return cls(
            texts=tuple(dict.fromkeys(texts)),
            hexed=plain.hex().encode(),
            longest=_LONGEST_ESCAPE * len(plain) + SLACK,
        )


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """Yields the base64 characters of the secret alone, for each number of bytes that a group may have before it."""
    for before in range(3):
        coded = b64encode(bytes(before) + plain)
        first, last = -(-before * 8 // 6), (before + len(plain)) * 8 // 6
        yield coded[first:last]
        yield coded[first:last].translate(bytes.maketrans(b"+/", b"-_"))

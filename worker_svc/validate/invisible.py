"""Characters that a reader does not see, and how a judge gets to see them.

Invisible are the characters that Unicode calls default-ignorable: zero-width spaces and joiners, marks and overrides of
direction, tags, variation selectors, fillers. Many scripts and emoji need some of them, so they are no fault of a text.
But they can pad a text that is too short, split a word that must not be there, and carry a message that a model reads
and a person does not.
"""

from __future__ import annotations

import re

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties; Python's unicodedata does not have it.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_CONTROL = "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"  # without the white space among them

# No ordinary text has these: control characters, overrides of direction, and tags, which spell ASCII unseen.
_SUSPICIOUS = re.compile(f"[{_CONTROL}\u202a-\u202e\u2066-\u206f\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]")
_MOST_TOGETHER = 2  # in ordinary text: a variation selector and a joiner, within an emoji

_IGNORABLES = re.compile(f"[{_IGNORABLE}]+")
_UNSEEN = re.compile(f"[{_CONTROL}{_IGNORABLE}]+")
_VISIBLE = re.compile(f"[^\\s{_CONTROL}{_IGNORABLE}]")


def without_invisible(text: str) -> str:
    """Returns the text as a reader sees it."""
    return text if text.isascii() else _IGNORABLES.sub("", text)


def has_visible(text: str) -> bool:
    """Tells whether a reader sees anything at all."""
    return _VISIBLE.search(text) is not None


def made_visible(text: str) -> str:
    """Returns the text with marks such as ⟨U+202E⟩ for suspicious characters and for each run of unseen ones.

    Single joiners, selectors and marks of direction stay: scripts and emoji need them.
    """
    return _UNSEEN.sub(lambda run: _mark(run[0]), text)


def _mark(run: str) -> str:
    if len(run) <= _MOST_TOGETHER and not _SUSPICIOUS.search(run):
        return run
    more = f" and {len(run) - 1} more unseen" if len(run) > 1 else ""
    return f"⟨U+{ord(run[0]):04X}{more}⟩"

"""Names of results on a disk, for people: "02-announcement.md", or the folder "03-sales-report" for one with files.

A name tells what is in it: the artifact's name, or the task's id with the beginning of its description. A number in
front puts the results into the order of the plan; it depends on the plan alone, so a result has the same name before
and after others are signed off. Names are safe on every common disk, and differ in more than their case.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from signoff.display.natural_order import natural
from signoff.display.visible_text import visible
from signoff.manifest.media_types import suffix_of
from signoff.v1 import execution_pb2 as pb

MOST_NAME_BYTES = 80  # of UTF-8, without number and suffix: a name on a disk has at most 255
INDEX = "index.json"  # beside the results of an export
MANIFEST = "manifest.json"  # in a zip file of results

_KEPT_SIGNS = frozenset("_-+")  # besides letters, marks and digits of any script
_TAKEN = frozenset({INDEX, MANIFEST})
_DEVICES = frozenset(  # names that Windows gives to devices, with any suffix
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
)


def result_names(
    results: Iterable[pb.ArtifactInfo], task_ids: Iterable[str], about: Mapping[str, str]
) -> dict[str, str]:
    """Returns for each result, by its task, the name of its file, or of its folder when it has files.

    `task_ids`: all tasks of the execution, whether or not they have a result. `about`: their descriptions; those of
    tasks whose results have names of their own may be missing.
    """
    order = {task_id: number for number, task_id in enumerate(natural(task_ids), 1)}
    width = len(str(len(order)))
    names = dict[str, str]()
    for info in results:
        end = "" if info.file_count else suffix_of(info.media_type)
        stem = _stem(info, about.get(info.task_id, ""), end)
        is_plain = len(order) == 1 and f"{stem}{end}".casefold() not in _TAKEN and stem.casefold() not in _DEVICES
        # guard: results have names apart -> number = ""
        number = "" if is_plain else f"{order.get(info.task_id, 0):0{width}}-"
        names[info.task_id] = f"{number}{stem}{end}"
    return names


def has_own_name(info: pb.ArtifactInfo) -> bool:
    """Tells whether a result is called by its artifact's name, and not by its task's description."""
    return bool(safe_name(info.name))


def _stem(info: pb.ArtifactInfo, about: str, end: str) -> str:
    """Returns the name without number and suffix; never empty."""
    own = info.name
    if end and own.lower().endswith(end):
        own = own[: -len(end)]
    return safe_name(own) or safe_name(f"{info.task_id} {about}") or "result"


def safe_name(text: str) -> str:
    """Returns a text as a part of a file's name: letters, digits and a few signs, at most MOST_NAME_BYTES."""
    # guard: names of results are tame -> kept = text
    kept = "".join(character if _is_kept(character) else "-" for character in unicodedata.normalize("NFC", text[:1000]))
    words = "-".join(word for word in kept.split("-") if word)
    cut = words.encode()[:MOST_NAME_BYTES].decode(errors="ignore")
    return cut.strip("-")


def _is_kept(character: str) -> bool:
    if character in _KEPT_SIGNS:
        return True
    return unicodedata.category(character)[0] in "LMN" and visible(character) == character

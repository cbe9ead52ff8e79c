"""Inputs of a plan: their names, their places in texts, the media types of files, and the digest of all together."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from signoff.plan.limits import MAX_FILE_NAME_BYTES, MAX_FILE_PATH_BYTES, MAX_INPUT_PATH_CHARS

NAME_RULE = "letters, digits, _ and -, not - first, at most 128 characters"
TEXT_TYPE, JSON_TYPE = "text/plain", "application/json"

#: A place in a text where the value of an input is put: `{{inputs.NAME}}`.
PLACE = re.compile(r"\{\{[ \t]*inputs\.((?:[ \t]*+[^{}\n \t]++)*+)[ \t]*\}\}")

_NAME = re.compile(r"\w[\w-]{0,127}")
#: The media types of files, by the ends of their names.
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "text/csv",
        ".tsv": "text/tab-separated-values",
        ".txt": "text/plain",
        ".log": "text/plain",
        ".md": "text/markdown",
        ".markdown": "text/markdown",
        ".html": "text/html",
        ".htm": "text/html",
        ".xml": "application/xml",
        ".json": "application/json",
        ".jsonl": "application/jsonl",
        ".yaml": "application/yaml",
        ".yml": "application/yaml",
        ".sql": "application/sql",
        ".py": "text/x-python",
        ".sh": "text/x-shellscript",
        ".diff": "text/x-diff",
        ".patch": "text/x-diff",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".gif": "image/gif",
        ".webp": "image/webp",
        ".pdf": "application/pdf",
        ".zip": "application/zip",
        ".gz": "application/gzip",
        ".parquet": "application/vnd.apache.parquet",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".mp3": "audio/mpeg",
        ".mp4": "video/mp4",
    }
)


#: The usual end of a file's name, by media type.
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {media_type: suffix for suffix, media_type in reversed(tuple(MEDIA_TYPES.items()))}
)


def is_input_name(name: str) -> bool:
    """Tells whether an input of a plan may have this name."""
    return _NAME.fullmatch(name) is not None


def media_type_of(path: str, *, is_text: bool) -> str:
    """Returns the media type of a file by the end of its name; the same on every machine, since it is part of keys.

    `is_text`: its bytes are UTF-8. It decides about a name whose end is not known.
    """
    name = path.rpartition("/")[2].lower()
    known = MEDIA_TYPES.get(f".{name.rpartition('.')[2]}") if "." in name else None
    return known or (TEXT_TYPE if is_text else "application/octet-stream")


def problem_of_path(path: str) -> str:
    """Says what is wrong with the path of a new file, of an input or of a result; empty: nothing."""
    return problem_of_kept_path(path) or problem_of_length(path)


def problem_of_length(path: str) -> str:
    """Says why a path is too long for a disk; empty: it is not. Earlier versions have taken such paths."""
    size, longest = _bytes_in(path), max(map(_bytes_in, path.split("/")))
    # guard: names of files are as short as disks want them -> if False:
    if longest > MAX_FILE_NAME_BYTES:
        return f"expected names of at most {MAX_FILE_NAME_BYTES} bytes in UTF-8, but got one of {longest:,}"
    if size > MAX_FILE_PATH_BYTES:
        return f"expected a path of at most {MAX_FILE_PATH_BYTES:,} bytes in UTF-8, but got {size:,}"
    return ""


def _bytes_in(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def problem_of_kept_path(path: str) -> str:
    """Says what is wrong with the path of a file that is kept already, maybe by an earlier version; empty: nothing."""
    if len(path) > MAX_INPUT_PATH_CHARS:
        return f"expected a path of at most {MAX_INPUT_PATH_CHARS:,} characters, but got {len(path):,}"
    if not path.isprintable():
        return "expected a path without control characters"
    if any(part in ("", ".", "..") for part in path.split("/")) or "\\" in path:
        return 'expected a path of names with "/" between them, without ".." and "\\"'
    return ""


def digest_of_inputs(files: Iterable[tuple[str, str, str, str]]) -> str:
    """Returns the digest of all inputs of an execution: SHA-256 in hex; empty when there are none.

    `files`: the name of the input, the path, the media type and the digest of each file, in order.
    """
    rows = [list(file) for file in files]
    if not rows:
        return ""
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def digest_of_given(given: Iterable[Any]) -> str:
    """Returns the digest of GivenInputs whose texts and JSON have a file that describes their content."""
    return digest_of_inputs(
        (each.name, file.path, file.media_type, file.digest) for each in given for file in each.files
    )

"""output.json: an artifact as a JSON document for people.

JSON is put into it as it is, so that every number keeps its digits. Of a result with files it has their list.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from runner_svc.core.model.values import Content, ExecutionId
from signoff.manifest.manifest import Manifest

MOST_JSON = 256 * 1024  # bytes of JSON that are parsed here: more would hold up the whole runner
READ_WITHIN = 60.0  # seconds for a process that parses more


@dataclass(frozen=True, slots=True)
class Output:
    """The contents of a file to write."""

    execution: ExecutionId
    plan_id: str
    task_id: str
    artifact: str
    content: Content


def document_of(output: Output, body: bytes) -> bytes:
    """Returns output.json of one content."""
    document = json.dumps(_head(output), ensure_ascii=False, indent=2).encode(errors="backslashreplace")
    name, content = _content(output.content.media_type, body)
    return document.removesuffix(b"\n}") + b',\n  "' + name.encode() + b'": ' + content + b"\n}\n"


def document_of_files(output: Output, manifest: Manifest) -> bytes:
    """Returns output.json of a result with files: their list instead of the content."""
    files = [
        {"path": file.path, "media_type": file.media_type, "size_bytes": file.size, "digest": file.digest}
        for file in manifest.files
    ]
    document = {**_head(output), "main": manifest.main, "files": files}
    return json.dumps(document, ensure_ascii=False, indent=2).encode(errors="backslashreplace") + b"\n"


def _head(output: Output) -> Mapping[str, object]:
    return {
        "plan_id": output.plan_id,
        "task_id": output.task_id,
        "artifact": output.artifact,
        "execution_id": output.execution,
        "attempt": output.content.attempt,
        "media_type": output.content.media_type,
        "digest": output.content.digest,
        **_unread(output.content),
        **_signed_off_by(output.content),
    }


def _unread(content: Content) -> Mapping[str, object]:
    """Returns the member about inputs that the model was not shown; nothing when it was shown all."""
    if content.unread is None:
        return {}
    unread = asdict(content.unread)
    return {"unread": {**unread, "examples": [_with_bytes(**example) for example in unread["examples"]]}}


def _signed_off_by(content: Content) -> Mapping[str, object]:
    """Returns the member about the signer, a person or a validator; nothing when an earlier version did not keep it."""
    by = content.signed_off_by
    return {} if by is None else {"signed_off_by": {"person" if by.is_person else "validator": by.name}}


def _with_bytes(*, size: int, **example: object) -> Mapping[str, object]:
    return {**example, "size_bytes": size}


def _content(media_type: str, body: bytes) -> tuple[str, bytes]:
    """Returns the member with the content: JSON as JSON, text as a string, anything else in base64."""
    if media_type == "application/json" and is_json(body):
        # guard: JSON as it is -> return "content", json.dumps(json.loads(body), ensure_ascii=False).encode()
        return "content", body.strip()
    try:
        return "content", json.dumps(body.decode(), ensure_ascii=False).encode()
    except UnicodeDecodeError:
        return "content_base64", json.dumps(base64.b64encode(body).decode()).encode()


def is_json(body: bytes) -> bool:
    """Tells whether bytes are JSON by RFC 8259, in UTF-8. Bytes that take too long to parse count as none."""
    if len(body) > MOST_JSON:
        return _is_json_elsewhere(body)
    try:
        json.loads(body.decode(), parse_constant=int, parse_float=_fits_double, parse_int=_fits_double)
    except (ValueError, OverflowError, RecursionError):
        return False
    return True


def _fits_double(number: str) -> int:
    """Raises OverflowError for a number that no double can hold: readers of output.json would make infinity of it."""
    return int(float(number))


_READ = """
import json, sys
held = lambda number: int(float(number))
json.loads(sys.stdin.buffer.read().decode(), parse_constant=int, parse_float=held, parse_int=held)
"""


def _is_json_elsewhere(body: bytes) -> bool:
    """Parses JSON in a process of its own: here it would keep every thread waiting, a second for 60 MB."""
    reader = [sys.executable, "-I", "-S", "-c", _READ]
    try:
        found = subprocess.run(reader, input=body, stderr=subprocess.DEVNULL, timeout=READ_WITHIN, check=False)
    except subprocess.TimeoutExpired:
        return False
    return found.returncode == 0

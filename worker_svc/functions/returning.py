"""Turns a function's returned value into a candidate or a judgement."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from signoff.app import Output, Verdict
from signoff.manifest.manifest import is_manifest
from worker_svc.functions.binding import problems_in
from worker_svc.functions.job import Broken, FunctionJob, Judged, Made, Outcome, Written
from worker_svc.functions.signature import Adapter, Signature

JSON = "application/json"
BYTES = "application/octet-stream"

_MAX_PLACE = 200  # characters of a place in a value

_ANY: Adapter = TypeAdapter(Any)


def candidate_of(function: str, signature: Signature, job: FunctionJob, returned: Any) -> Outcome:
    """Returns the candidate of an executor function; Broken when the value has not the declared type."""
    if job.outputs is not None:
        return _written(function, returned)
    if returned is None:
        return Broken(message=f"{function} returned None: expected {_expected(signature)}")
    if inspect.isawaitable(returned):
        return Broken(message=f"{function} returned an awaitable: declare it with async def", is_permanent=True)
    if isinstance(returned, Output) and is_manifest(str(returned.media_type)):
        problem = f"{function} returned a manifest: files become a result by output.files in the plan"
        return Broken(message=problem, is_permanent=True)
    if isinstance(returned, Output):
        return _made(function, _ANY, job, returned.content, str(returned.media_type))
    if signature.gives is not None:
        try:
            returned = signature.gives.validate_python(returned, strict=True)  # a dict may stand for its model
        except ValidationError as error:
            got = type(returned).__name__
            expected = _expected(signature)
            return Broken(message=f"{function} returned {got}: expected {expected}: {problems_in(error)}")
    return _made(function, signature.gives or _ANY, job, returned, "")


def _written(function: str, returned: Any) -> Outcome:
    if returned is None:
        return Written()
    if inspect.isawaitable(returned):
        return Broken(message=f"{function} returned an awaitable: declare it with async def", is_permanent=True)
    expected = "expected None, for the result is what it writes into Context.outputs, by the plan's output.files"
    message = f"{function} returned {type(returned).__name__}: {expected}"
    return Broken(message=message, is_permanent=True)


def judgement_of(function: str, denial: str, returned: Any) -> Outcome:
    """Returns the judgement of a validator function. `denial` is the reason for a bare False. Broken: it is neither."""
    if isinstance(returned, Verdict):
        return Judged(is_pass=bool(returned.is_pass), reason=str(returned.reason), retry=bool(returned.retry))
    if isinstance(returned, bool):
        return Judged(is_pass=returned, reason="" if returned else denial)
    return Broken(message=f"{function} returned {type(returned).__name__}: expected a bool or a Verdict")


def _expected(signature: Signature) -> str:
    return signature.gives_name if signature.gives is not None else "a result"


def _made(function: str, adapter: Adapter, job: FunctionJob, value: Any, media_type: str) -> Outcome:
    if isinstance(value, bytes | bytearray):
        return Made(content=bytes(value), media_type=media_type or BYTES)
    if isinstance(value, str):
        return _text(function, value, media_type or job.text_type)
    try:
        content = adapter.dump_json(value, by_alias=True, warnings="error")
        if b"null" in content and (number := _number_that_is_none(value)) is not None:  # pydantic writes null for it
            problem = f"expected numbers that JSON has, but got {number}"
            return Broken(message=f"{function} returned {type(value).__name__}, which does not become JSON: {problem}")
        return Made(content=content, media_type=media_type or JSON)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        problem = str(error).splitlines()[0]
        return Broken(message=f"{function} returned {type(value).__name__}, which does not become JSON: {problem}")


def _number_that_is_none(value: Any) -> str | None:
    """Returns a NaN or an infinity in a value, with its place; None: there is none."""
    waiting: list[tuple[Any, str]] = [(value, "$")]
    while waiting:
        found, at = waiting.pop()
        if isinstance(found, float) and not math.isfinite(found):
            return f"{found} at {at[:_MAX_PLACE]}"
        waiting += [(entry, f"{at[:_MAX_PLACE]}{key}") for key, entry in _entries(found)]
    return None


def _entries(value: Any) -> Iterable[tuple[str, Any]]:
    """Returns the entries of a value that becomes an object or an array, with their places."""
    if isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
        value = getattr(value, "__dict__", {})
    if isinstance(value, Mapping):
        return [(f".{key}", entry) for key, entry in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [(f"[{number}]", entry) for number, entry in enumerate(value)]
    return ()


def _text(function: str, text: str, media_type: str) -> Outcome:
    try:
        return Made(content=text.encode(), media_type=media_type)
    except UnicodeEncodeError as error:
        return Broken(message=f"{function} returned text that UTF-8 cannot carry: {error.reason}")

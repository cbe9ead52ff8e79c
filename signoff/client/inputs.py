"""The inputs of a plan, as a person gives them: declared by the plan, read from files, or set to a value.

    resolved = resolve_inputs(header.inputs, folder, paths={"data": "other.csv"}, values={"release": "2.5"})
    await client.upload(resolved)
    await client.start(plan_id, inputs=resolved.given)

Everything is read before anything is uploaded. A plan's own paths are below the plan's folder; paths that a person
gives may be anywhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from signoff.bounds import depth_of
from signoff.client.input_files import FoundFile, check_all, folder_files, matching_files, one_file
from signoff.errors import ConfigurationError
from signoff.manifest.patterns import is_pattern
from signoff.plan.inputs import JSON_TYPE, TEXT_TYPE, digest_of_inputs
from signoff.plan.limits import MAX_INPUT_BYTES, MAX_INPUT_TEXT_BYTES, MAX_INPUT_TEXTS_BYTES, MAX_JSON_DEPTH
from signoff.schemas.numbers import exact_json, json_text
from signoff.v1 import execution_pb2, plan_pb2

_KINDS = {
    plan_pb2.INPUT_KIND_FILE: "file",
    plan_pb2.INPUT_KIND_FOLDER: "folder",
    plan_pb2.INPUT_KIND_TEXT: "text",
    plan_pb2.INPUT_KIND_JSON: "JSON",
}
_TEXTS = (plan_pb2.INPUT_KIND_TEXT, plan_pb2.INPUT_KIND_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedInputs:
    """All inputs of an execution, read and ready to be uploaded."""

    given: tuple[execution_pb2.GivenInput, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)  #: by digest
    digest: str = ""  #: of all of them, as in Execution.inputs_digest; empty: the plan declares none
    digests: Mapping[str, str] = field(default_factory=dict)  #: of each, by its name


NO_INPUTS = ResolvedInputs()


def named_values(flag: str, arguments: Iterable[str]) -> dict[str, str]:
    """Reads arguments such as "data=other.csv". Raises ConfigurationError."""
    found = dict[str, str]()
    for argument in arguments:
        name, between, value = argument.partition("=")
        if not between or not name:
            raise ConfigurationError(f"expected {flag} NAME=VALUE, but got {flag} {argument}")
        if name in found:
            raise ConfigurationError(f"expected {flag} {name} once, but got it twice")
        found[name] = value
    return found


def resolve_inputs(
    declared: Sequence[plan_pb2.PlanInput],
    folder: Path,
    paths: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
) -> ResolvedInputs:
    """Returns the inputs of an execution. Raises ConfigurationError for the first that is wrong, or all that are unset.

    `folder`: that of the plan. `paths`: files and folders that a person gives, from the working directory; `values`:
    texts and JSON.
    """
    paths, values = paths or {}, values or {}
    _check_names(declared, paths, values)
    unset = [each for each in declared if _is_unset(each, paths, values)]
    if unset:
        named = ", ".join(f"{each.name} ({_how_to_set(each)})" for each in unset)
        raise ConfigurationError(f"expected all inputs of the plan to be set, but these are not: {named}")
    given, found = list[execution_pb2.GivenInput](), list[FoundFile]()
    rows = list[tuple[str, str, str, str]]()
    for each in declared:
        if each.kind in _TEXTS:
            message = _text_or_json(each, paths, values)
            content = message.text if message.HasField("text") else message.json
            media_type = TEXT_TYPE if message.HasField("text") else JSON_TYPE
            rows.append((each.name, "", media_type, hashlib.sha256(content.encode()).hexdigest()))
        else:
            files = _files(each, folder, paths.get(each.name))
            found += files
            check_all(found, MAX_INPUT_BYTES)
            message = execution_pb2.GivenInput(name=each.name, files=map(_file_to_proto, files))
            rows += [(each.name, file.path, file.media_type, file.digest) for file in files]
        given.append(message)
    if (size := sum(len(each.text.encode()) + len(each.json.encode()) for each in given)) > MAX_INPUT_TEXTS_BYTES:
        raise ConfigurationError(
            f"expected at most {MAX_INPUT_TEXTS_BYTES:,} bytes of texts and JSON, but got {size:,}"
        )
    return ResolvedInputs(
        given=tuple(given),
        files={file.digest: file.file for file in found},
        digest=digest_of_inputs(rows),
        digests={each.name: digest_of_inputs(row for row in rows if row[0] == each.name) for each in declared},
    )


def _check_names(declared: Sequence[plan_pb2.PlanInput], paths: Mapping[str, str], values: Mapping[str, str]) -> None:
    known = {each.name: each.kind for each in declared}
    for flag, given in (("--input", paths), ("--set", values)):
        for name in given:
            if name not in known:
                has = f"has {', '.join(known)}" if known else "has none"
                raise ConfigurationError(f"{flag} {name}: expected an input of the plan, which {has}")
            if flag == "--set" and known[name] not in _TEXTS:
                raise ConfigurationError(
                    f"--set {name}: expected a text or JSON, but {name} is a {_KINDS[known[name]]}"
                )
            if flag == "--set" and name in paths:
                raise ConfigurationError(f"expected --input {name} or --set {name}, but got both")


def _is_unset(each: plan_pb2.PlanInput, paths: Mapping[str, str], values: Mapping[str, str]) -> bool:
    return not (
        each.name in paths or each.name in values or each.path or each.HasField("text") or each.HasField("json")
    )


def _how_to_set(each: plan_pb2.PlanInput) -> str:
    way = f"--set {each.name}=VALUE" if each.kind in _TEXTS else f"--input {each.name}=PATH"
    return f"{_KINDS.get(each.kind, 'file')}: {way}"


def _file_to_proto(file: FoundFile) -> execution_pb2.GivenFile:
    return execution_pb2.GivenFile(path=file.path, media_type=file.media_type, digest=file.digest, size_bytes=file.size)


# ---------------------------------------------------------------- files


def _files(each: plan_pb2.PlanInput, folder: Path, given: str | None) -> Sequence[FoundFile]:
    try:
        if given is None:
            return _find(each.kind, folder, each.path, within=folder)
        return _find(each.kind, Path(), given, within=None)
    except ConfigurationError as error:
        raise ConfigurationError(f"input {each.name}: {error}") from None


def _find(kind: plan_pb2.InputKind.ValueType, base: Path, path: str, *, within: Path | None) -> Sequence[FoundFile]:
    if not path:
        raise ConfigurationError("expected a path, but got nothing")
    if kind == plan_pb2.INPUT_KIND_FOLDER:
        return folder_files(base / path, within)
    if is_pattern(path) and not os.path.lexists(base / path):
        return matching_files(base, path, within)
    return [one_file(base / path, within)]


# ---------------------------------------------------------------- texts and JSON


def _text_or_json(
    each: plan_pb2.PlanInput, paths: Mapping[str, str], values: Mapping[str, str]
) -> execution_pb2.GivenInput:
    is_json = each.kind == plan_pb2.INPUT_KIND_JSON
    default = each.json if is_json else each.text
    try:
        value = _read_text(paths[each.name]) if each.name in paths else values.get(each.name, default)
        value = _compact(value) if is_json else value
        if (size := len(_encoded(value))) > MAX_INPUT_TEXT_BYTES:
            raise ConfigurationError(f"expected at most {MAX_INPUT_TEXT_BYTES:,} bytes, but got {size:,}")
    except ConfigurationError as error:
        raise ConfigurationError(f"input {each.name}: {error}") from None
    if is_json:
        return execution_pb2.GivenInput(name=each.name, json=value)
    return execution_pb2.GivenInput(name=each.name, text=value)


def _read_text(path: str) -> str:
    found = one_file(Path(path), None)
    if found.size > MAX_INPUT_TEXT_BYTES:
        raise ConfigurationError(f"expected at most {MAX_INPUT_TEXT_BYTES:,} bytes, but {path} has {found.size:,}")
    try:
        return found.file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"expected a text in UTF-8, but {path} is not: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"expected a file, but {path} cannot be read: {error.strerror}") from None


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("expected a text in UTF-8, but got other bytes") from None


def _compact(text: str) -> str:
    """Returns compact JSON with all digits of its numbers. Raises ConfigurationError, with the place of a mistake."""
    if depth_of(text) > MAX_JSON_DEPTH:
        raise ConfigurationError(f"expected JSON nested at most {MAX_JSON_DEPTH} deep, but got more")
    try:
        return json_text(exact_json(text))
    except ValueError as error:
        raise ConfigurationError(f"expected JSON, but {error}") from None

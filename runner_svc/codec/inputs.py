"""Inputs of plans, declared and given, as messages and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner_svc.core.model.inputs import DeclaredInput, GivenInput, InputFile, InputKind
from runner_svc.core.model.values import Content
from signoff.errors import InputsInvalid
from signoff.manifest.manifest import is_manifest
from signoff.manifest.patterns import is_pattern
from signoff.schemas.numbers import exact_json, json_text
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2

_KINDS: frozenset[int] = frozenset(InputKind)


def declared_from_proto(messages: Iterable[plan_pb2.PlanInput]) -> Mapping[str, DeclaredInput]:
    return {message.name: _declared(message) for message in messages}


def _declared(message: plan_pb2.PlanInput) -> DeclaredInput:
    value = message.text if message.HasField("text") else message.json if message.HasField("json") else None
    known = message.kind in _KINDS
    # A kind of a later version is given as files, which say what they are.
    kind = InputKind(message.kind) if known else InputKind.FILE
    is_folder = kind is InputKind.FOLDER or (kind is InputKind.FILE and is_pattern(message.path))
    return DeclaredInput(name=message.name, kind=kind, value=value if known else None, is_folder=is_folder)


def given_from_proto(messages: Iterable[pb.GivenInput]) -> tuple[GivenInput, ...]:
    """Returns the inputs that a client or the journal names."""
    return tuple(
        GivenInput(
            name=message.name,
            files=tuple(map(_file_from_proto, message.files)),
            text=message.text if message.HasField("text") else None,
            json=message.json if message.HasField("json") else None,
        )
        for message in messages
    )


def given_by_client(messages: Iterable[pb.GivenInput]) -> tuple[GivenInput, ...]:
    """Returns the inputs of a request, with JSON in its compact form.

    Raises InputsInvalid for JSON that is none, and for a file that is said to be a manifest.
    """
    whole = [pb.GivenInput.FromString(message.SerializeToString()) for message in messages]
    for message in whole:
        if message.HasField("json"):
            try:
                message.json = json_text(exact_json(message.json))
            except ValueError as error:
                raise InputsInvalid(f"expected JSON as the input {message.name}, but got other text: {error}") from None
        _check_media_types(message)
    return given_from_proto(whole)


def _check_media_types(message: pb.GivenInput) -> None:
    """Raises InputsInvalid for a file of the type of manifests: who reads it would look for the files that it names."""
    for file in message.files:
        # guard: an input is no manifest -> if False:
        if is_manifest(file.media_type):
            got = f"{file.path[:200]!r} is to be {file.media_type}, which tells of several"
            raise InputsInvalid(f"expected the media type of one file in the input {message.name}, but {got}")


def _file_from_proto(message: pb.GivenFile) -> InputFile:
    content = Content(digest=message.digest, size=message.size_bytes, media_type=message.media_type)
    return InputFile(path=message.path, content=content)


def given_to_proto(given: GivenInput) -> pb.GivenInput:
    files = map(file_to_proto, given.files)
    return pb.GivenInput(name=given.name, files=files, text=given.text, json=given.json, file_count=len(given.files))


def file_to_proto(file: InputFile) -> pb.GivenFile:
    content = file.content
    return pb.GivenFile(path=file.path, media_type=content.media_type, digest=content.digest, size_bytes=content.size)

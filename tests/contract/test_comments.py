"""Comments are the specification: nothing in the contract is left to be guessed.

A service and an rpc say what they do. A field is explained by a comment of its own, by the comment of its type, or,
when it is called like another field ("lease_id"), where that name is explained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from tests.contract.descriptors import contract

MESSAGE, ENUM, SERVICE = 4, 5, 6  # of FileDescriptorProto; a path in source info begins with one of them
FIELD, VALUE, METHOD = 2, 2, 2  # the same one level down


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An element of the contract, and its comment."""

    name: str
    comment: str


def comments_of(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Returns the comments, by the path of their elements."""
    locations = file.source_code_info.location
    return {tuple(at.path): (at.leading_comments + at.trailing_comments).strip() for at in locations}


def fields() -> Iterator[tuple[FieldDescriptorProto, Explained]]:
    for file in contract():
        comments = comments_of(file)
        for m, message in enumerate(file.message_type):
            for n, field in enumerate(message.field):
                comment = comments.get((MESSAGE, m, FIELD, n), "")
                yield field, Explained(name=f"{message.name}.{field.name}", comment=comment)


def explained_types() -> set[str]:
    """Returns messages and enums with a comment; an enum may have one on each of its values instead."""
    names = {".google.protobuf.Timestamp", ".google.protobuf.Duration"}
    for file in contract():
        comments = comments_of(file)
        names |= {f".{file.package}.{m.name}" for n, m in enumerate(file.message_type) if comments.get((MESSAGE, n))}
        for n, enum in enumerate(file.enum_type):
            values = [comments.get((ENUM, n, VALUE, v)) for v in range(1, len(enum.value))]
            if comments.get((ENUM, n)) or all(values):
                names.add(f".{file.package}.{enum.name}")
    return names


def test_every_service_begins_with_its_conversation_in_prose() -> None:
    for file in contract():
        for n, service in enumerate(file.service):
            assert len(comments_of(file).get((SERVICE, n), "").split()) > 30, service.name


def test_every_rpc_says_what_it_does() -> None:
    for file in contract():
        for n, service in enumerate(file.service):
            if len(service.method) == 1:
                continue  # the service's prose is about it
            for m, method in enumerate(service.method):
                assert comments_of(file).get((SERVICE, n, METHOD, m)), f"{service.name}.{method.name}"


def test_every_rpc_that_changes_something_or_can_miss_names_its_errors() -> None:
    for file in contract():
        for n, service in enumerate(file.service):
            for m, method in enumerate(service.method):
                if method.name.startswith(("List", "Connect")):
                    continue  # has no error of its own, or its service names them
                comment = comments_of(file)[(SERVICE, n, METHOD, m)]
                assert "Errors:" in comment, f"{service.name}.{method.name}"


def test_every_field_is_explained() -> None:
    types, found = explained_types(), list(fields())
    names = {field.name for field, explained in found if explained.comment}
    unexplained = [
        explained.name
        for field, explained in found
        if not explained.comment and field.name not in names and field.type_name not in types
    ]
    assert not unexplained, f"expected a comment on each of: {', '.join(unexplained)}"


def test_every_number_of_an_enum_is_named_after_it() -> None:
    for file in contract():
        for enum in file.enum_type:
            assert enum.value[0].name.endswith("_UNSPECIFIED"), enum.name


def test_no_comment_opens_with_a_clause() -> None:
    """The first word tells the thing: a size, a name, an effect."""
    opened = [
        f"{file.name}: {comment}"
        for file in contract()
        for comment in comments_of(file).values()
        if comment.split()[:1]
        and comment.split()[0] in {"What", "Of", "As", "Those", "Whether", "Who", "Whose", "Whatever"}
    ]
    assert opened == []

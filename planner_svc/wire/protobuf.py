"""Protobuf's wire format, as far as maps need it, written as bytes without message objects.

A map has millions of small messages. Making message objects took 22 us a task, writing bytes takes 4; a test compares
both results. As in proto3, a field that has its default is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from signoff.rpc.frames import RUN_BYTES

_DELIMITED = 2  # the wire type of texts, bytes, messages and packed numbers


def _varint(number: int) -> bytes:
    """Encodes a number in groups of seven bits, the lowest first; all but the last have the highest bit set."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


_SMALL = tuple(map(_varint, range(1 << 14)))  # most numbers of a map: a table takes a third of the time


def varint(number: int) -> bytes:
    return _SMALL[number] if number < 1 << 14 else _varint(number)


def tag(number: int) -> bytes:
    """Returns the tag of a field that has a length."""
    return varint(number << 3 | _DELIMITED)


def delimited(field: bytes, data: bytes) -> bytes:
    """Encodes a field that has a length, even when it is an empty message."""
    size = len(data)
    return field + (_SMALL[size] if size < 1 << 14 else _varint(size)) + data


def text(field: bytes, value: str) -> bytes:
    return delimited(field, value.encode()) if value else b""


def numbers(field: bytes, values: Iterable[int]) -> bytes:
    """Encodes a packed list of numbers; nothing for an empty list."""
    data = b"".join(map(varint, values))
    return delimited(field, data) if data else b""


def runs(fields: Iterable[bytes], most: int = RUN_BYTES) -> Iterator[bytes]:
    """Joins fields in order to runs of at most `most` bytes; a larger field is a run of its own."""
    run: list[bytes] = []
    size = 0
    for field in fields:
        if run and size + len(field) > most:
            yield b"".join(run)
            run, size = [], 0
        run.append(field)
        size += len(field)
    if run:
        yield b"".join(run)

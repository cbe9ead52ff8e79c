"""Conversion of checks of files to and from their protobuf messages."""

from __future__ import annotations

from typing import assert_never

from planner_svc.checks.file_kinds import (
    ArchiveSafeCheck,
    ColumnType,
    FileCheck,
    FileSizeCheck,
    ImageCheck,
    MediaTypeCheck,
    RequiredFilesCheck,
    TableCheck,
    TableColumn,
)
from signoff.v1 import plan_pb2

_TYPE_TO_PROTO = {
    kind: plan_pb2.ColumnType.Value(f"COLUMN_TYPE_{'UNSPECIFIED' if kind is ColumnType.ANY else kind.name}")
    for kind in ColumnType
}
_TYPE_FROM_PROTO = {number: kind for kind, number in _TYPE_TO_PROTO.items()}


def file_check_to_proto(check: FileCheck) -> plan_pb2.Check:
    match check:
        case RequiredFilesCheck():
            return plan_pb2.Check(required_files=plan_pb2.RequiredFilesCheck(files=check.files))
        case FileSizeCheck():
            return plan_pb2.Check(
                file_size=plan_pb2.FileSizeCheck(min_bytes=check.min_bytes, max_bytes=check.max_bytes)
            )
        case MediaTypeCheck():
            return plan_pb2.Check(media_type=plan_pb2.MediaTypeCheck(types=check.types))
        case ImageCheck():
            return plan_pb2.Check(image=_image_to_proto(check))
        case TableCheck():
            return plan_pb2.Check(table=_table_to_proto(check))
        case ArchiveSafeCheck():
            archive = plan_pb2.ArchiveSafeCheck(
                max_members=check.max_members, max_unpacked_bytes=check.max_unpacked_bytes
            )
            return plan_pb2.Check(archive_safe=archive)
        case _:
            assert_never(check)


def _image_to_proto(check: ImageCheck) -> plan_pb2.ImageCheck:
    return plan_pb2.ImageCheck(
        min_width=check.min_width,
        max_width=check.max_width,
        min_height=check.min_height,
        max_height=check.max_height,
        may_be_blank=check.may_be_blank,
    )


def _table_to_proto(check: TableCheck) -> plan_pb2.TableCheck:
    return plan_pb2.TableCheck(
        columns=map(_column_to_proto, check.columns),
        only_these=check.only_these,
        min_rows=check.min_rows,
        max_rows=check.max_rows,
    )


def _column_to_proto(column: TableColumn) -> plan_pb2.TableColumn:
    return plan_pb2.TableColumn(
        name=column.name,
        type=_TYPE_TO_PROTO[column.type],
        may_be_empty=column.may_be_empty,
        unique=column.unique,
        min=column.min,
        max=column.max,
        sum=column.sum,
    )


def file_check_from_proto(message: plan_pb2.Check) -> FileCheck | None:
    """Returns the check of a message, without its `file`; None: it is no check of files."""
    n = message.criterion
    match message.WhichOneof("kind"):
        case "required_files":
            return RequiredFilesCheck(files=tuple(message.required_files.files), criterion=n)
        case "file_size":
            size = message.file_size
            most = size.max_bytes if size.HasField("max_bytes") else None
            return FileSizeCheck(min_bytes=size.min_bytes, max_bytes=most, criterion=n)
        case "media_type":
            return MediaTypeCheck(types=tuple(message.media_type.types), criterion=n)
        case "image":
            return _image_from_proto(message.image, n)
        case "table":
            return _table_from_proto(message.table, n)
        case "archive_safe":
            archive = message.archive_safe
            return ArchiveSafeCheck(
                max_members=archive.max_members, max_unpacked_bytes=archive.max_unpacked_bytes, criterion=n
            )
        case _:
            return None


def _image_from_proto(message: plan_pb2.ImageCheck, criterion: int) -> ImageCheck:
    return ImageCheck(
        min_width=message.min_width if message.HasField("min_width") else None,
        max_width=message.max_width if message.HasField("max_width") else None,
        min_height=message.min_height if message.HasField("min_height") else None,
        max_height=message.max_height if message.HasField("max_height") else None,
        may_be_blank=message.may_be_blank,
        criterion=criterion,
    )


def _table_from_proto(message: plan_pb2.TableCheck, criterion: int) -> TableCheck:
    return TableCheck(
        columns=tuple(map(_column_from_proto, message.columns)),
        only_these=message.only_these,
        min_rows=message.min_rows,
        max_rows=message.max_rows if message.HasField("max_rows") else None,
        criterion=criterion,
    )


def _column_from_proto(message: plan_pb2.TableColumn) -> TableColumn:
    return TableColumn(
        name=message.name,
        type=_TYPE_FROM_PROTO[message.type],
        may_be_empty=message.may_be_empty,
        unique=message.unique,
        min=message.min if message.HasField("min") else None,
        max=message.max if message.HasField("max") else None,
        sum=message.sum if message.HasField("sum") else None,
    )

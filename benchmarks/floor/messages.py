"""The floor's own protocol, described here so that it needs no compiler:

message Item { string id = 1; string phase = 2; uint64 attempt = 3; double at = 4; bytes payload = 5; }
message Frame { uint32 slots = 1; string phase = 2; repeated Item items = 3; }
service Floor { rpc Attach(stream Frame) returns (stream Frame); }
"""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_METHOD = "/floor.Floor/Attach"


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="floor.proto", package="floor", syntax="proto3")
    item = file.message_type.add(name="Item")
    kinds = (_Field.TYPE_STRING, _Field.TYPE_STRING, _Field.TYPE_UINT64, _Field.TYPE_DOUBLE, _Field.TYPE_BYTES)
    for number, (name, kind) in enumerate(zip(("id", "phase", "attempt", "at", "payload"), kinds, strict=True), 1):
        item.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    frame = file.message_type.add(name="Frame")
    frame.field.add(name="slots", number=1, type=_Field.TYPE_UINT32, label=_Field.LABEL_OPTIONAL)
    frame.field.add(name="phase", number=2, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    frame.field.add(
        name="items", number=3, type=_Field.TYPE_MESSAGE, label=_Field.LABEL_REPEATED, type_name=".floor.Item"
    )
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())
Item: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName("floor.Item"))
Frame: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName("floor.Frame"))


def attach(channel: grpc.aio.Channel) -> Any:
    """Begins a worker's stream."""
    method: Any = channel.stream_stream(_METHOD, Frame.SerializeToString, Frame.FromString)
    return method()


def serve(server: grpc.aio.Server, handler: Any) -> None:
    """Has `handler(request_iterator, context)` answer the streams of workers."""
    method = grpc.stream_stream_rpc_method_handler(handler, Frame.FromString, Frame.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("floor.Floor", {"Attach": method}),))

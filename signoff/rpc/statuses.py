"""Errors on the wire: a SignoffError becomes a gRPC status, and on the other side the same class again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from signoff.errors import DOMAIN, InvalidField, SignoffError, Unavailable

# ---------------------------------------------------------------- out


def status_of(error: SignoffError) -> status_pb2.Status:
    """Returns the google.rpc.Status of an error: its code, its text, an ErrorInfo, and the field when it blames one."""
    details = [
        _pack(error_details_pb2.ErrorInfo(reason=error.reason(), domain=DOMAIN, metadata=dict(error.metadata())))
    ]
    if isinstance(error, InvalidField):
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=str(error))
        details.append(_pack(error_details_pb2.BadRequest(field_violations=[violation])))
    return status_pb2.Status(code=grpc.StatusCode[error.status].value[0], message=str(error), details=details)


def _pack(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def reason_of(error: grpc.RpcError) -> str:
    """Returns the stable reason an rpc failed with, or the name of its gRPC status when it gave none."""
    status = rpc_status.from_call(cast(grpc.Call, error))
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            return str(info.reason)
    code = getattr(error, "code", None)
    return str(code().name) if code else "UNKNOWN"


# ---------------------------------------------------------------- back


def _descendants(kind: type[SignoffError]) -> Iterator[type[SignoffError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


_BY_REASON = {kind.reason(): kind for kind in _descendants(SignoffError)}
_PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def error_from_rpc(error: grpc.RpcError, service: str, address: str) -> SignoffError:
    """Returns the error of signoff.errors that a service raised; Unavailable when it could not be reached."""
    call = cast(grpc.Call, error)
    status = rpc_status.from_call(call)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info) and info.domain == DOMAIN and info.reason in _BY_REASON:
            return _rebuilt(_BY_REASON[info.reason], call.details() or "", info)
    if call.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unavailable(f"the {service} at {address} did not answer in time")
    if call.code() in _PASSING:
        return Unavailable(f"no {service} answers at {address or 'an empty address'}: `signoff serve` starts one")
    return SignoffError(f"the {service} at {address} answered {call.code().name}: {call.details()}")


def _rebuilt(kind: type[SignoffError], message: str, info: error_details_pb2.ErrorInfo) -> SignoffError:
    error = kind.__new__(kind, message)  # not __init__: the message is whole already, whatever the class builds it from
    if isinstance(error, InvalidField):
        error.field = info.metadata["field"]
    return error

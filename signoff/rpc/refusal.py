"""How a service's refusal becomes an exception again: the class of signoff.errors that was raised over there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from signoff.errors import DOMAIN, InvalidField, SignoffError, Unavailable


def _descendants(kind: type[SignoffError]) -> Iterator[type[SignoffError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


_BY_REASON = {kind.reason(): kind for kind in _descendants(SignoffError)}
_PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def typed(error: grpc.RpcError, service: str, address: str) -> SignoffError:
    """The error of signoff.errors that a service raised; Unavailable when it could not be reached."""
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

"""The door's own errors: what it refuses before a service is asked. Each states its HTTP status."""

from __future__ import annotations

from typing import ClassVar

from signoff.errors import SignoffError


class DoorRefusal(SignoffError):
    """A request that the door refuses itself."""

    http: ClassVar[int] = 400


class NotFound(DoorRefusal):
    """The door has nothing at the path."""

    http = 404


class MethodNotAllowed(DoorRefusal):
    http = 405


class HostNotAllowed(DoorRefusal):
    """The header Host names another machine: a foreign name may lead to this address."""

    http = 403


class OriginNotAllowed(DoorRefusal):
    """A page of another site has made the browser send the request."""

    http = 403


class ReadOnly(DoorRefusal):
    http = 403


class TokenRequired(DoorRefusal):
    http = 401


class TokenWrong(DoorRefusal):
    http = 401


class UnsupportedMediaType(DoorRefusal):
    http = 415


class BodyTooLarge(DoorRefusal):
    http = 413


class BodyStalled(DoorRefusal):
    """The body came too slowly, or its end did not come."""

    http = 408


class RangeNotSatisfiable(DoorRefusal):
    http = 416


class TooManyEventStreams(DoorRefusal):
    http = 503

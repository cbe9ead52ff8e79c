"""An app: functions by the names that plans use for them."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from signoff.plan.glossary import COMMAND, JUDGE, MODEL

MAX_NAME = 128  # characters
RESERVED = frozenset({MODEL, COMMAND, JUDGE})  # the handlers that need no app

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of an app, as it was registered."""

    name: str
    call: Callable[..., Any]
    version: str
    process: bool = False  #: it runs in a process of its own
    judges: bool = False  #: a validator

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.call) or inspect.iscoroutinefunction(
            getattr(self.call, "__call__", None)  # noqa: B004 - not whether it can be called, but how
        )


class App:
    """The functions that a worker offers. The decorators return the function unchanged."""

    def __init__(self) -> None:
        self.executors: dict[str, Function] = {}
        self.validators: dict[str, Function] = {}

    @overload
    def executor(self, function: F, /) -> F: ...

    @overload
    def executor(self, /, *, name: str = "", version: str = "", process: bool = False) -> Callable[[F], F]: ...

    def executor(
        self, function: F | None = None, /, *, name: str = "", version: str = "", process: bool = False
    ) -> F | Callable[[F], F]:
        """Registers a function that makes candidates for tasks whose `executor` has its name.

        `name` is the function's own by default. `version` is recorded with each artifact, so that work of the same
        version is not done again; by default it follows from the function's source. With `process`, each call has a
        process to itself, which is killed when the work is cancelled.
        """
        register = _registrar(self.executors, name=name, version=version, process=process, judges=False)
        return register if function is None else register(function)

    @overload
    def validator(self, function: F, /) -> F: ...

    @overload
    def validator(self, /, *, name: str = "", version: str = "", process: bool = False) -> Callable[[F], F]: ...

    def validator(
        self, function: F | None = None, /, *, name: str = "", version: str = "", process: bool = False
    ) -> F | Callable[[F], F]:
        """Registers a function that judges candidates, for checks of type `function` with its name.

        Its first parameter is the candidate. It returns a bool or a Verdict.
        """
        register = _registrar(self.validators, name=name, version=version, process=process, judges=True)
        return register if function is None else register(function)


def _registrar(
    functions: dict[str, Function], *, name: str, version: str, process: bool, judges: bool
) -> Callable[[F], F]:
    def register(call: F) -> F:
        if not callable(call):
            raise TypeError(f"expected a function to register, but got {call!r}; a name is given as name={call!r}")
        chosen = _valid_name(name or getattr(call, "__name__", ""))
        if chosen in functions:
            raise ValueError(f"expected each name once, but {chosen!r} is registered twice")
        functions[chosen] = Function(
            name=chosen, call=call, version=version or _version_of(call), process=process, judges=judges
        )
        return call

    return register


def _valid_name(name: str) -> str:
    if not name or len(name) > MAX_NAME or not name.isprintable() or any(c.isspace() or c == "," for c in name):
        raise ValueError(
            f"expected a name of 1 to {MAX_NAME} characters without spaces and commas, but got {name!r}: "
            "give the function one with name=…"
        )
    if name in RESERVED:
        raise ValueError(f"expected a name other than {', '.join(sorted(RESERVED))}, but got {name!r}")
    return name


def _version_of(call: Callable[..., Any]) -> str:
    """Returns the SHA-256 of the function's source; "1" where there is none to read."""
    try:
        source = inspect.getsource(call)
    except (OSError, TypeError):
        return "1"
    return hashlib.sha256(source.encode()).hexdigest()

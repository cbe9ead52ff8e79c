"""Finds the place where a user's code failed, and the gist of the failure: the part that would be the same again."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import traceback
from asyncio import CancelledError
from collections.abc import Iterator
from errno import ENAMETOOLONG
from functools import cache
from io import UnsupportedOperation
from pathlib import Path
from types import FrameType

import signoff
import worker_svc
from worker_svc.gist import gist_of, may_pass

_MOST_CAUSES = 20  # of an exception

#: Errors of the system that would come again.
_SAME_AGAIN = (
    *(FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError),
    UnsupportedOperation,
)
#: Names of passing errors in libraries: httpx.ReadTimeout, grpc.RpcError, psycopg.OperationalError.
_PASSING_NAME = re.compile(
    r"timeout|connect|network|http|rpc|unavailable|throttl|ratelimit|overload|temporar|transient|retry|operational"
    r"|transport|protocol|socket|ssl|serviceerror|servererror",
    re.IGNORECASE,
)
_INSTALLED = ("site-packages", "dist-packages")


def place_of(error: BaseException, app: str) -> str:
    """Returns the last line of user code that the exception passed, such as "work/app.py:12 in fetch"; "" if none.

    `app` is module:attribute. The file's path is relative to the folder that the app was imported from. Paths are
    compared as Python states them, and the disk is not asked: the working directory may be gone.
    """
    root = _root_of(app.partition(":")[0])
    own = [(frame, line) for frame, line in traceback.walk_tb(_first_of(error).__traceback__) if _is_own(frame, root)]
    if not own:
        return ""
    frame, line = own[-1]
    return f"{_shown(frame.f_code.co_filename, root)}:{line} in {frame.f_code.co_name}"


def gist_of_error(error: BaseException, text: str, place: str) -> str:
    """Returns the gist of an exception; empty when the failure may pass by itself."""
    # guard (2 lines): what may pass has no gist -> (removed)
    if any(map(_may_pass, _related(error))) or may_pass(text):
        return ""
    frames = list(traceback.walk_tb(_first_of(error).__traceback__))
    raised = f"{os.path.basename(frames[-1][0].f_code.co_filename)}:{frames[-1][1]}" if frames else ""  # noqa: PTH119 - it need not be a path
    kind = type(error)
    return gist_of(f"{kind.__module__}.{kind.__qualname__}", text, place, raised)


def first_reason(error: BaseException) -> BaseException | None:
    """Returns the first exception in a group; None: it is no group."""
    first = _first_of(error)
    return None if first is error else first


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _related(error: BaseException) -> Iterator[BaseException]:
    """Yields the exception, those in its group, and their causes."""
    pending, seen = [error], set[int]()
    while pending and len(seen) < _MOST_CAUSES:
        error = pending.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        context = None if error.__suppress_context__ else error.__context__
        pending += [other for other in (*inner, error.__cause__, context) if other is not None]


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, _SAME_AGAIN) or (isinstance(error, OSError) and error.errno == ENAMETOOLONG):
        return False
    if isinstance(error, OSError | EOFError | MemoryError | CancelledError):
        return True
    return any(_PASSING_NAME.search(kind.__name__) for kind in type(error).__mro__)


@cache
def _root_of(module_name: str) -> str:
    """Returns the folder that an app's module was imported from; empty when it is unknown."""
    file = getattr(sys.modules.get(module_name), "__file__", None)
    if not file:
        return ""
    path = Path(file)
    depth = module_name.count(".") + (path.name == "__init__.py")
    return str(path.parents[depth]) if depth < len(path.parents) else ""


@cache
def _others() -> tuple[str, ...]:
    """Returns the folders whose code is not the user's: Python's own, and ours."""
    ours = [str(Path(package.__file__).parent) for package in (signoff, worker_svc) if package.__file__]
    pythons = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return tuple(folder + os.sep for folder in (*ours, *pythons))


def _is_own(frame: FrameType, root: str) -> bool:
    file = frame.f_code.co_filename
    if file.startswith("<"):
        return False
    path = str(Path(root, file))
    rest = path.removeprefix(root + os.sep) if root else path
    return not (path.startswith(_others()) or any(part in _INSTALLED for part in Path(rest).parts))


def _shown(file: str, root: str) -> str:
    path = Path(root, file)
    return str(path.relative_to(root)) if root and path.is_relative_to(root) else path.name

"""Imports apps by `module:attribute`, and makes their functions ready; a problem is reported in one line."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from signoff.app import App
from signoff.errors import ConfigurationError
from worker_svc.functions.calling import Callee
from worker_svc.functions.signature import BadSignature


class AppBroken(ConfigurationError):
    """An app cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """The functions that the apps of a worker offer, by name."""

    executors: Mapping[str, Callee]
    validators: Mapping[str, Callee]


def functions_of(apps: Sequence[str]) -> Functions:
    """Loads all apps. Raises AppBroken when one cannot be used, or when two have functions of the same name."""
    return Functions(
        executors=_merged(apps, judges=False),
        validators=_merged(apps, judges=True),
    )


def _merged(apps: Sequence[str], *, judges: bool) -> dict[str, Callee]:
    merged: dict[str, Callee] = {}
    for app in apps:
        for name, callee in callees_of(app, judges=judges).items():
            if name in merged:
                raise AppBroken(f"--app {app}: expected each name once, but {merged[name].app} has {name!r} too")
            merged[name] = callee
    return merged


def callees_of(app: str, *, judges: bool) -> dict[str, Callee]:
    """Returns the executors of one app, or its validators."""
    loaded = load(app)
    functions = loaded.validators if judges else loaded.executors
    callees: dict[str, Callee] = {}
    for name, function in functions.items():
        try:
            callees[name] = Callee(function, app)
        except BadSignature as error:
            raise AppBroken(f"--app {app}: {name}: {error}") from error
    return callees


def load(app: str) -> App:
    """Imports an app from the current directory, or an installed one.

    Only the app itself is looked up in that directory first. Its imports are looked up there last, so that a file
    called random.py replaces no other module.
    """
    module_name, colon, attribute = app.partition(":")
    if not (module_name and colon and attribute):
        raise AppBroken(f"--app {app}: expected MODULE:ATTRIBUTE, such as my_worker:app")
    _look_here_for(module_name.partition(".")[0])
    found: object = _imported(app, module_name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise AppBroken(f"--app {app}: expected {part} in {module_name}, but it has none")
        found = getattr(found, part)
    if not isinstance(found, App):
        raise AppBroken(f"--app {app}: expected an App, but got {type(found).__name__}")
    if not (found.executors or found.validators):
        raise AppBroken(f"--app {app}: expected an App with functions, but nothing is registered in it")
    return found


class _Here(MetaPathFinder):
    """Finds one module, or one package, in a folder."""

    def __init__(self, name: str, folder: str) -> None:
        self._name, self._folder = name, folder

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [self._folder]) if fullname == self._name else None


def _look_here_for(name: str) -> None:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    sys.meta_path.insert(0, _Here(name, here))


def _imported(app: str, module_name: str) -> object:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            where = f"neither in {Path.cwd()} nor installed"
            raise AppBroken(f"--app {app}: expected a module {error.name}, but there is none, {where}") from error
        raise _cannot_be_imported(app, error) from error
    except (Exception, SystemExit) as error:
        raise _cannot_be_imported(app, error) from error


def _cannot_be_imported(app: str, error: BaseException) -> AppBroken:
    """Returns the error with the end of the traceback: the line of the user's code that failed."""
    text = " ".join("".join(traceback.format_exception_only(type(error), error)).split())
    inside = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    place = f" at {inside[-1].filename}, line {inside[-1].lineno}: {inside[-1].line}" if inside else ""
    return AppBroken(f"--app {app} cannot be imported: {text}{place}")


def _is_machinery(filename: str) -> bool:
    return filename == __file__ or filename.startswith("<frozen importlib") or filename == importlib.__file__

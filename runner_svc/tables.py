"""Tables in TOML that a user supplies to the runner."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from signoff.errors import ConfigurationError

Table = TypeVar("Table", bound=BaseModel)


def read_table(path: Path, kind: type[Table], what: str) -> Table:
    """Reads a table. Raises ConfigurationError with the file and the first problem in it."""
    try:
        return kind.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"expected a table of {what} in {path}, but got {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{path}: {where}: {first['msg']}") from None

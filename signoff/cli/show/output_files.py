"""Files that a person names for an answer, as `-o` does, and the places that no answer is written to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from signoff.errors import ConfigurationError
from signoff.files.data_directory import SERVICES
from signoff.files.writing import NotAFile, write_atomically


def write_file(name: str, content: bytes, *, inputs: Sequence[str] = ()) -> None:
    """Writes to a file, a pipe or a device that a person named. Raises ConfigurationError.

    `inputs`: the files that the command reads; none of them is written over.
    """
    file = output_file(name, inputs=inputs)
    try:
        write_atomically(file, content, wait=True)
    except NotAFile as error:
        raise ConfigurationError(str(error)) from None
    except BrokenPipeError:
        raise ConfigurationError(f"expected {name} to be read to its end, but its reader has gone") from None
    except OSError as error:
        raise ConfigurationError(
            f"expected a file that can be written, but {name} cannot be: {error.strerror or error}"
        ) from None


def output_file(name: str, *, inputs: Sequence[str] = ()) -> Path:
    """Returns the path of a file to write. Raises ConfigurationError for one that would be a loss, or is a folder's."""
    file = file_named(name)
    refuse_own(file)
    for read in inputs:
        # guard: no command writes over what it reads -> if False:
        if _is_same_file(Path(read), file):
            raise ConfigurationError(f"expected another file for the answer than {read}, which is read, but got {name}")
    return file


def file_named(name: str) -> Path:
    """Returns the path of a file. Raises ConfigurationError for a name that is a folder's, there or not."""
    # guard: a slash at the end is a folder's -> if False:
    if name.endswith(("/", "/.")):
        raise ConfigurationError(f"expected the name of a file, a pipe or a device, but {name!r} is that of a folder")
    return Path(name)


def refuse_own(place: Path) -> None:
    """Raises ConfigurationError for a place in the folder where services keep the journal and more."""
    # guard: no answer is written over the journal -> if False:
    if str(SERVICES) in Path(os.path.realpath(place)).parts:
        raise ConfigurationError(
            f"expected a place outside of {SERVICES} for the answer, but {place} is in it: "
            "signoff keeps its journal there"
        )


def _is_same_file(read: Path, file: Path) -> bool:
    """Tells whether both are one file on the disk, by whatever names. A terminal or a pipe may be both."""
    try:
        return read.is_file() and read.samefile(file)
    except OSError:
        return False

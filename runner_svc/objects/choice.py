"""The object store that a setting names."""

from __future__ import annotations

from pathlib import Path

from runner_svc.objects.folder import FolderObjects
from runner_svc.objects.port import Objects
from signoff.errors import ConfigurationError
from signoff.files.data_directory import OBJECTS


def objects_for(folder: Path, where: str, *, is_local: bool) -> Objects | None:
    """Returns where a runner's large contents lie; None: in the store, as all others.

    `folder`: the data directory. `where`: the runner's setting; empty for the default. `is_local`: the store lies in
    the data directory. Beside a database elsewhere a folder would be left behind when another runner takes over.
    """
    if where:
        return objects_at(where)
    return objects_at(str(folder / OBJECTS)) if is_local else None


def objects_at(where: str) -> Objects:
    """Returns the object store at a folder or a URL. Raises ConfigurationError."""
    if "://" not in where:
        return FolderObjects(Path(where))
    try:
        from runner_svc.objects.bucket import BucketObjects  # obstore is an extra
    except ImportError as error:
        raise ConfigurationError(
            f"expected obstore to be installed for {where.partition('://')[0]}://: pip install 'signoff[bucket]'"
        ) from error
    return BucketObjects(where)

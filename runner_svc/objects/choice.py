"""The object store that a setting names."""

from __future__ import annotations

from pathlib import Path

from runner_svc.objects.folder import FolderObjects
from runner_svc.objects.port import Objects
from signoff.errors import ConfigurationError


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

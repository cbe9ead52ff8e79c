"""The check of a file's size."""

from __future__ import annotations

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.reading import CheckFailed


def check_file_size(check: plan_pb2.Check, file: LookedAt) -> None:
    wanted = check.file_size
    if file.size < wanted.min_bytes:
        raise CheckFailed(f"expected at least {wanted.min_bytes:,} bytes, but it has {file.size:,}")
    if wanted.HasField("max_bytes") and file.size > wanted.max_bytes:
        raise CheckFailed(f"expected at most {wanted.max_bytes:,} bytes, but it has {file.size:,}")

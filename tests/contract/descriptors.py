"""The contract as descriptors: those of protos/, read by buf, and those of the committed baseline."""

from __future__ import annotations

import functools
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from signoff.v1 import bounds_pb2

OPTIONS = bounds_pb2.bounds  # imported first, so that our own option is read as such, not as unknown bytes

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "protos" / "signoff.image.binpb"
RENEW = (
    "buf breaking --against protos/signoff.image.binpb && buf build --exclude-source-info -o protos/signoff.image.binpb"
)


def buf(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the buf of this environment at the root of the project."""
    program = Path(sysconfig.get_path("scripts")) / "buf"
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60)


@functools.cache
def contract() -> tuple[FileDescriptorProto, ...]:
    """Returns the files of protos/, with their comments."""
    built = buf("build", "--as-file-descriptor-set", "--exclude-imports", "-o", "-")
    assert built.returncode == 0, built.stderr.decode()
    return tuple(FileDescriptorSet.FromString(built.stdout).file)


def baseline() -> tuple[FileDescriptorProto, ...]:
    """Returns the files of the committed baseline."""
    files = FileDescriptorSet.FromString(BASELINE.read_bytes()).file
    return tuple(file for file in files if file.package.startswith("signoff."))


def names_in(files: tuple[FileDescriptorProto, ...]) -> Iterator[str]:
    """Yields the full name of every message, field, enum value and rpc."""
    for file in files:
        for message in file.message_type:
            yield f"{file.package}.{message.name}"
            yield from (f"{file.package}.{message.name}.{field.name}" for field in message.field)
        for enum in file.enum_type:
            yield from (f"{file.package}.{enum.name}.{value.name}" for value in enum.value)
        for service in file.service:
            yield from (f"{file.package}.{service.name}.{method.name}" for method in service.method)

"""The installed messages are those of the protos."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

import signoff.v1
from tests.contract.descriptors import ROOT, contract


def build_hook() -> ModuleType:
    """Imports hatch_build.py, which lies beside the packages and not in one."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


def stripped(file: FileDescriptorProto) -> FileDescriptorProto:
    """Returns a file without comments, and without JSON names, which only some compilers spell out."""
    bare = FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    for extension in bare.extension:
        extension.ClearField("json_name")
    for message in bare.message_type:
        for field in message.field:
            field.ClearField("json_name")
        for nested in message.nested_type:
            for field in nested.field:
                field.ClearField("json_name")
    return bare


def test_generated_code_is_what_the_protos_give_today(tmp_path: Path) -> None:
    build_hook().generate(ROOT, tmp_path)
    fresh = {path.name: path.read_bytes() for path in (tmp_path / "signoff" / "v1").iterdir()}
    installed = Path(signoff.v1.__path__[0])
    assert len(fresh) == 4 * len(contract())
    for name, content in sorted(fresh.items()):
        assert (installed / name).is_file(), f"{name} is missing: run `python hatch_build.py`"
        assert (installed / name).read_bytes() == content, f"{name} is out of date: run `python hatch_build.py`"


@pytest.mark.parametrize("file", contract(), ids=lambda file: Path(file.name).stem)
def test_installed_descriptors_are_those_of_the_protos(file: FileDescriptorProto) -> None:
    module = importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
    installed = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(installed)
    assert stripped(installed) == stripped(file)


def test_nothing_is_installed_that_no_proto_gives() -> None:
    expected = {Path(file.name).stem for file in contract()}
    installed = {path.name.partition("_pb2")[0] for path in Path(signoff.v1.__path__[0]).glob("*_pb2*.py*")}
    assert installed == expected


def test_a_proto_that_does_not_compile_is_blamed_in_protocs_words(tmp_path: Path) -> None:
    broken = tmp_path / "protos" / "signoff" / "v1" / "plan.proto"
    broken.parent.mkdir(parents=True)
    broken.write_text('syntax = "proto3";\nmessage {}\n')
    with pytest.raises(RuntimeError, match=r"protoc failed on protos: .*plan\.proto:2:9: Expected message name"):
        build_hook().generate(tmp_path, tmp_path)

"""Makes signoff/v1 from protos/ while the package is built.

The generated modules are not in version control: the protos are the source, and what is installed always matches them.
By hand, after a change of the protos: `python hatch_build.py`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, in an environment without hatchling
    BuildHookInterface = object  # type: ignore[assignment,misc]

PROTOS = "protos"


def generate(root: Path, out: Path) -> None:
    """Writes `*_pb2.py`, `*_pb2_grpc.py` and their stubs for every proto below `root/protos` into `out/signoff/v1`.

    Raises RuntimeError with protoc's own words when a proto does not compile.
    """
    import grpc_tools

    sources = sorted(str(path.relative_to(root / PROTOS)) for path in (root / PROTOS).rglob("*.proto"))
    include = Path(grpc_tools.__file__).parent / "_proto"
    # protoc looks for plugins on PATH, where an isolated build environment does not put them.
    plugins = [f"--plugin=protoc-gen-{name}={_script(f'protoc-gen-{name}')}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{kind}_out={out}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root / PROTOS}", f"-I{include}", *plugins, *outputs]
    result = subprocess.run([*command, *sources], capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"protoc failed on {PROTOS}: {result.stderr.strip()}")


def _script(name: str) -> str:
    """Where this environment keeps a console script: beside the interpreter, or on the path of an isolated build."""
    import shutil
    import sysconfig

    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise RuntimeError(f"expected {name} (of mypy-protobuf) in this environment; it is not there")
    return found


class ProtoBuildHook(BuildHookInterface):  # type: ignore[misc,type-arg,unused-ignore]
    PLUGIN_NAME = "protos"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        generate(Path(self.root), Path(self.root))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    generate(here, here)

"""Clients in other languages: the templates of buf generate, and the example in TypeScript, fit the contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from signoff.v1 import execution_pb2, planner_pb2, runner_pb2

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "typescript_client"
TEMPLATES = sorted(ROOT.glob("buf.gen*.yaml"))
RPCS = {
    method.name
    for module in (planner_pb2, runner_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def test_there_is_a_template_for_typescript_and_one_for_go() -> None:
    plugins = {plugin["local"] for template in TEMPLATES for plugin in yaml.safe_load(template.read_text())["plugins"]}
    assert plugins == {"protoc-gen-es", "protoc-gen-go", "protoc-gen-go-grpc"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_reads_the_protos_and_asks_no_server(template: Path) -> None:
    parsed = yaml.safe_load(template.read_text())
    assert parsed["version"] == "v2"
    assert parsed["inputs"] == [{"directory": "protos"}]
    assert all(set(plugin) == {"local", "out", "opt"} for plugin in parsed["plugins"]), "remote ones need a network"
    assert all(plugin["out"].startswith("gen/") for plugin in parsed["plugins"]), "git ignores gen/"


@pytest.mark.parametrize("proto", sorted((ROOT / "protos").rglob("*.proto")), ids=lambda path: path.name)
def test_a_proto_says_its_package_in_go(proto: Path) -> None:
    assert 'option go_package = "signoff/v1;signoffv1";' in proto.read_text().splitlines()


def test_the_example_calls_rpcs_that_exist_and_generates_with_pinned_versions() -> None:
    called = re.findall(r"(?:planner|runner)\.(\w+)\(", (EXAMPLE / "submit.ts").read_text())
    assert {name[0].upper() + name[1:] for name in called} <= RPCS
    assert len(called) >= 3
    assert "EXECUTION_STATE_SUCCEEDED" in set(execution_pb2.ExecutionState.keys())
    package = json.loads((EXAMPLE / "package.json").read_text())
    pinned = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())

"""The contract is in good form, and nothing that clients rely on was taken away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.contract.descriptors import BASELINE, RENEW, ROOT, baseline, buf, contract, names_in

FOUND = 100  # buf's exit code when it ran well and found something


def test_the_protos_pass_the_standard_lint() -> None:
    linted = buf("lint")
    assert linted.returncode == 0, linted.stdout.decode()


def test_the_protos_are_formatted() -> None:
    formatted = buf("format", "--diff", "--exit-code")
    assert formatted.returncode == 0, formatted.stdout.decode()


def test_nothing_breaks_the_committed_baseline() -> None:
    broken = buf("breaking", "--against", str(BASELINE))
    assert broken.returncode == 0, broken.stdout.decode()


def test_the_baseline_guards_everything_the_contract_has() -> None:
    unguarded = set(names_in(contract())) - set(names_in(baseline()))
    assert not unguarded, f"renew the baseline with: {RENEW}"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("bytes plan_json = 1 ", "bytes plan_text = 1 "),
        ("bytes plan_json = 1 ", "string plan_json = 1 "),
        ("bool no_infer = 2;", ""),
        ("rpc ListPlans(", "rpc ListAllPlans("),
    ],
    ids=["a field renamed", "a type changed", "a field removed", "an rpc renamed"],
)
def test_a_breaking_change_is_seen(was: str, becomes: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    planner = tmp_path / "protos" / "signoff" / "v1" / "planner.proto"
    text = planner.read_text()
    assert was in text, "this test changes something that is no longer there"
    planner.write_text(text.replace(was, becomes))
    assert buf("breaking", str(tmp_path), "--against", str(BASELINE)).returncode == FOUND

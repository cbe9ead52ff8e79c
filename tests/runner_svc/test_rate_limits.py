"""The table of rate limits that a user supplies."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner_svc.core.fleet.rate_limits import Limit
from runner_svc.rate_limits import limits_in
from signoff.errors import ConfigurationError


def test_each_bound_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("[models.a]\nrequests_per_minute = 60\n[models.b]\ntokens_per_minute = 9000\n")
    assert limits_in(file) == {"a": Limit(requests=60), "b": Limit(tokens=9000)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[models.a]\nrequests_per_minute = 0", "models.a.requests_per_minute: Input should be greater than or equal"),
        ("[models.a]\nper_hour = 9", "models.a.per_hour: Extra inputs are not permitted"),
        ("=", "expected a table of limits in"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        limits_in(file)
    assert problem in str(caught.value)

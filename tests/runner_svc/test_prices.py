"""The price table that a user supplies."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner_svc.codec.usage import usage_from_proto
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import SessionId
from runner_svc.prices import Price, Prices, prices_in
from signoff.bounds import check
from signoff.errors import ConfigurationError
from signoff.v1 import worker_pb2

TABLE = """
currency = "EUR"
[models."gpt-5-mini"]
input = 0.25
output = 2
request = 0.001
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prices.toml"


def test_tokens_are_priced_by_the_million(file: Path) -> None:
    file.write_text(TABLE)
    prices = prices_in(file)
    assert prices.currency == "EUR"
    priced = prices.priced("gpt-5-mini", Usage(input_tokens=1_000_000, output_tokens=500_000, requests=2))
    assert priced.cost_nanos == 250_000_000 + 1_000_000_000 + 2_000_000
    assert (priced.estimated_cost_nanos, priced.unpriced_tokens) == (0, 0)


def test_the_price_of_one_token_is_not_lost(file: Path) -> None:
    file.write_text("[models.tiny]\ninput = 0.01\noutput = 0.01\n")
    assert prices_in(file).priced("tiny", Usage(input_tokens=1)).cost_nanos == 10


TOLD = Usage(input_tokens=10, cached_input_tokens=6, output_tokens=20, reasoning_tokens=15)


def test_what_is_cached_or_only_thought_may_have_a_price_of_its_own() -> None:
    alike, apart = Price(input=1, output=2), Price(input=1, output=2, cached_input=0.1, reasoning=3)
    prices = Prices("EUR", {"alike": alike, "apart": apart})
    assert prices.priced("alike", TOLD).cost_nanos == 10_000 + 40_000
    assert prices.priced("apart", TOLD).cost_nanos == 4_000 + 600 + 10_000 + 45_000


def test_estimates_are_priced_apart_and_at_the_dearest_of_their_kind() -> None:
    prices = Prices("EUR", {"m": Price(input=1, output=2, cached_input=0.1, reasoning=3)})
    priced = prices.priced("m", Usage(estimated_input_tokens=10, estimated_output_tokens=10))
    assert (priced.cost_nanos, priced.estimated_cost_nanos) == (0, 10_000 + 30_000)


def test_a_price_that_is_not_known_is_not_zero() -> None:
    usage = worker_pb2.Usage(lease_id="e.0.1", model="m", input_tokens=3, output_tokens=4, estimated_input_tokens=5)
    signal = usage_from_proto(usage, Prices(), session=SessionId("s"), at=0.0)
    assert signal.total == Usage(input_tokens=3, output_tokens=4, estimated_input_tokens=5, unpriced_tokens=12)


def test_a_total_that_nobody_can_have_spent_is_bounded() -> None:
    usage = worker_pb2.Usage(lease_id="e.0.1", model="m" * 1000, input_tokens=2**63)
    check(usage)
    signal = usage_from_proto(usage, Prices(), session=SessionId("s"), at=0.0)
    assert (signal.total.input_tokens, len(signal.model)) == (2**40, 256)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("models", "expected a table of prices in"),
        ('[models.m]\ninput = "much"\noutput = 1', "models.m.input: Input should be a valid number"),
        ("[models.m]\ninput = 1", "models.m.output: Field required"),
        ("[models.m]\ninput = -1\noutput = 1", "greater than or equal to 0"),
        ("[models.m]\ninput = nan\noutput = 1", "finite number"),
        ("[models.m]\ninput = 1\noutput = 1\noutputs = 1", "models.m.outputs: Extra inputs are not permitted"),
        ("curency = 'EUR'", "curency: Extra inputs are not permitted"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_the_place(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        prices_in(file)
    assert problem in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_table_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a table of prices"):
        prices_in(file)

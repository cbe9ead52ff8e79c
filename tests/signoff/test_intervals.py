"""The interval of a share, against figures that others have published."""

from __future__ import annotations

import pytest

from signoff.intervals import wilson

#: The first four are those of R. G. Newcombe, Statistics in Medicine 17 (1998), method 3; where the part is nothing,
#: the upper end is z² / (n + z²).
KNOWN = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
    (0, 30, 0.0, 3.841459 / 33.841459),
    (10, 10, 10 / 13.841459, 1.0),
]


@pytest.mark.guard(name="shares have their interval")
@pytest.mark.parametrize(("part", "whole", "low", "high"), KNOWN)
def test_it_is_the_interval_that_others_have_found(part: int, whole: int, low: float, high: float) -> None:
    assert list(wilson(part, whole)) == pytest.approx([low, high], abs=5e-5)


def test_of_nothing_anything_is_likely_and_of_very_many_the_share_itself() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10**400 // 4, 10**400) == (0.25, 0.25)


@pytest.mark.parametrize("whole", [1, 2, 7, 100, 12_345])
def test_it_lies_within_0_and_1_holds_the_share_and_is_the_same_seen_from_the_other_side(whole: int) -> None:
    for part in {0, 1, whole // 3, whole}:
        low, high = wilson(part, whole)
        assert 0 <= low <= part / whole <= high <= 1
        assert list(wilson(whole - part, whole)) == pytest.approx([1 - high, 1 - low])


@pytest.mark.parametrize(("part", "whole"), [(-1, 5), (6, 5), (1, 0)])
def test_a_part_that_is_none_is_refused(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match=f"expected a part from 0 to {whole}, but got {part}"):
        wilson(part, whole)

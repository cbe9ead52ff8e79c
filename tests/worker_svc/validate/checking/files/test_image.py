"""Pictures: whole, as large as is asked for, and not blank."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from signoff.v1 import execution_pb2
from tests.support.work.files import check_of, picture, png_that_claims
from worker_svc.validate.checking.files import image
from worker_svc.validate.checks import check_result

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


def reason(content: bytes, **fields: Any) -> str:
    """Returns the reason why a picture fails; empty: it passes."""
    result = check_result(check_of("image", **fields), content)
    assert result.outcome == (FAIL if result.reason else PASS)
    return result.reason


@pytest.mark.parametrize("form", image.FORMATS)
def test_a_picture_of_each_format_passes_and_half_of_it_does_not(form: str) -> None:
    content = picture(form, (300, 300))
    assert reason(content, min_width=300, max_width=300, min_height=300, max_height=300) == ""
    assert "expected a picture that can be read whole, but " in reason(content[: len(content) * 2 // 3])


def test_a_png_without_its_end_is_not_whole_although_all_pixels_are_there() -> None:
    assert "expected a picture that can be read whole" in reason(picture()[:-6])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"min_width": 21}, "expected a width of at least 21 pixels, but it is 20 × 10 pixels"),
        ({"max_width": 19}, "expected a width of at most 19 pixels, but it is 20 × 10 pixels"),
        ({"min_height": 11}, "expected a height of at least 11 pixels, but it is 20 × 10 pixels"),
        ({"max_height": 9}, "expected a height of at most 9 pixels, but it is 20 × 10 pixels"),
    ],
)
def test_a_picture_of_another_size_fails_with_its_size(fields: Any, says: str) -> None:
    assert reason(picture(), **fields) == says


@pytest.mark.guard(name="a picture of one colour is blank")
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_a_picture_of_one_colour_is_blank(mode: str) -> None:
    assert reason(picture(mode=mode, is_blank=True)) == "expected a picture, but it is blank: all of it has one colour"
    assert reason(picture(mode=mode, is_blank=True), may_be_blank=True) == ""


def test_colours_that_are_transparent_are_not_seen() -> None:
    drawn = Image.new("RGBA", (9, 9), (255, 0, 0, 0))
    drawn.putpixel((1, 1), (0, 255, 0, 0))
    written = io.BytesIO()
    drawn.save(written, "PNG")
    assert "it is blank" in reason(written.getvalue())


def test_a_picture_that_moves_is_blank_when_all_of_its_frames_are() -> None:
    def moving(*colours: str) -> bytes:
        frames = [Image.new("RGB", (9, 9), colour) for colour in colours]
        written = io.BytesIO()
        frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], duration=9)
        return written.getvalue()

    assert reason(moving("red", "blue")) == ""
    assert "it is blank" in reason(moving("red", "red"))


def test_a_point_in_the_last_row_of_a_large_picture_is_seen() -> None:
    drawn = Image.new("L", (2_000, 1_501))
    drawn.putpixel((1_999, 1_500), 1)
    written = io.BytesIO()
    drawn.save(written, "PNG")
    assert reason(written.getvalue()) == ""


@pytest.mark.guard(name="a picture is measured before it is decoded")
def test_a_picture_that_claims_to_be_huge_is_not_decoded() -> None:
    expected = "expected a picture of at most 100,000,000 pixels, but it claims to have"
    assert reason(png_that_claims(10_000, 10_001)) == f"{expected} 10,000 × 10,001"
    for side in (100_000, 2**31 - 1):
        assert reason(png_that_claims(side, side)) == f"{expected} more"


@pytest.mark.parametrize(
    "content", [b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>", b"day,amount\n1,2\n", b"\x89PNG\r\n\x1a\n" + bytes(99)]
)
def test_what_is_no_picture_of_points_fails_and_no_program_is_started_for_it(content: bytes) -> None:
    assert "expected a picture that can be read whole, but by its bytes it is none of PNG, JPEG" in reason(content)

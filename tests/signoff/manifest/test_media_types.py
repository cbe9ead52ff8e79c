"""How the names of files end, by their media types."""

from __future__ import annotations

import pytest

from signoff.manifest.media_types import suffix_of


@pytest.mark.parametrize(
    ("media_type", "suffix"),
    [
        ("application/json", ".json"),
        ("Application/JSON; charset=utf-8", ".json"),
        ("application/geo+json", ".json"),
        ("text/markdown", ".md"),
        ("text/plain", ".txt"),
        ("text/csv", ".csv"),
        ("image/png", ".png"),
        ("image/jpeg", ".jpg"),
        ("IMAGE/PNG", ".png"),
        ("text/css", ".css"),
        ("text/x-rust", ".txt"),
        ("application/x-ndjson", ".jsonl"),
        ("image/unknown", ".bin"),
        ("x", ".bin"),
        ("", ".bin"),
    ],
)
def test_the_media_type_says_how_a_name_ends(media_type: str, suffix: str) -> None:
    assert suffix_of(media_type) == suffix

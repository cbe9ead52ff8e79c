"""Secrets are found however they are written, and nothing else is touched."""

from __future__ import annotations

import asyncio
import html
import json
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.secrets.names import PLACEHOLDERS, secrets_in_url
from signoff.secrets.redaction import WINDOW, Secrets
from signoff.secrets.stream import HIDDEN, SHORTEST

KEY = "sk-proj-0123456789_Ab/Cd+Ef=="

keys = st.text(string.ascii_letters + string.digits + "-_/+=.~:@!$&%\\#\"'<>? ", min_size=SHORTEST, max_size=60).filter(
    lambda key: len(key.strip()) >= SHORTEST and key.strip() not in PLACEHOLDERS
).map(str.strip)  # fmt: skip
surroundings = st.text(st.sampled_from("aé行🚀 \n.:,{}\"'()<x9Z"), max_size=SHORTEST - 1)


def percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


#: Ways to write one character.
CHARACTERS: dict[str, Callable[[str], str]] = {
    "as it is": lambda c: c,
    "percent": percent,
    "percent, lower case": lambda c: percent(c).lower(),
    "JSON": lambda c: f"\\u{ord(c):04x}",
    "JSON, upper case": lambda c: f"\\u{ord(c):04X}",
    "JSON in JSON": lambda c: f"\\\\u{ord(c):04x}",
    "JavaScript": lambda c: f"\\u{{{ord(c):x}}}",
    "Python": lambda c: f"\\x{ord(c):02x}",
    "octal": lambda c: f"\\{ord(c):03o}",
    "decimal entity": lambda c: f"&#{ord(c)};",
    "hexadecimal entity": lambda c: f"&#x{ord(c):X};",
    "percent twice": lambda c: percent(c).replace("%", "%25"),
    "entity, percent-encoded": lambda c: quote(f"&#{ord(c)};"),
}
DEEP = {"JSON in JSON", "percent twice", "entity, percent-encoded"}


def in_base64(key: str, before: int, after: str) -> str:
    return b64encode(b"\xfb\xff\xfe"[:before] + key.encode() + after.encode()).decode()


#: Ways to write a whole key.
WHOLES: dict[str, Callable[[str], str]] = {
    "verbatim": str,
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON in JSON": lambda key: json.dumps(json.dumps(key))[3:-3],
    "percent": lambda key: quote(key, safe=""),
    "entities": html.escape,
    "hex": lambda key: key.encode().hex(),
    "HEX": lambda key: key.encode().hex().upper(),
    "hex with spaces": lambda key: key.encode().hex(" "),
    "hex with colons": lambda key: key.encode().hex(":").upper(),
    **{f"base64 at {n}": lambda key, n=n: in_base64(key, n, "tail") for n in range(3)},  # type: ignore[misc]
    **{f"base64 at {n}, alone": lambda key, n=n: in_base64(key, n, "") for n in range(3)},  # type: ignore[misc]
    "base64 without padding": lambda key: in_base64(key, 0, "").rstrip("="),
    "base64url": lambda key: urlsafe_b64encode(b"\xff" + key.encode()).decode().rstrip("="),
    "base64, wrapped": lambda key: "\n".join(in_base64(key, 1, "")[n : n + 7] for n in range(0, 120, 7)),
    "base64, percent-encoded": lambda key: quote(in_base64(key, 2, ""), safe=""),
    "broken into lines": lambda key: "\r\n".join((key[:3], key[3:])),
    "broken into lines, in JSON": lambda key: json.dumps("\r\n".join((key[:3], key[3:])))[1:-1],
    "broken into lines, in JSON in JSON": lambda key: json.dumps(json.dumps("\n".join((key[:3], key[3:]))))[3:-3],
    "base64, wrapped, in JSON": lambda key: json.dumps(WHOLES["base64, wrapped"](key))[1:-1],
    "hex with tabs, in JSON": lambda key: json.dumps(key.encode().hex("\t"))[1:-1],
}


def core_of(written: str, way: str) -> str:
    """Returns the text that must be gone: of base64, the groups in the middle; the edges belong to other bytes."""
    return written[4:-7] if "base64" in way and len(written) > 14 else written


def streamed(secrets: Secrets, text: str, cuts: list[int]) -> list[str]:
    stream = secrets.stream()
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [*(stream.feed(text[start:end]) for start, end in pairwise(edges)), stream.end()]


@pytest.mark.guard(name="escapes are read")
@settings(max_examples=200, deadline=None)
@given(keys, st.sampled_from(sorted(WHOLES)), surroundings, surroundings, st.lists(st.integers(0, 500), max_size=12))
def test_no_way_of_writing_a_key_gets_out(key: str, way: str, before: str, after: str, cuts: list[int]) -> None:
    written = WHOLES[way](key)
    text = f"{before} {written} {after}"
    secrets = Secrets([key])
    for told in (secrets.without(text), "".join(streamed(secrets, text, cuts))):
        assert HIDDEN in told
        assert core_of(written, way) not in told
        assert key not in told
    assert secrets.without_in(text.encode()) == secrets.without(text).encode()


@settings(max_examples=200, deadline=None)
@given(keys, st.data(), surroundings, surroundings, st.lists(st.integers(0, 2000), max_size=12))
def test_a_key_that_is_written_in_several_ways_at_once_does_not_get_out(
    key: str, data: st.DataObject, before: str, after: str, cuts: list[int]
) -> None:
    # What a key has of escapes itself must be told from those around it: all its characters are as deep then.
    possible = sorted(set(CHARACTERS) - DEEP - {"as it is"} if set(key) & set("%\\&") else CHARACTERS)
    ways = [data.draw(st.sampled_from(possible)) for _ in key]
    written = "".join(CHARACTERS[way](character) for way, character in zip(ways, key, strict=True))
    text = f"{before} {written} {after}"
    secrets = Secrets([key])
    expected = f"{before} {HIDDEN} {after}"
    assert secrets.without(text).replace("\\", "") == expected.replace("\\", "")
    told = "".join(streamed(secrets, text, cuts)).replace(f"{key[0]}{HIDDEN}", HIDDEN)  # a single letter may be told
    assert told.replace("\\", "") == expected.replace("\\", "")


@pytest.mark.guard(name="a backslash hides no key")
@pytest.mark.parametrize("key", ["npm_0123456789", "r8_0123456789", "token-0123456789"])
@pytest.mark.parametrize("before", ["C:\\", "\\", "a\\\\\\"])
def test_a_backslash_before_a_key_does_not_hide_it(key: str, before: str) -> None:
    secrets = Secrets([key])
    text = f"{before}{key[:4]}{percent(key[4])}{key[5:]}."
    for told in (secrets.without(text), *("".join(streamed(secrets, text, [cut])) for cut in range(len(text)))):
        assert told.endswith(f"{HIDDEN}.")
        assert key[1:4] not in told


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.lists(st.integers(0, 400), max_size=20))
def test_a_text_without_the_key_comes_out_as_it_was_and_whole(text: str, cuts: list[int]) -> None:
    secrets = Secrets([KEY, "another-key-of-this-worker"])
    assert secrets.without(text) is text
    assert "".join(streamed(secrets, text, cuts)) == text


@pytest.mark.parametrize("text", ["half a pair: \ud83d", "\ud83d\ude80", "100 % \\ & R&D; 50%", "sk-proj-0123", "\x00"])
def test_what_only_looks_like_it_is_told_in_the_end(text: str) -> None:
    secrets = Secrets([KEY])
    assert secrets.without(text) == text
    assert "".join(streamed(secrets, text, list(range(1, len(text))))) == text


def test_a_stream_holds_back_what_may_be_a_key_and_not_a_letter_more() -> None:
    stream = Secrets([KEY]).stream()
    assert stream.feed("the key is sk-pro") == "the key is "
    assert stream.feed("per and fine, ") == "sk-proper and fine, "
    assert stream.feed(KEY[:-1]) == ""
    assert stream.feed(KEY[-1] + "!") == f"{HIDDEN}!"
    assert stream.feed("so\\") == "so"
    assert stream.feed("n") == "\\n"


def test_a_single_letter_is_told_at_once_and_the_key_that_it_begins_is_still_found() -> None:
    stream = Secrets([KEY]).stream()
    assert [stream.feed(piece) for piece in ("planets", " and stars", KEY[1:], ".")] == [
        "planets", " and stars", HIDDEN, ".",
    ]  # fmt: skip
    assert [stream.feed(piece) for piece in ("s", "k", "y", "s")] == ["s", "", "ky", "s"]
    assert stream.end() == ""


def test_a_stream_does_not_hold_back_without_end() -> None:
    stream = Secrets([KEY]).stream()
    told = sum(len(stream.feed("\\\\" * 500)) for _ in range(200))
    assert 200_000 - told < 5_000


def test_of_two_keys_that_begin_alike_the_longer_is_hidden_as_a_whole() -> None:
    secrets = Secrets(["sk-abcdefgh", "sk-abcdefgh-ijkl"])
    assert secrets.without("<sk-abcdefgh-ijkl>") == f"<{HIDDEN}>"
    assert "".join(streamed(secrets, "<sk-abcdefgh-ijkl>", list(range(3, 18)))) == f"<{HIDDEN}>"
    assert "".join(streamed(secrets, "<sk-abcdefgh-no>", list(range(3, 16)))) == f"<{HIDDEN}-no>"


def test_short_words_and_stand_ins_are_no_secrets() -> None:
    secrets = Secrets(["ollama", "no-key", "lm-studio", "", "  ", "1234567"])
    assert len(secrets) == 0
    assert secrets.without("ollama at lm-studio: 1234567") == "ollama at lm-studio: 1234567"


async def test_a_large_content_is_searched_at_every_edge_while_the_event_loop_runs_on() -> None:
    secrets = Secrets([KEY])
    content = b"".join(bytes([97 + n % 13]) * (WINDOW // 3 - n) + percent(KEY).encode() for n in range(40))
    searching = asyncio.create_task(secrets.cleaned(content))
    turns = 0
    while not searching.done():
        turns += 1
        await asyncio.sleep(0)
    assert searching.result().count(HIDDEN.encode()) == 40
    assert searching.result() == secrets.without_in(content)
    assert turns > 10


async def test_contents_that_are_no_text_are_searched_too() -> None:
    secrets = Secrets([KEY])
    assert await secrets.cleaned(b"\xff\x00" + KEY.encode() + b"\xfe") == b"\xff\x00" + HIDDEN.encode() + b"\xfe"
    assert await secrets.cleaned(content := b"\xff\x00\xfe" * 50_000) is content


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/v1", set()),
        ("https://user:hunter22!@example.com/v1", {"hunter22!"}),
        ("https://svc-7781:p%40ss%3Aword@example.com", {"svc-7781", "p%40ss%3Aword", "p@ss:word"}),
        ("https://sk-0123456789@example.com/v1", {"sk-0123456789"}),
        ("https://example.com/v1?api-version=2024-10-21&api-key=abc-def-ghi", {"abc-def-ghi"}),
        ("postgresql://postgres:postgres@localhost/db", set()),
        ("postgresql://u1:a/b?c#d-secret@localhost/db", {"u1", "a/b?c#d-secret"}),
        ("https://u1:hunter22@[broken", {"u1", "hunter22"}),
    ],
)
def test_what_is_secret_in_a_url(url: str, expected: set[str]) -> None:
    assert set(secrets_in_url(url)) == expected

"""Every format is asserted."""

from __future__ import annotations

import pytest

from signoff.schemas.formats import FORMATS, has_format
from worker_svc.mock.samples import Sampler

CASES: dict[str, tuple[list[str], list[str]]] = {
    "date": (
        ["2024-02-29", "2000-02-29", "0000-01-01"],
        [
            "2026-13-45",
            "2023-02-29",
            "1900-02-29",
            "2024-1-01",
            "2024-01-01\n",
            "２０２４-01-01",
            "20240101",
            "2024-W01-1",
        ],
    ),
    "time": (
        ["00:00:00Z", "23:59:60Z", "01:29:60.123+01:30", "08:30:06-08:00", "12:00:00z"],
        [
            "24:00:00Z",
            "12:00:60Z",
            "12:00:00",
            "12:00:00+24:00",
            "12:00:00.Z",
            "12:60:00Z",
            "1:00:00Z",
            "12:00:00+0100",
        ],
    ),
    "date-time": (
        ["1963-06-19T08:30:06.283185Z", "1990-12-31t15:59:60-08:00"],
        ["1963-06-19 08:30:06Z", "1990-02-31T15:59:59Z", "1963-06-19", "2024-01-01T00:00:00", "2024-01-01T00:00:00Z\n"],
    ),
    "duration": (
        ["P4DT12H30M5S", "P1W", "PT36H", "P1Y2M3D", "PT0S"],
        ["P", "PT", "P1YT", "P1Y2W", "P1D2H", "PT1D", "4D", "P1.5D"],
    ),
    "uuid": (
        ["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
        ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"],
    ),
    "email": (
        [
            "joe.bloggs@example.com",
            "te~st@example.com",
            '"joe bloggs"@example.com',
            "joe@[127.0.0.1]",
            "joe@[IPv6:::1]",
        ],
        [
            "2962",
            "@example.com",
            "joe@",
            ".joe@example.com",
            "jo..e@example.com",
            "joe@[127.0.0.300]",
            "joe@a b",
            "é@example.com",
        ],
    ),
    "idn-email": (["实例@实例.测试", "a@b"], ["2962", "实例@", "a b@c"]),
    "hostname": (
        ["www.example.com", "xn--4gbwdl.xn--wgbh1c", "1host", "a--b.com", "a" * 63],
        ["", "-a", "a-", "a_b", "a..b", "a.", "a" * 64, "xn--X", "é.com", ".".join(["a" * 60] * 5), "a\n"],
    ),
    "idn-hostname": (
        ["실례.테스트", "xn--ihqwcrb4cv8a8dqg056pqjye", "a\u3002b"],
        ["〮한국", "a..b", "-é", "xn--X", "0a.\u05d0", "ab--cé"],
    ),
    "ipv4": (
        ["192.168.0.1", "0.0.0.0"],
        ["256.0.0.1", "1.2.3", "087.10.0.1", "1.2.3.4.5", "1.2.3.4\n", "१.2.3.4", "0x7f.1"],
    ),
    "ipv6": (
        ["::1", "1:2::192.168.0.1", "::abef"],
        ["12345::", ":::1", "fe80::1%eth0", "1:2:3:4:5:6:7", "::1\n", "1::2::3"],
    ),
    "uri": (
        [
            "http://foo.bar/?baz=qux#quuz",
            "urn:oasis:names",
            "mailto:a@b.c",
            "http://[::1]:80/",
            "http://a/%20",
            "http://[V1.fe]",
        ],
        [
            "//foo.bar",
            "/abc",
            "http://a b",
            "http://[::z]/",
            "http://a/%2",
            "a:b\n",
            "http://a:x",
            "1a:b",
            "http://é",
            "\\\\WINDOWS",
        ],
    ),
    "uri-reference": (["/abc", "#a", "", "//a/b", "a/b:c", "?q"], ["\\a", "#a\\b", "a b", "1:b"]),
    "uri-template": (["http://a/{b}/{c:1}{?d*,e}", "", "a"], ["http://a/{b", "a}", "{a:0}", "{}"]),
    "iri": (["http://ƒøø.ßår/?∂éœ=πîx#πîüx"], ["/abc", "http:// é", "âππ", "http://a/\ue000"]),
    "iri-reference": (["âππ", "/é", "http://é/?\ue000"], ["\\é", "#é\\a"]),
    "json-pointer": (["", "/", "/a~0b~1c/0", "/é"], ["a", "/a~", "/~2", "#/a"]),
    "relative-json-pointer": (["0", "1/a", "2#", "120/a/b"], ["01", "-1", "/a", "1##", "a", "1~", ""]),
    "regex": ([r"([abc])+\s+$", r"\p{Script=Han}", "(?<=a+)b"], ["^(abc]", r"\Z", r"\a", "(?P<n>a)"]),
}


def test_every_format_has_cases() -> None:
    assert CASES.keys() == FORMATS.keys()


@pytest.mark.guard(name="formats are asserted")
@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_asserted(name: str) -> None:
    good, bad = CASES[name]
    assert [text for text in good if not has_format(text, name)] == []
    assert [text for text in bad if has_format(text, name)] == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_mock_writes_what_has_the_format(name: str) -> None:
    schema = {"type": "string", "format": name}
    assert has_format(Sampler(root=schema, topic="planets").instance(schema), name)


def test_an_unknown_format_asserts_nothing_and_no_format_is_about_numbers() -> None:
    assert has_format("anything", "int32")
    assert has_format("anything", 7)
    assert has_format(20261345, "date")

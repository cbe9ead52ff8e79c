"""The vocabulary of checks: each kind with its fields, and the names that others have for them. See vocabulary.py."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from planner_svc.read.object_types import ObjectType
from planner_svc.read.object_types import field_table as _fields
from planner_svc.read.object_types import synonym_table as _synonyms
from planner_svc.read.object_types import synonym_table_of as _synonyms_of
from planner_svc.read.object_types import words as _names

REMARKS = _names("title comment comments note notes metadata meta")

_FILE = "filename filepath file_of path_of_file entry"  # names that others have for `file`


def _check(kind: str, fields: str = "", *, is_closed: bool = False, **synonyms: str) -> ObjectType:
    """Makes a check that looks at bytes: at the main file of a candidate, or at the `file` that it names."""
    return _check_of_all(kind, f"{fields} file", {"file": _FILE, **synonyms}, is_closed=is_closed)


def _check_of_all(
    kind: str, fields: str, synonyms: Mapping[str, str], *, is_closed: bool = False, **below: ObjectType
) -> ObjectType:
    """Makes a check that has no `file`: it looks at all files of a candidate."""
    return ObjectType(
        what=f"a check of type {kind}",
        fields=_fields(f"type {fields}", **below),
        synonyms=_synonyms_of(synonyms),
        foreign=REMARKS | _names("id description criterion reason severity"),
        is_closed=is_closed,
    )


def _counted(kind: str, separator: str = "") -> ObjectType:
    """Makes a check that counts parts of a text; `separator` is a field when the parts may be separated otherwise."""
    return _check(
        kind,
        f"min_{kind} max_{kind} distinct {separator}",
        is_closed=True,
        **{
            f"min_{kind}": "min minimum min_count min_items at_least",
            f"max_{kind}": "max maximum max_count max_items at_most limit",
            "distinct": "unique",
            **({separator: "splitter divider delimiter"} if separator else {}),
        },
    )


_COMPARISON = "whole_words case_sensitive"
_COMPARED = MappingProxyType({"whole_words": "whole_word words_only", "case_sensitive": "case exact match_case"})


COLUMN = ObjectType(
    what="a column",
    fields=_fields("name type may_be_empty unique min max sum"),
    synonyms=_synonyms(
        name="column header key title",
        type="kind dtype datatype format",
        may_be_empty="nullable optional allow_empty empty null missing",
        unique="distinct is_unique",
        min="minimum at_least least",
        max="maximum at_most most limit",
        sum="total",
    ),
    foreign=_names("description comment note notes"),
    is_closed=True,
)
_TABLE = _check_of_all(
    "table",
    "columns only_these min_rows max_rows file",
    {
        "file": _FILE,
        "columns": "column fields header",
        "only_these": "exact strict no_others no_other_columns",
        "min_rows": "min minimum min_count at_least",
        "max_rows": "max maximum max_count at_most limit",
    },
    is_closed=True,
    columns=COLUMN,
)


CHECKS: Mapping[str, ObjectType] = MappingProxyType(
    {
        "json": _check("json"),
        "json_schema": _check(
            "json_schema", "schema lines", schema="json_schema jsonschema", lines="json_lines jsonl per_line"
        ),
        "required_keys": _check("required_keys", "keys", keys="required required_keys fields properties names"),
        "regex": _check(
            "regex",
            "pattern absent",
            pattern="regex regexp expression match",
            absent="not negate negated invert inverted must_not_match",
        ),
        "length": _check(
            "length",
            "min_chars max_chars visible",
            min_chars="min minimum min_length min_characters at_least",
            max_chars="max maximum max_length max_characters at_most limit",
            visible="without_spaces no_spaces ignore_spaces ignore_whitespace",
        ),
        "count": _check(
            "count",
            "path min_items max_items",
            path="field key pointer",
            min_items="min minimum min_count at_least",
            max_items="max maximum max_count at_most limit",
        ),
        "words": _check(
            "words",
            "min_words max_words",
            min_words="min minimum min_count min_length at_least",
            max_words="max maximum max_count max_length at_most limit",
        ),
        "language": _check("language", "code", code="language lang iso locale"),
        "citations": _check(
            "citations",
            "min_citations marks",
            min_citations="min minimum count min_count min_sources sources at_least",
            marks="mark styles style kinds",
        ),
        "command": _check_of_all(
            "command",
            "argv timeout",
            {
                "argv": "command cmd args arguments program run",
                "timeout": "timeout_seconds run_timeout max_seconds",
                "{candidate} in argv, the folder with all files": "file",
            },
        ),
        "function": _check_of_all(
            "function",
            "name",
            {
                "name": "function func handler callable",
                "files that the function chooses itself, for it gets all": "file",
            },
        ),
        **{
            kind: _counted(kind)
            for kind in (*("sentences", "bullets", "headings", "highlights", "placeholders", "uppercase_words"),)
        },
        **{kind: _counted(kind, "separator") for kind in ("paragraphs", "sections")},
        "contains": _check(
            "contains",
            f"phrases min_occurrences max_occurrences any {_COMPARISON}",
            is_closed=True,
            phrases="phrase text texts keywords keyword words values value",
            min_occurrences="min minimum min_count at_least",
            max_occurrences="max maximum max_count at_most limit",
            **_COMPARED,
        ),
        "starts_with": _check(
            "starts_with",
            f"phrase paragraph {_COMPARISON}",
            is_closed=True,
            phrase="text prefix value with",
            **_COMPARED,
        ),
        "ends_with": _check(
            "ends_with", f"phrase {_COMPARISON}", is_closed=True, phrase="text suffix value with", **_COMPARED
        ),
        "uppercase": _check("uppercase", is_closed=True),
        "lowercase": _check("lowercase", is_closed=True),
        "number": _check(
            "number",
            "path min max direction threshold",
            is_closed=True,
            path="field key pointer",
            min="minimum at_least least",
            max="maximum at_most most limit",
            direction="goal objective",
            threshold="target",
        ),
        "quoted": _check("quoted", is_closed=True),
        "title": _check("title", is_closed=True),
        "postscript": _check("postscript", "marker", is_closed=True, marker="text prefix"),
        "required_files": _check_of_all(
            "required_files", "files", {"files": "file paths path names patterns required"}, is_closed=True
        ),
        "file_size": _check(
            "file_size",
            "min_bytes max_bytes",
            is_closed=True,
            min_bytes="min minimum min_size at_least",
            max_bytes="max maximum max_size at_most limit",
        ),
        "media_type": _check(
            "media_type", "types", is_closed=True, types="media_type media_types mime mime_type content_type kind"
        ),
        "image": _check(
            "image",
            "min_width max_width min_height max_height may_be_blank",
            is_closed=True,
            may_be_blank="blank allow_blank can_be_blank",
        ),
        "table": _TABLE,
        "archive_safe": _check(
            "archive_safe",
            "max_members max_unpacked_bytes",
            is_closed=True,
            max_members="max_files max_entries members",
            max_unpacked_bytes="max_bytes max_size unpacked_bytes max_unpacked",
        ),
    }
)
CHECK = ObjectType(
    what="a check", fields=_fields("type"), synonyms=_synonyms(type="kind check check_type"), kinds=CHECKS
)

"""Tells which draft of JSON Schema a schema is written in: by `$schema`, else by its keywords, else draft 2020-12.

Validators ignore a keyword that their draft does not have, and the schema would lose it silently. So the chosen draft
has all keywords that were found. When no draft has all of them, the schema must name its draft.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import MappingProxyType
from typing import Any

from signoff.schemas.walk import Schema, Subschema, parts_of


class Draft(Enum):
    """A draft of JSON Schema; its value is what `$schema` says."""

    DRAFT_3 = "http://json-schema.org/draft-03/schema"
    DRAFT_4 = "http://json-schema.org/draft-04/schema"
    DRAFT_6 = "http://json-schema.org/draft-06/schema"
    DRAFT_7 = "http://json-schema.org/draft-07/schema"
    DRAFT_2019_09 = "https://json-schema.org/draft/2019-09/schema"
    DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"

    def __str__(self) -> str:
        return self.value.removeprefix("http://json-schema.org/").split("/schema")[0].rpartition("/")[2]


Drafts = frozenset[Draft]

_TO_7 = frozenset({Draft.DRAFT_4, Draft.DRAFT_6, Draft.DRAFT_7})
_SINCE_2019 = frozenset({Draft.DRAFT_2019_09, Draft.DRAFT_2020_12})
_ONLY_2019 = frozenset({Draft.DRAFT_2019_09})
_ONLY_2020 = frozenset({Draft.DRAFT_2020_12})
_ONLY_4 = frozenset({Draft.DRAFT_4})
_SINCE_6 = frozenset({Draft.DRAFT_6, Draft.DRAFT_7, *_SINCE_2019})
_SINCE_7 = frozenset({Draft.DRAFT_7, *_SINCE_2019})

#: When several drafts have all the keywords: the first of these.
_PREFERRED = (Draft.DRAFT_2020_12, Draft.DRAFT_7, Draft.DRAFT_2019_09, Draft.DRAFT_6, Draft.DRAFT_4)

_KEYWORDS = MappingProxyType(
    {
        "definitions": _TO_7,
        "dependencies": _TO_7,
        **dict.fromkeys(("const", "contains", "propertyNames"), _SINCE_6),
        **dict.fromkeys(("if", "then", "else"), _SINCE_7),
        **dict.fromkeys(("$defs", "$anchor", "dependentRequired", "dependentSchemas"), _SINCE_2019),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "minContains", "maxContains"), _SINCE_2019),
        **dict.fromkeys(("$recursiveRef", "$recursiveAnchor"), _ONLY_2019),
        **dict.fromkeys(("prefixItems", "$dynamicRef", "$dynamicAnchor"), _ONLY_2020),
    }
)
#: Keywords whose draft is told by their value.
_VALUES: MappingProxyType[str, tuple[Callable[[Any], bool], Drafts]] = MappingProxyType(
    {
        "items": (lambda value: isinstance(value, list), _TO_7 | _ONLY_2019),
        "exclusiveMinimum": (lambda value: isinstance(value, bool), _ONLY_4),
        "exclusiveMaximum": (lambda value: isinstance(value, bool), _ONLY_4),
    }
)
#: Keywords that may stand beside `$ref`, because they assert nothing: up to draft 7 all siblings of it are ignored.
_ASSERTS_NOTHING = frozenset(
    {"$ref", "$id", "id", "$schema", "$comment", "title", "description", "default", "examples", "deprecated",
     "readOnly", "writeOnly", "definitions", "$defs", "$anchor"}
)  # fmt: skip


def draft_of(schema: Any) -> Draft:
    """Returns the draft of a schema. Raises ValueError when `$schema` names none, or the keywords are of several."""
    if not isinstance(schema, dict):
        return Draft.DRAFT_2020_12
    if "$schema" in schema:
        draft = _named(schema["$schema"])
        _check_embedded(schema, draft)
        return draft
    return _told_by_keywords(schema)


def _named(name: object) -> Draft:
    found = next((draft for draft in Draft if isinstance(name, str) and name.removesuffix("#") == draft.value), None)
    if found is None:
        raise ValueError(f"expected $schema to name a draft of JSON Schema, but got {str(name)[:100]!r}")
    return found


def _check_embedded(schema: Schema, draft: Draft) -> None:
    for part in parts_of(schema):
        if "$schema" in part.schema and (other := _named(part.schema["$schema"])) is not draft:
            raise ValueError(f"expected one draft in the whole schema, but got {draft}, and {other} at {part.pointer}")


def _told_by_keywords(schema: Schema) -> Draft:
    fitting: Drafts = frozenset(_PREFERRED)
    reasons = list[tuple[Drafts, str]]()
    for part in parts_of(schema):
        for drafts, what in _signs(part):
            # guard: drafts are told apart -> if False:
            if not fitting & drafts:
                raise ValueError(_contradiction((drafts, what), reasons))
            if not fitting <= drafts:
                reasons.append((drafts, what))
            fitting &= drafts
    draft = next(draft for draft in _PREFERRED if draft in fitting)
    _check_embedded(schema, draft)
    return draft


def _signs(part: Subschema) -> list[tuple[Drafts, str]]:
    """Returns the drafts that each keyword of a schema belongs to, where not all have it."""
    found = list[tuple[Drafts, str]]()
    for keyword, value in part.schema.items():
        if keyword in _KEYWORDS:
            found.append((_KEYWORDS[keyword], f"{keyword} at {part.pointer}"))
        elif keyword in _VALUES and _VALUES[keyword][0](value):
            found.append((_VALUES[keyword][1], f"{keyword} as {_kind(value)} at {part.pointer}"))
        elif keyword == "$ref" and (beside := sorted(part.schema.keys() - _ASSERTS_NOTHING)):
            found.append((_SINCE_2019, f"{beside[0]} beside $ref at {part.pointer}"))
    return found


def _contradiction(sign: tuple[Drafts, str], reasons: list[tuple[Drafts, str]]) -> str:
    drafts, what = sign
    other_drafts, other = next((reason for reason in reasons if not reason[0] & drafts), reasons[-1])
    return (
        f"expected keywords of one draft, or $schema to say which one is meant, but got {what} "
        f"({_listed(drafts)}) and {other} ({_listed(other_drafts)})"
    )


def _kind(value: object) -> str:
    return "an array" if isinstance(value, list) else "a boolean"


def _listed(drafts: Drafts) -> str:
    return ", ".join(str(draft) for draft in Draft if draft in drafts)

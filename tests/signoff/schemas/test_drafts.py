"""The draft of a schema is told by `$schema`, else by its keywords, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.schemas.drafts import Draft, draft_of

REF: dict[str, Any] = {"$ref": "#/a"}


@pytest.mark.parametrize(
    ("schema", "draft"),
    [
        (True, Draft.DRAFT_2020_12),
        ({}, Draft.DRAFT_2020_12),
        ({"type": "object", "if": {}, "const": 1}, Draft.DRAFT_2020_12),
        ({"dependencies": {"a": ["b"]}}, Draft.DRAFT_7),
        ({"definitions": {"a": {}}, **REF, "title": "a"}, Draft.DRAFT_7),
        ({"properties": {"a": {"items": [{}]}}}, Draft.DRAFT_7),
        ({"items": [{}], "$defs": {}}, Draft.DRAFT_2019_09),
        ({"$recursiveRef": "#"}, Draft.DRAFT_2019_09),
        ({"exclusiveMinimum": True, "minimum": 1}, Draft.DRAFT_4),
        ({"exclusiveMinimum": 1, "dependencies": {}}, Draft.DRAFT_7),
        ({"$defs": {}, "prefixItems": [{}]}, Draft.DRAFT_2020_12),
        ({**REF, "maxLength": 3}, Draft.DRAFT_2020_12),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {}}, Draft.DRAFT_7),
        ({"$schema": "http://json-schema.org/draft-06/schema"}, Draft.DRAFT_6),
        # Names of properties and data are no keywords.
        ({"properties": {"dependencies": {}, "$defs": {}}, "dependentRequired": {}}, Draft.DRAFT_2020_12),
        ({"const": {"dependencies": {}}, "minContains": 1}, Draft.DRAFT_2020_12),
        ({"$defs": {"definitions": {}}}, Draft.DRAFT_2020_12),
    ],
)
def test_a_draft_is_told_by_its_name_or_its_keywords(schema: Any, draft: Draft) -> None:
    assert draft_of(schema) is draft


@pytest.mark.guard(name="drafts are told apart")
@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"$defs": {}, "dependencies": {}}, "dependencies at # (draft-04, draft-06, draft-07) and $defs at #"),
        ({"definitions": {}, "properties": {"a": {"prefixItems": [{}]}}}, "prefixItems at #/properties/a (2020-12)"),
        ({"items": [{}], "prefixItems": [{}]}, "items as an array at #"),
        ({"exclusiveMaximum": False, "const": 1}, "exclusiveMaximum as a boolean at # (draft-04)"),
        ({"definitions": {}, **REF, "maxLength": 3}, "maxLength beside $ref at #"),
    ],
)
def test_keywords_that_no_draft_has_together_are_an_error(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=r"^expected keywords of one draft, or \$schema to say") as refused:
        draft_of(schema)
    assert all(part in str(refused.value) for part in says.split(" and "))
    assert draft_of({"$schema": Draft.DRAFT_2020_12.value, **schema}) is Draft.DRAFT_2020_12


def test_a_schema_has_one_draft() -> None:
    inner = {"$schema": "http://json-schema.org/draft-04/schema#"}
    with pytest.raises(
        ValueError, match="expected one draft in the whole schema, but got 2020-12, and draft-04 at #/not"
    ):
        draft_of({"$schema": Draft.DRAFT_2020_12.value, "not": inner})
    with pytest.raises(ValueError, match="expected one draft"):
        draft_of({"not": inner})


@pytest.mark.parametrize("name", ["http://example.com/mine", 7, None, "https://json-schema.org/draft-07/schema"])
def test_a_schema_of_one_s_own_draft_is_an_error(name: object) -> None:
    with pytest.raises(ValueError, match=r"expected \$schema to name a draft"):
        draft_of({"$schema": name})

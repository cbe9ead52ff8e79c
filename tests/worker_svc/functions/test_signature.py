"""Functions that tasks can call, and functions that are refused when the worker starts."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from signoff.app import Artifact, Context, Document, Parameter
from tests.support.work.functions import function
from worker_svc.functions.signature import BadSignature, Signature, Source, ValueForm, signature_of


class Topic(BaseModel):
    name: str


def read(call: Callable[..., Any], *, judges: bool = False) -> Signature:
    return signature_of(function(call, judges=judges))


def test_each_parameter_has_a_source_and_a_form() -> None:
    def fetch(  # type: ignore[no-untyped-def]
        topic: Topic,
        raw: bytes,
        text: str | None,
        whole: Document,
        bare,
        config: Annotated[Topic | None, Artifact("search-config")],
        most: Annotated[int, Parameter("max-items")],
        ctx: Context,
        limit: int = 3,
    ) -> None: ...

    takes = read(fetch).takes
    assert [(wanted.parameter, wanted.name, wanted.source, wanted.form) for wanted in takes] == [
        ("topic", "topic", Source.NAMED, ValueForm.JSON),
        ("raw", "raw", Source.NAMED, ValueForm.BYTES),
        ("text", "text", Source.NAMED, ValueForm.TEXT),
        ("whole", "whole", Source.NAMED, ValueForm.DOCUMENT),
        ("bare", "bare", Source.NAMED, ValueForm.AS_IT_IS),
        ("config", "search-config", Source.ARTIFACT, ValueForm.JSON),
        ("most", "max-items", Source.PARAMETER, ValueForm.JSON),
        ("ctx", "ctx", Source.CONTEXT, ValueForm.JSON),
        ("limit", "limit", Source.NAMED, ValueForm.JSON),
    ]
    assert [wanted.parameter for wanted in takes if not wanted.is_required] == ["limit"]


@pytest.mark.parametrize("context_first", [True, False])
def test_the_first_parameter_of_a_validator_that_is_not_the_context_is_the_candidate(context_first: bool) -> None:
    def complete(papers: Topic, topic: Topic, ctx: Context) -> None: ...

    def complete_too(ctx: Context, papers: Topic, topic: Topic) -> None: ...

    takes = read(complete_too if context_first else complete, judges=True).takes
    assert [wanted.parameter for wanted in takes if wanted.source is Source.CANDIDATE] == ["papers"]
    assert [wanted.parameter for wanted in takes if wanted.source is Source.NAMED] == ["topic"]


def test_partials_methods_and_callable_objects_are_functions_too() -> None:
    class Fetcher:
        def __call__(self, topic: Topic) -> None: ...

        def method(self, topic: Topic) -> None: ...

    def fetch(topic: Topic, limit: int) -> None: ...

    partial, fetcher = functools.partial(fetch, limit=3), Fetcher()
    for call in (partial, fetcher):
        call.__name__ = "fetch"  # type: ignore[union-attr]
    assert [wanted.parameter for wanted in read(fetcher).takes] == ["topic"]
    assert [wanted.parameter for wanted in read(fetcher.method).takes] == ["topic"]
    assert [wanted.parameter for wanted in read(partial).takes if wanted.is_required] == ["topic"]


def positional(topic: Topic, /) -> None: ...


def many(*topics: Topic) -> None: ...


def anything(**topics: Topic) -> None: ...


def generator() -> Iterator[str]:
    yield "a"


async def async_generator() -> AsyncIterator[str]:
    yield "a"


def unknown(topic: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


class Odd:
    """A type that pydantic does not know."""


def odd(topic: Odd) -> None: ...


def gives_odd() -> Odd:
    return Odd()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (positional, "parameter topic: 'Topic' is positional-only: expected parameters that can be given by name"),
        (many, "parameter *topics: 'Topic' takes any number of values: expected parameters that can be given by name"),
        (anything, "parameter **topics: 'Topic' takes any names: expected parameters that can be given by name"),
        (generator, "it is a generator: expected a function that returns its result"),
        (async_generator, "it is a generator: expected a function that returns its result"),
        (unknown, "its annotations cannot be read (name 'Nowhere' is not defined): types must be found in its module"),
    ],
)
def test_what_no_task_could_call_is_refused(call: Callable[..., Any], said: str) -> None:
    with pytest.raises(BadSignature) as refused:
        read(call)
    assert str(refused.value) == said


@pytest.mark.parametrize(("call", "what"), [(odd, "parameter topic"), (gives_odd, "what it returns")])
def test_a_type_that_pydantic_cannot_read_is_refused(call: Callable[..., Any], what: str) -> None:
    with pytest.raises(BadSignature, match=f"{what}: expected a type that pydantic can read, but got .*Odd"):
        read(call)


def test_a_validator_without_a_parameter_for_the_candidate_is_refused() -> None:
    def complete(ctx: Context) -> None: ...

    with pytest.raises(BadSignature, match="expected a first parameter for the candidate"):
        read(complete, judges=True)

"""The excerpts of a task's inputs in a prompt, and notes about the rest: for the model, the judge and people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from signoff.bounds import clipped
from signoff.v1 import execution_pb2
from worker_svc.link.codec import one_line
from worker_svc.prompts.blocks import FRAME_CHARS, block, facts_of, is_text, name_of, origin_of, text_of, title
from worker_svc.prompts.facts import table_fact
from worker_svc.prompts.pieces import Piece
from worker_svc.prompts.shares import InputSize, shares

MAX_NAMED_CHARS = 8_000  # of the lines that name inputs that are not shown
MOST_FACTS = 100  # inputs that are no text, and have a line each
MAX_EXAMPLES = 20  # inputs that Unread names one by one
MAX_NAME_CHARS = 128  # of an input's name in Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The characters of a prompt that its inputs may take."""

    each: int  #: of one input, without its frame
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InputExcerpt:
    """The part of an input that a prompt shows."""

    given: Piece
    chars: int | None  #: from its beginning; None: nothing
    is_whole: bool
    is_text: bool = True  #: otherwise a line about it stands in its place


def excerpts_of(inputs: Sequence[Piece], space: Space, *, unseen: bool = False) -> Sequence[InputExcerpt]:
    """Divides the space among the inputs. `unseen`: invisible characters take the space of their marks."""
    texts = [is_text(given) for given in inputs]
    looks = [
        _look(given, space.each, unseen=unseen) if readable else (0, False)
        for given, readable in zip(inputs, texts, strict=True)
    ]
    wishes = [
        InputSize(chars, len(title(given)) + FRAME_CHARS) for given, (chars, _) in zip(inputs, looks, strict=True)
    ]
    divided = shares(wishes, space.total)
    if None in divided:
        divided = shares(wishes, space.total - MAX_NAMED_CHARS)
    return [
        InputExcerpt(
            given=given, chars=chars if readable else None, is_whole=is_all and chars == most, is_text=readable
        )
        for given, (most, is_all), chars, readable in zip(inputs, looks, divided, texts, strict=True)
    ]


def _look(given: Piece, each: int, *, unseen: bool) -> tuple[int, bool]:
    """Returns how many characters of an input may be shown, and whether these are all."""
    text, is_all = text_of(given, each, unseen=unseen)
    return min(len(text), each), is_all and len(text) <= each


def lines_of(excerpts: Sequence[InputExcerpt], space: Space, *, unseen: bool = False) -> Iterator[str]:
    """Yields a block for each input that is shown, and then the notes about the others."""
    for part in excerpts:
        if part.chars is not None:
            yield from block(part.given, part.chars, read=space.each, unseen=unseen)
            if not part.is_whole and (fact := table_fact(part.given)):
                yield fact
    yield from (facts_of(part.given) for part in islice((part for part in excerpts if not part.is_text), MOST_FACTS))
    if (more := sum(not part.is_text for part in excerpts) - MOST_FACTS) > 0:
        yield f"And {more:,} more that are no text."
    yield from _not_shown([part.given for part in excerpts if part.chars is None and part.is_text])


def _not_shown(left_out: Sequence[Piece]) -> Iterator[str]:
    """Yields a line for each input, and one for the rest when there are too many to name."""
    left = MAX_NAMED_CHARS - FRAME_CHARS
    for number, given in enumerate(left_out):
        line = f"Not shown, for there is no room: {title(given)}, {len(given.content)} bytes"
        line += f" {fact}" if (fact := table_fact(given)) else ""
        left -= len(line) + 1
        if left < 0:
            rest = left_out[number:]
            size = sum(len(given.content) for given in rest)
            yield f"Not shown, for there is no room: {len(rest)} more inputs, {size} bytes together"
            return
        yield line


def unread_of(excerpts: Sequence[InputExcerpt]) -> execution_pb2.Unread | None:
    """Returns which inputs are not shown whole; None: all are."""
    # guard: what a prompt cuts is said with the candidate -> parts = [part for part in excerpts if part.chars is None]
    parts = [part for part in excerpts if not part.is_whole]
    if not parts:
        return None
    return execution_pb2.Unread(
        inputs=len(excerpts),
        cut=sum(part.chars is not None for part in parts),
        left_out=sum(part.chars is None for part in parts),
        examples=[
            execution_pb2.UnreadInput(
                name=_short(part.given.name),
                task_id=part.given.task_id,
                size_bytes=len(part.given.content),
                shown_chars=part.chars or 0,
            )
            for part in parts[:MAX_EXAMPLES]
        ],
    )


def _short(name: str) -> str:
    return one_line(clipped(name, MAX_NAME_CHARS))


def author_lines(inputs: Sequence[Piece], unread: execution_pb2.Unread) -> Iterator[str]:
    """Yields the notes for a judge about inputs that the author was not shown. Names only inputs that this task has."""
    yield (
        f"The author's prompt could not hold all of its {unread.inputs} inputs: it was shown only the beginning of "
        f"{unread.cut} and nothing of {unread.left_out}."
    )
    known = {(_short(given.name), given.task_id): given for given in inputs}
    named = 0
    for example in islice(unread.examples, MAX_EXAMPLES):
        given = known.get((example.name, example.task_id))
        if given is not None:
            named += 1
            part = f"only the first {example.shown_chars} characters" if example.shown_chars else "nothing"
            yield f"The author was shown {part} of {name_of(given)} ({origin_of(given)})."
    if (more := unread.cut + unread.left_out - named) > 0:
        yield f"And so for {more} more."

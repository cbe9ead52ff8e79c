"""Every field that a peer can send has bounds, which only its option states."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from planner_svc.compiler import MAX_TASK_WAITS
from planner_svc.read.fields import MAX_NAME_CHARS, MAX_NUMBER
from planner_svc.read.parse import MAX_TASKS
from planner_svc.read.sizes import MAX_TEXT_BYTES
from signoff.bounds import bounds_in, bounds_of
from signoff.plan.limits import MAX_LABELS
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import LEAST_FRAME_BYTES, MAX_CHECKPOINT_BYTES
from signoff.v1 import bounds_pb2, plan_pb2, planner_pb2, worker_pb2
from tests.contract.descriptors import ROOT
from tests.contract.limits import SECTIONS, needs_bounds, page, reachable
from tests.contract.test_comments import fields as explained_fields
from worker_svc.link import codec
from worker_svc.link import lease_report as word

PAGE = ROOT / "docs" / "reference" / "limits.md"
BORDER = (
    "runner_svc/codec/frames.py",
    "runner_svc/codec/settings.py",
    "runner_svc/codec/usage.py",
    "runner_svc/services/runner_service.py",
)

MESSAGES: list[Descriptor] = list({m.full_name: m for roots in SECTIONS.values() for m in reachable(roots)}.values())


def bounded() -> Iterator[FieldDescriptor]:
    for message in MESSAGES:
        yield from filter(needs_bounds, message.fields)


def test_the_search_sees_what_it_is_about() -> None:
    names = {message.name for message in MESSAGES}
    assert {"Hello", "CriterionResult", "Budget", "SetLayoutRequest", "ExecutorSpec", "TreeEdge", "Ping"} <= names
    assert len(list(bounded())) > 200


def test_no_message_of_the_contract_can_be_within_itself() -> None:
    for message in MESSAGES:
        below = [field.message_type for field in message.fields if field.message_type is not None]
        assert message.full_name not in {inner.full_name for inner in reachable(below)}


def test_every_field_that_a_peer_can_send_has_a_bound() -> None:
    missing = [field.full_name for field in bounded() if not says_how_much(field)]
    assert not missing, f"expected an option (bounds) on each of: {', '.join(missing)}"


def says_how_much(field: FieldDescriptor) -> bool:
    """Tells whether a field has all bounds that its type needs."""
    bounds = bounds_in(field)
    if field.is_repeated and not bounds.max_items:
        return False
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return bool(bounds.max_key_chars and bounds.max_chars)
    if field.message_type is not None and field.is_repeated:
        return True
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bool(bounds.max_bytes)
    if field.type == FieldDescriptor.TYPE_STRING:
        has_length = bounds.form not in (bounds_pb2.FORM_UNSPECIFIED, bounds_pb2.FORM_LINE)
        return bool(has_length or bounds.max_chars or bounds.clip_chars or bounds.max_bytes)
    return field.type == FieldDescriptor.TYPE_ENUM or (bounds.HasField("min") and bounds.HasField("max"))


def test_a_text_that_is_json_has_a_depth() -> None:
    texts = [field for field in bounded() if field.name.endswith("_json") and field.type == FieldDescriptor.TYPE_STRING]
    assert texts
    assert all(bounds_in(field).max_depth for field in texts)


def test_an_option_bounds_only_what_its_type_has() -> None:
    for field in bounded():
        bounds = bounds_in(field)
        is_text = field.type == FieldDescriptor.TYPE_STRING or bool(bounds.max_key_chars)
        assert is_text or not (bounds.max_chars or bounds.clip_chars or bounds.form or bounds.max_depth), (
            field.full_name
        )
        assert field.is_repeated or not (bounds.max_items or bounds.keep_items), field.full_name
        assert not (field.is_repeated and (bounds.clip_chars or bounds.clamp or bounds.required)), field.full_name


def test_the_page_of_limits_is_what_the_options_say() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.contract.limits > docs/reference/limits.md`"


def test_no_comment_repeats_a_number_that_the_option_states() -> None:
    comments = {explained.name: explained.comment for _, explained in explained_fields()}
    for field in bounded():
        bounds = bounds_in(field)
        comment = comments[".".join(field.full_name.split(".")[-2:])]
        stated = {bounds.max_chars, bounds.clip_chars, bounds.max_bytes, bounds.max_items, int(bounds.max)} - {0, 1}
        said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", comment)}
        assert not said & stated, f"{field.full_name}: {comment}"


def test_the_border_states_no_bound_by_hand() -> None:
    large = re.compile(r"(?<![\w.])\d[\d_]{3,}|\b\d+ \* 1024|2 ?\*\* ?\d+|1 << \d+")
    for file in BORDER:
        text = re.sub(r"2\*\*64 - 1", "", (ROOT / file).read_text())  # what a number of a message can hold
        for line in text.splitlines():
            assert not large.search(line.partition("#")[0]) or "A_PAGE" in line, f"{file}: {line}"


def test_what_our_own_senders_keep_to_is_within_the_bounds() -> None:
    hello, spec = worker_pb2.Hello, plan_pb2.ExecutorSpec
    assert bounds_of(worker_pb2.Progress, "checkpoint").max_bytes == MAX_CHECKPOINT_BYTES
    assert bounds_of(worker_pb2.Progress, "thinking").clip_chars >= word.MAX_UNSENT_THINKING
    assert bounds_of(hello, "max_frame_bytes").min == LEAST_FRAME_BYTES
    assert bounds_of(worker_pb2.Failure, "message").clip_chars == codec.MAX_TEXT
    assert bounds_of(worker_pb2.Candidate, "media_type").max_chars == codec.MAX_NAME
    assert bounds_of(worker_pb2.Verdict, "results").max_items >= codec.MAX_RESULTS
    assert bounds_of(planner_pb2.CheckPlanRequest, "plan_json").max_bytes == MAX_FRAME_BYTES
    assert bounds_of(plan_pb2.TaskSpec, "description").max_bytes == MAX_TEXT_BYTES
    assert bounds_of(plan_pb2.MapHeader, "task_count").max == MAX_TASKS
    assert bounds_of(plan_pb2.MapTask, "waits_for").max_items == MAX_TASK_WAITS
    assert (bounds_of(spec, "labels").max_items, bounds_of(spec, "name").max_chars) == (MAX_LABELS, MAX_NAME_CHARS)
    assert bounds_of(plan_pb2.Budget, "tokens").max == MAX_NUMBER

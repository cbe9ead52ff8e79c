"""Conversion of checks to and from their protobuf messages."""

from __future__ import annotations

from dataclasses import replace

from planner_svc.checks.kinds import (
    Check,
    CitationsCheck,
    CommandCheck,
    ContainsCheck,
    CountCheck,
    CountedPart,
    EndsWithCheck,
    FunctionCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    LowercaseCheck,
    NumberCheck,
    PartsCheck,
    PostscriptCheck,
    QuotedCheck,
    RegexCheck,
    RequiredKeysCheck,
    SourceMark,
    StartsWithCheck,
    TitleCheck,
    UppercaseCheck,
    WordsCheck,
)
from planner_svc.wire.file_checks import file_check_from_proto, file_check_to_proto
from signoff.v1 import plan_pb2


def check_to_proto(check: Check) -> plan_pb2.Check:
    message = _kind_to_proto(check)
    message.criterion = check.criterion
    message.file = check.file
    return message


def _kind_to_proto(check: Check) -> plan_pb2.Check:
    match check:
        case JsonCheck():
            return plan_pb2.Check(json=plan_pb2.JsonCheck())
        case JsonSchemaCheck():
            schema = plan_pb2.JsonSchemaCheck(
                schema_json=check.schema_json, lines=check.lines, from_format=check.from_format
            )
            return plan_pb2.Check(json_schema=schema)
        case RequiredKeysCheck():
            return plan_pb2.Check(required_keys=plan_pb2.RequiredKeysCheck(keys=check.keys))
        case RegexCheck():
            return plan_pb2.Check(regex=plan_pb2.RegexCheck(pattern=check.pattern, absent=check.absent))
        case LengthCheck():
            length = plan_pb2.LengthCheck(min_chars=check.min_chars, max_chars=check.max_chars, visible=check.visible)
            return plan_pb2.Check(length=length)
        case CountCheck():
            count = plan_pb2.CountCheck(path=check.path, min_items=check.min_items, max_items=check.max_items)
            return plan_pb2.Check(count=count)
        case WordsCheck():
            return plan_pb2.Check(words=plan_pb2.WordsCheck(min_words=check.min_words, max_words=check.max_words))
        case LanguageCheck():
            return plan_pb2.Check(language=plan_pb2.LanguageCheck(code=check.code))
        case CitationsCheck():
            marks = [_MARK_TO_PROTO[mark] for mark in check.marks]
            return plan_pb2.Check(citations=plan_pb2.CitationsCheck(min_citations=check.min_citations, marks=marks))
        case CommandCheck():
            return plan_pb2.Check(command=_command_to_proto(check))
        case FunctionCheck():
            return plan_pb2.Check(function=plan_pb2.FunctionCheck(name=check.name))
        case PartsCheck():
            return plan_pb2.Check(parts=_parts_to_proto(check))
        case ContainsCheck():
            return plan_pb2.Check(contains=_contains_to_proto(check))
        case StartsWithCheck():
            return plan_pb2.Check(starts_with=_starts_with_to_proto(check))
        case EndsWithCheck():
            return plan_pb2.Check(ends_with=_ends_with_to_proto(check))
        case UppercaseCheck():
            return plan_pb2.Check(uppercase=plan_pb2.UppercaseCheck())
        case LowercaseCheck():
            return plan_pb2.Check(lowercase=plan_pb2.LowercaseCheck())
        case NumberCheck():
            return plan_pb2.Check(number=plan_pb2.NumberCheck(path=check.path, min=check.min, max=check.max))
        case QuotedCheck():
            return plan_pb2.Check(quoted=plan_pb2.QuotedCheck())
        case TitleCheck():
            return plan_pb2.Check(title=plan_pb2.TitleCheck())
        case PostscriptCheck():
            return plan_pb2.Check(postscript=plan_pb2.PostscriptCheck(marker=check.marker))
        case _:
            return file_check_to_proto(check)


def _command_to_proto(check: CommandCheck) -> plan_pb2.CommandCheck:
    message = plan_pb2.CommandCheck(argv=check.argv)
    if check.timeout is not None:
        message.timeout.FromTimedelta(check.timeout)
    return message


def _parts_to_proto(check: PartsCheck) -> plan_pb2.PartsCheck:
    return plan_pb2.PartsCheck(
        part=_PART_TO_PROTO[check.part],
        min_parts=check.min_parts,
        max_parts=check.max_parts,
        separator=check.separator,
        distinct=check.distinct,
    )


def _contains_to_proto(check: ContainsCheck) -> plan_pb2.ContainsCheck:
    return plan_pb2.ContainsCheck(
        phrases=check.phrases,
        min_occurrences=check.min_occurrences,
        max_occurrences=check.max_occurrences,
        any=check.any,
        whole_words=check.whole_words,
        case_sensitive=check.case_sensitive,
    )


def _starts_with_to_proto(check: StartsWithCheck) -> plan_pb2.StartsWithCheck:
    return plan_pb2.StartsWithCheck(
        phrase=check.phrase,
        paragraph=check.paragraph,
        whole_words=check.whole_words,
        case_sensitive=check.case_sensitive,
    )


def _ends_with_to_proto(check: EndsWithCheck) -> plan_pb2.EndsWithCheck:
    return plan_pb2.EndsWithCheck(
        phrase=check.phrase, whole_words=check.whole_words, case_sensitive=check.case_sensitive
    )


_PART_TO_PROTO = {part: plan_pb2.Part.Value(f"PART_{part.name}") for part in CountedPart}
_PART_FROM_PROTO = {number: part for part, number in _PART_TO_PROTO.items()}
_MARK_TO_PROTO = {mark: plan_pb2.SourceMark.Value(f"SOURCE_MARK_{mark.name}") for mark in SourceMark}
_MARK_FROM_PROTO = {number: mark for mark, number in _MARK_TO_PROTO.items()}


def check_from_proto(message: plan_pb2.Check) -> Check:
    check = file_check_from_proto(message) or _kind_from_proto(message)
    return replace(check, file=message.file) if message.file else check


def _kind_from_proto(message: plan_pb2.Check) -> Check:
    n = message.criterion
    match message.WhichOneof("kind"):
        case "json_schema":
            schema = message.json_schema
            return JsonSchemaCheck(
                schema_json=schema.schema_json, lines=schema.lines, from_format=schema.from_format, criterion=n
            )
        case "required_keys":
            return RequiredKeysCheck(keys=tuple(message.required_keys.keys), criterion=n)
        case "regex":
            return RegexCheck(pattern=message.regex.pattern, absent=message.regex.absent, criterion=n)
        case "length":
            length = message.length
            most = length.max_chars if length.HasField("max_chars") else None
            return LengthCheck(min_chars=length.min_chars, max_chars=most, visible=length.visible, criterion=n)
        case "count":
            count = message.count
            most = count.max_items if count.HasField("max_items") else None
            return CountCheck(path=count.path, min_items=count.min_items, max_items=most, criterion=n)
        case "words":
            words = message.words
            most = words.max_words if words.HasField("max_words") else None
            return WordsCheck(min_words=words.min_words, max_words=most, criterion=n)
        case "language":
            return LanguageCheck(code=message.language.code, criterion=n)
        case "citations":
            marks = tuple(_MARK_FROM_PROTO[mark] for mark in message.citations.marks)
            return CitationsCheck(min_citations=message.citations.min_citations, marks=marks, criterion=n)
        case "command":
            timeout = message.command.timeout.ToTimedelta() if message.command.HasField("timeout") else None
            return CommandCheck(argv=tuple(message.command.argv), timeout=timeout, criterion=n)
        case "function":
            return FunctionCheck(name=message.function.name, criterion=n)
        case "parts":
            return _parts_from_proto(message.parts, n)
        case "contains":
            return _contains_from_proto(message.contains, n)
        case "starts_with":
            return _starts_with_from_proto(message.starts_with, n)
        case "ends_with":
            return _ends_with_from_proto(message.ends_with, n)
        case "uppercase":
            return UppercaseCheck(criterion=n)
        case "lowercase":
            return LowercaseCheck(criterion=n)
        case "number":
            return _number_from_proto(message.number, n)
        case "quoted":
            return QuotedCheck(criterion=n)
        case "title":
            return TitleCheck(criterion=n)
        case "postscript":
            return PostscriptCheck(marker=message.postscript.marker, criterion=n)
        case _:
            return JsonCheck(criterion=n)


def _parts_from_proto(message: plan_pb2.PartsCheck, criterion: int) -> PartsCheck:
    return PartsCheck(
        part=_PART_FROM_PROTO[message.part],
        min_parts=message.min_parts,
        max_parts=message.max_parts if message.HasField("max_parts") else None,
        separator=message.separator,
        distinct=message.distinct,
        criterion=criterion,
    )


def _contains_from_proto(message: plan_pb2.ContainsCheck, criterion: int) -> ContainsCheck:
    return ContainsCheck(
        phrases=tuple(message.phrases),
        min_occurrences=message.min_occurrences,
        max_occurrences=message.max_occurrences if message.HasField("max_occurrences") else None,
        any=message.any,
        whole_words=message.whole_words,
        case_sensitive=message.case_sensitive,
        criterion=criterion,
    )


def _starts_with_from_proto(message: plan_pb2.StartsWithCheck, criterion: int) -> StartsWithCheck:
    return StartsWithCheck(
        phrase=message.phrase,
        paragraph=message.paragraph,
        whole_words=message.whole_words,
        case_sensitive=message.case_sensitive,
        criterion=criterion,
    )


def _ends_with_from_proto(message: plan_pb2.EndsWithCheck, criterion: int) -> EndsWithCheck:
    return EndsWithCheck(
        phrase=message.phrase,
        whole_words=message.whole_words,
        case_sensitive=message.case_sensitive,
        criterion=criterion,
    )


def _number_from_proto(message: plan_pb2.NumberCheck, criterion: int) -> NumberCheck:
    return NumberCheck(
        path=message.path,
        min=message.min if message.HasField("min") else None,
        max=message.max if message.HasField("max") else None,
        criterion=criterion,
    )

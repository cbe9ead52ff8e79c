"""Checks to and from their protobuf messages."""

from __future__ import annotations

from planner_svc.model import (
    Check,
    CitationsCheck,
    CommandCheck,
    CountCheck,
    FunctionCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    RegexCheck,
    RequiredKeysCheck,
    WordsCheck,
)
from signoff.v1 import plan_pb2


def check_to_proto(check: Check) -> plan_pb2.Check:
    message = _kind_to_proto(check)
    message.criterion = check.criterion
    return message


def _kind_to_proto(check: Check) -> plan_pb2.Check:
    match check:
        case JsonCheck():
            return plan_pb2.Check(json=plan_pb2.JsonCheck())
        case JsonSchemaCheck():
            return plan_pb2.Check(json_schema=plan_pb2.JsonSchemaCheck(schema_json=check.schema_json))
        case RequiredKeysCheck():
            return plan_pb2.Check(required_keys=plan_pb2.RequiredKeysCheck(keys=check.keys))
        case RegexCheck():
            return plan_pb2.Check(regex=plan_pb2.RegexCheck(pattern=check.pattern, absent=check.absent))
        case LengthCheck():
            return plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=check.min_chars, max_chars=check.max_chars))
        case CountCheck():
            count = plan_pb2.CountCheck(path=check.path, min_items=check.min_items, max_items=check.max_items)
            return plan_pb2.Check(count=count)
        case WordsCheck():
            return plan_pb2.Check(words=plan_pb2.WordsCheck(min_words=check.min_words, max_words=check.max_words))
        case LanguageCheck():
            return plan_pb2.Check(language=plan_pb2.LanguageCheck(code=check.code))
        case CitationsCheck():
            return plan_pb2.Check(citations=plan_pb2.CitationsCheck(min_citations=check.min_citations))
        case CommandCheck():
            return plan_pb2.Check(command=_command_to_proto(check))
        case FunctionCheck():
            return plan_pb2.Check(function=plan_pb2.FunctionCheck(name=check.name))


def _command_to_proto(check: CommandCheck) -> plan_pb2.CommandCheck:
    message = plan_pb2.CommandCheck(argv=check.argv)
    if check.timeout is not None:
        message.timeout.FromTimedelta(check.timeout)
    return message


def check_from_proto(message: plan_pb2.Check) -> Check:
    n = message.criterion
    match message.WhichOneof("kind"):
        case "json_schema":
            return JsonSchemaCheck(schema_json=message.json_schema.schema_json, criterion=n)
        case "required_keys":
            return RequiredKeysCheck(keys=tuple(message.required_keys.keys), criterion=n)
        case "regex":
            return RegexCheck(pattern=message.regex.pattern, absent=message.regex.absent, criterion=n)
        case "length":
            length = message.length
            most = length.max_chars if length.HasField("max_chars") else None
            return LengthCheck(min_chars=length.min_chars, max_chars=most, criterion=n)
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
            return CitationsCheck(min_citations=message.citations.min_citations, criterion=n)
        case "command":
            timeout = message.command.timeout.ToTimedelta() if message.command.HasField("timeout") else None
            return CommandCheck(argv=tuple(message.command.argv), timeout=timeout, criterion=n)
        case "function":
            return FunctionCheck(name=message.function.name, criterion=n)
        case _:
            return JsonCheck(criterion=n)

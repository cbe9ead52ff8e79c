"""The planner's values as protobuf messages and as execution.json.

    plan.py             tasks, validations, executors, budgets and diagnostics, to and from plan.proto
    checks.py           checks, to and from plan.proto
    file_checks.py      those of files
    encoding.py         the header, groups and tasks of a map as bytes, and the digest over them
    layouts.py          the layout of a map as bytes
    maps.py             both as a stream of MapParts, to and from
    protobuf.py         the wire format itself: tags, lengths, numbers
    execution_json.py   execution.json, for people and other programs

A map has millions of small messages, so encoding.py and layouts.py write their bytes by hand. Fields that few tasks
have, such as a validation or an executor, are message objects of plan.py and checks.py.

A map goes from `encode` (once, with its digest) through `map_to_bytes` into map.pb and the response. A new field of a
task goes into plan.proto, `spec_from_proto` in plan.py, `spec_bytes` in encoding.py, execution_json.py and
read/sizes.py.
"""

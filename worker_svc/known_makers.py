"""The makers and judges of a worker, in the parts by which a runner compares them (Hello.known_makers)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.llm.port import Model
from worker_svc.prompts.messages import maker_digest

DIGEST_CHARS = 16  # of a part: it stands in every event about a candidate, and is compared with few others


def models_of(model: Model, handler: str, prompts: str) -> tuple[worker_pb2.NamedMaker, ...]:
    """Returns a maker for each distinct model and its settings, with the names that lead to it."""
    found: dict[str, worker_pb2.NamedMaker] = {}
    for name in ("", *model.names):
        own_name, settings = model.maker_parts(name)
        digest = maker_digest(own_name, prompts, settings)
        named = found.setdefault(
            digest,
            worker_pb2.NamedMaker(
                maker=execution_pb2.Maker(
                    digest=digest, handler=handler, model=own_name, settings=_digest_of(settings), prompts=prompts
                )
            ),
        )
        if name:
            named.models.append(name)
        else:
            named.is_default = True
    return tuple(found.values())


def code_of(handler: str, digest: str, code: str) -> worker_pb2.NamedMaker:
    """Returns the maker that is code: a function, or the way in which programs are run."""
    return worker_pb2.NamedMaker(maker=execution_pb2.Maker(digest=digest, handler=handler, code=code))


def _digest_of(settings: Mapping[str, str]) -> str:
    lines = "\0".join(f"{key}={settings[key]}" for key in sorted(settings))
    return hashlib.sha256(lines.encode()).hexdigest()[:DIGEST_CHARS] if lines else ""

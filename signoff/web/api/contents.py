"""The endpoint of contents: files of a plan's inputs, which are uploaded before an execution is started with them."""

from __future__ import annotations

from starlette.responses import Response

from signoff.plan.inputs import media_type_of
from signoff.plan.limits import MAX_INPUT_FILE_BYTES
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.web.safety.rules import BYTES, UPLOADS
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.parameters import text

UPLOADS_AT_ONCE = 4  # each is held as a whole


async def upload_content(call: Call) -> Response:
    """Stores the body, and answers with what a start names it by."""
    limit: ConcurrencyLimit = call.request.app.state.uploads
    async with limit.slot():
        body = b"".join([chunk async for chunk in call.chunks(MAX_INPUT_FILE_BYTES)])
        digest = await call.upstream.upload_content(body)
    media_type = media_type_of(call.query.text("path"), is_text=_is_text(body))
    return answer({"digest": digest, "sizeBytes": str(len(body)), "mediaType": media_type}, 201)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


_STORED = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("digest", "sizeBytes", "mediaType")},
    "required": ["digest", "sizeBytes", "mediaType"],
    "additionalProperties": False,
}

ENDPOINTS = (
    Endpoint(
        method="POST",
        path=UPLOADS,
        handler=upload_content,
        name="upload_content",
        about="Stores a file of an input, for a start that names its digest.",
        group="executions",
        query=(text("path", "The file's name or path: its media type follows from it."),),
        takes=BYTES,
        answers=_STORED,
        status=201,
        errors=(400, 413),
        changes=True,
    ),
)

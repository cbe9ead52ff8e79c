"""A scripted model: an OpenAI-compatible server that answers from a script, offline.

As an executor it makes a mistake first, and corrects it when the prompt says what was wrong. As a judge it checks the
criteria of plan.json. That is enough to see a candidate fail, the reasons come back, and the next one pass.

    python scripted_model.py [PORT]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FACT, FACT_WITH_YEAR = (
    "Two people walked on the Moon.",
    "In 1969, two people walked on the Moon; Apollo 11 brought them.",
)
ENTRY = (
    "**20 July.** On this day the first two people ever to do so set foot on the Moon, which Apollo 11 had brought "
    "them to."
)
SHORT_ENTRY = "**20 July 1969.** Apollo 11 brings the first people to the Moon."


def answer(prompt: str) -> str:
    """Returns the model's answer to a prompt of signoff."""
    if "# Criteria" in prompt:
        return verdicts(prompt)
    was_rejected = "# A previous attempt was rejected" in prompt
    if "State what happened" in prompt:
        return FACT_WITH_YEAR if was_rejected else FACT
    return SHORT_ENTRY if was_rejected else ENTRY


def verdicts(prompt: str) -> str:
    """Returns verdicts on the criteria that signoff leaves to the judge: here always one."""
    candidate = re.findall(r"<<<BEGIN \w+\n(.*?)\n<<<END", prompt, re.DOTALL)[-1]
    wanted, missing = (r"\d{4}", "no year is named") if "which year" in prompt else ("Apollo 11", "no ship is named")
    found = re.search(wanted, candidate)
    verdict = {
        "criterion": 1,
        "evidence": {
            "kind": "quotes",
            "quotes": candidate.splitlines()[:1] if found else [],
            "subject": "",
            "count": 0,
        },
        "reason": "it is there" if found else missing,
        "outcome": "pass" if found else "fail",
        "retry_worthwhile": True,
    }
    return json.dumps({"nonce": prompt.rpartition('"')[2], "verdicts": [verdict]})


def chunks(model: str, prompt: str) -> Iterator[dict[str, Any]]:
    """Yields the answer as chat completion chunks, a word at a time, and its usage at the end."""
    said = answer(prompt)
    for piece in re.findall(r"\S+\s*", said):
        yield chunk(model, {"content": piece}, None)
    yield chunk(model, {}, "stop")
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(said.split())}
    yield {**chunk(model, {}, None), "choices": [], "usage": {**usage, "total_tokens": sum(usage.values())}}


def chunk(model: str, delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        prompt = "\n".join(message["content"] for message in request["messages"])
        for piece in chunks(request["model"], prompt):
            self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base class names it so
        """Logs nothing: the run shows what happens."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        sys.stdout.write(f"OPENAI_BASE_URL=http://127.0.0.1:{server.server_port}/v1\n")
        sys.stdout.flush()
        server.serve_forever()

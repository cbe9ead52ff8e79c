"""An app whose function makes the files that the conformance kit asks for."""

from __future__ import annotations

from typing import Any

from signoff.app import App, Context

NAME = "tests.support.conformance.files_app:app"

app = App()


@app.executor
def write_files(conformance: dict[str, Any], ctx: Context) -> None:
    """Writes the files of the kit's instructions: each a text, or so many bytes."""
    for path, content in conformance["files"].items():
        place = ctx.outputs / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x" * content if isinstance(content, int) else content)

"""`signoff graph`: compiles a plan in this process and prints its drawn graph."""

from __future__ import annotations

import json
import shutil

from signoff.cli.flags import GraphForm
from signoff.cli.graph.mermaid import MOST_CHARS, MOST_EDGES, mermaid_lines
from signoff.cli.graph.picture import Picture, picture_from_proto
from signoff.cli.graph.text import text_lines
from signoff.cli.run.compile_plan import COMPILED, HAS_ERRORS, compile_here, laid_out
from signoff.cli.run.plan_files import path_of
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.output_files import write_file

LEAST_WIDTH, USUAL_WIDTH, MOST_WIDTH = 40, 80, 120  # cells of a line


def graph_plan(
    plan: str, file: str | None, output: CommandOutput, *, form: GraphForm, classes: bool, infer: bool
) -> int:
    """Prints the graph of a plan, and returns the exit code. Diagnostics go to standard error."""
    compiled = compile_here(plan, output, plan_id="", infer=infer)
    if compiled.map is None:
        return HAS_ERRORS
    header, layout = laid_out(compiled)
    if output.json:
        from google.protobuf.json_format import MessageToDict

        record = {"header": MessageToDict(header), "layout": MessageToDict(layout)}
        if file is not None:
            document = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
            write_file(file, document.encode(), inputs=[path_of(plan)])
        else:
            output.record(record)
        return COMPILED
    picture = picture_from_proto(header, layout, classes=classes)
    text = _text_of(picture, form, file, output).encode()
    if file is not None:
        write_file(file, text, inputs=[path_of(plan)])
    else:
        output.content(text)
    return COMPILED


def _text_of(picture: Picture, form: GraphForm, file: str | None, output: CommandOutput) -> str:
    lines = mermaid_lines(picture) if form is GraphForm.MERMAID else text_lines(picture, _width(file, output))
    text = "".join(f"{line}\n" for line in lines)
    if form is GraphForm.MERMAID and (len(picture.waits) > MOST_EDGES or len(text) > MOST_CHARS):
        output.note(
            f"note: Mermaid draws at most {MOST_EDGES} edges and {MOST_CHARS:,} characters unless its settings "
            f"maxEdges and maxTextSize say more, but here are {len(picture.waits):,} and {len(text):,}"
        )
    return text


def _width(file: str | None, output: CommandOutput) -> int:
    """Returns the width of the terminal within bounds; the usual one for a file or a pipe."""
    if file is not None or not output.is_screen:
        return USUAL_WIDTH
    return max(LEAST_WIDTH, min(shutil.get_terminal_size().columns, MOST_WIDTH))

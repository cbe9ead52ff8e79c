"""`signoff artifact`: what a signed-off task made, as one content or as files."""

from __future__ import annotations

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.remote.result_files import Wanted, manifest_record, put_files, refuse_path
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.output_files import write_file
from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import Artifact, by_execution
from signoff.display.wire_names import record_of


async def artifact(name: str, task_id: str, wanted: Wanted, where: RunnerLocation, output: CommandOutput) -> int:
    """Writes an artifact to standard output or to a file: its bytes, but for a terminal a visible text.

    Of one with files it prints a table of them, or writes them into a folder; with a path, that file alone.
    """
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        ref = by_execution(execution.execution_id)
        found = await reached.client.artifact(ref, task_id)
        manifest = files_of(found)
        if manifest is None:
            refuse_path(wanted, f"the artifact of {task_id}")
            _put_content(found, wanted, output)
            return 0
        if output.json and not wanted.path:
            output.record({**record_of(found.info), "manifest": manifest_record(manifest)})
        result = ResultOf(ref=ref, task_id=task_id)
        await put_files(reached.client, result, manifest, wanted, output, f"signoff artifact {name} {task_id}")
    return 0


def _put_content(found: Artifact, wanted: Wanted, output: CommandOutput) -> None:
    if wanted.output is not None:
        write_file(wanted.output, found.content)
    if output.json:
        output.record({**record_of(found.info), "content": found.content.decode(errors="replace")})
    elif wanted.output is None:
        output.content(found.content)

"""The commands that remove what is old, and keep what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signoff.cli.flag_groups import RunnerFlags
from signoff.cli.flags import IS_PATH, Json, finish


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="How long ago they must have come to rest: 12h, 30d, 8w.")
    ],
    keep_last: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The newest so many of each plan stay.")] = 0,
    keep_artifacts: Annotated[
        bool, typer.Option("--keep-artifacts", help="Keep them with their artifacts; only their history goes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Prune without a question.")] = False,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Remove executions that succeeded, failed or were stopped long ago, and contents that nothing refers to.

    Tells what would go, and asks. The runner goes on with its work. Exits with 1 when the answer is not yes.
    """
    from signoff.cli.remote import prune as pruning
    from signoff.cli.show.output import CommandOutput

    options = pruning.PruneOptions(
        older_than=older_than, keep_last=keep_last, keep_artifacts=keep_artifacts, dry_run=dry_run, yes=yes
    )
    raise typer.Exit(pruning.prune(options, at.location, CommandOutput(json=json)))


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The archive to write, such as signoff.tar."), IS_PATH],
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Write an archive of all that the runner keeps, and of the plans on --data-dir. The work goes on meanwhile.

    `signoff restore` opens it elsewhere. The file has its name only once it is whole. Exits with 1 when the runner has
    lost contents, which are then named, and all else is in the archive.
    """
    from signoff.cli.archive import backup as backing
    from signoff.cli.show.output import CommandOutput
    from signoff.cli.show.output_files import file_named

    finish(backing.backup(file_named(file), at.location, CommandOutput(json=json)))


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive of `signoff backup`.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="A new data directory, or an empty folder.")],
    json: Json = False,
) -> None:
    """Fill a new data directory from an archive; with SIGNOFF_RUNNER_STORE, a new database as well.

    The whole archive is checked first.
    """
    from signoff.cli.archive import restore as restoring
    from signoff.cli.show.output import CommandOutput
    from signoff.service.process import configure_logs

    configure_logs("text", "warning")  # of the stores that are filled: standard output is the command's own
    raise typer.Exit(restoring.restore(file, into, CommandOutput(json=json)))

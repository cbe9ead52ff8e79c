"""The commands that start services or workers, or check a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signoff.cli.flag_groups import PageFlags, WorkerFlags
from signoff.cli.flags import (
    DB,
    IS_PATH,
    DataDir,
    Json,
    JudgeModel,
    Model,
    PlannerAt,
    Processes,
    RunnersAt,
    WorkerKind,
    finish,
)
from signoff.rpc.ports import PLANNER_ADDRESS, RUNNER_ADDRESS, UI_ADDRESS


def serve(
    data_dir: DataDir = DB,
    planner_address: Annotated[str, typer.Option(metavar="ADDRESS")] = PLANNER_ADDRESS,
    runner_address: Annotated[str, typer.Option(metavar="ADDRESS")] = RUNNER_ADDRESS,
    executors: Annotated[int, typer.Option(min=0, help="Tasks executed at once; 0: workers come from elsewhere.")] = 0,
    validators: Annotated[int, typer.Option(min=0, help="Candidates judged at once; 0: the same.")] = 0,
    processes: Processes = 1,
    model: Model = "",
    judge_model: JudgeModel = "",
    *,
    workers: WorkerFlags,
    page: PageFlags,
    json: Json = False,
) -> None:
    """Run planner and runner, and workers when asked, until Ctrl-C."""
    from signoff.cli.run import serve as serving
    from signoff.cli.show.output import CommandOutput
    from signoff.local.services import LocalSettings

    settings = LocalSettings(
        data_dir=data_dir,
        planner_address=planner_address,
        runner_address=runner_address,
        executors=executors,
        validators=validators,
        processes=processes,
        model=model,
        judge_model=judge_model,
        models=workers.models,
        prices=workers.prices,
        limits=workers.limits,
        apps=tuple(workers.app or ()),
        allow_commands=workers.allow_commands,
    )
    finish(serving.serve(settings, CommandOutput(json=json), page))


def ui(
    planner: PlannerAt = PLANNER_ADDRESS,
    runner: RunnersAt = RUNNER_ADDRESS,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; anything but loopback needs a token.")
    ] = UI_ADDRESS,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with the token; else SIGNOFF_UI_TOKEN.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name besides loopback that leads here; may be repeated.")
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="PATH", help="The path under which a proxy offers it.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse whatever changes something.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> None:
    """Offer the page and the HTTP API of services that are up already, until Ctrl-C.

    docs/how-to/page.md tells more.
    """
    from signoff.cli.run import page
    from signoff.cli.show.output import CommandOutput

    settings = {
        "planner": planner,
        "runner": runner,
        "address": address,
        **({"token_file": token_file} if token_file else {}),
        **({"allow_host": ",".join(allow_host)} if allow_host else {}),
        **({"prefix": prefix} if prefix else {}),
        **({"read_only": True} if read_only else {}),
    }
    finish(page.ui(settings, CommandOutput(json=json), opens=open_))


def worker(context: typer.Context) -> None:
    """Run one worker until Ctrl-C, an executor unless told; `signoff worker --help` has its flags."""
    from signoff.cli.run import serve as serving

    serving.become_worker(context.args)


def conformance(
    address: Annotated[str, typer.Option(metavar="ADDRESS", help="Where the kit listens.")] = "127.0.0.1:0",
    role: Annotated[WorkerKind | None, typer.Option(help="What the worker must be. [default: as it says]")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A check, or a group of them; may be repeated.")
    ] = None,
    command: Annotated[
        str, typer.Option(metavar="LINE", help="How to start the worker; {address} is where the kit listens."), IS_PATH
    ] = "",
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long the worker may take to connect.")
    ] = 60,
    json: Json = False,
) -> None:
    """Check a worker, in whatever language, against the protocol.

    The kit is a runner that the worker connects to. Without --command, start the worker yourself. Exits with 0 when no
    check fails, 1 when one does, 2 when there is nothing to check. docs/reference/protocol.md explains every check.
    """
    from signoff.cli import conformance as conforming
    from signoff.cli.show.output import CommandOutput

    options = conforming.ConformanceOptions(
        address=address, role=role or "", only=only or (), command=command, wait=wait
    )
    finish(conforming.conformance(options, CommandOutput(json=json)))

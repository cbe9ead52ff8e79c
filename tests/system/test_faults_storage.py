"""Faults of the runner's store: a PostgreSQL that is killed, and a disk that is full."""

from __future__ import annotations

import asyncio
import random
import subprocess
from pathlib import Path

import pytest

from signoff.client.client import Client
from signoff.errors import Unavailable
from tests.support.processes.cluster import Cluster, Shape
from tests.support.servers.postgres import Server
from tests.support.values.plans import random_plan, side_by_side

SIZE = "8m"  # of the small disk
_MOUNT = f'mount -t tmpfs -o size={SIZE} tmpfs "$1" && shift && exec "$@"'


@pytest.mark.guard(name="the journal is asked until it answers")
async def test_a_postgresql_killed_under_the_running_system_loses_nothing(
    own_server: Server, own_dsn: str, tmp_path: Path
) -> None:
    async with Cluster(Shape(folder=tmp_path, store=own_dsn)) as cluster:
        watched = await cluster.busy("postgres")
        await watched[0].reaches("verdict_passed", 3)
        await asyncio.to_thread(own_server.kill)
        await cluster["runner"].says("replay_failed")
        await asyncio.to_thread(own_server.start)
        await cluster.ends_well()


@pytest.mark.guard(name="a machine that went ahead is dropped")
async def test_a_full_disk_refuses_commands_whole_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    data = tmp_path / "db"
    data.mkdir()
    async with Cluster(Shape(folder=tmp_path, runner_wrapper=_on_a_small_disk(data))) as cluster:
        watched = await cluster.start(random_plan(random.Random("disk"), "before"))
        await watched.reaches("candidate_stored")
        ballast = cluster.runner_data / "ballast"
        _fill(ballast)
        await cluster["runner"].says("store_failed")
        async with Client(planner=cluster["planner"].address, runner=cluster["runner"].address) as hasty:
            with pytest.raises(Unavailable, match="disk is full"):
                await hasty.start("before")
        ballast.unlink()
        assert len(await cluster.client.list()) == 1, "nothing of what was refused is there"
        await cluster.start(side_by_side("after", 3))
        await cluster.ends_well()


def _on_a_small_disk(data: Path) -> tuple[str, ...]:
    """Returns a wrapper that gives a command a small file system at `data`, which others do not see."""
    wrapper = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", str(data))
    tried = subprocess.run([*wrapper, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no file system can be mounted here, not even for one process: {tried.stderr.strip()}")
    return wrapper


def _fill(ballast: Path) -> None:
    """Takes all room on the disk."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)):
                pass
        except OSError:
            return

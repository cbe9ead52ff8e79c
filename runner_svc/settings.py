"""Settings of the runner, by flags and environment variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.leftovers import KEPT_FOR
from signoff.service.process import ListeningSettings

SQLITE = "sqlite"
TIMINGS = StreamTimings()


class RunnerSettings(ListeningSettings):
    """Holds layouts and executions, and schedules their tasks over the connected workers."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_RUNNER_")

    data_dir: Path = Field(Path("db"), description="Where the journal and the outputs are kept.")
    store: SecretStr = Field(
        SecretStr(SQLITE), description='"sqlite", in the data folder, or a postgresql:// address (by the environment).'
    )
    objects: str = Field(
        "",
        description="Where contents above 1 MiB lie: a folder, or a URL such as s3://bucket/folder. "
        "Empty: in the data folder; with PostgreSQL in the database.",
    )
    keep_uploads: float = Field(
        KEPT_FOR,
        gt=0,
        description="Seconds after which files go that no candidate names, once their lease has ended.",
    )
    store_lease: float = Field(15.0, gt=0, description="Seconds a PostgreSQL stays a runner's that is not heard of.")
    stand_by: bool = Field(True, description="Wait for a PostgreSQL that another runner uses, and take over from it.")
    prices: Path | None = Field(None, description="A TOML file with what models cost; without one no cost is known.")
    limits: Path | None = Field(None, description="A TOML file with what models take a minute, over all workers.")
    metrics: str = Field("", description="host:port of a page with figures for Prometheus; empty: there is none.")
    keep_thinking_mib: int = Field(
        64,
        ge=0,
        le=65536,
        description="MiB of memory for what workers think, 64 KiB for each at work; 0: none is kept.",
    )
    planner: str = Field("", description="Address of the planner; without one only layouts already set can be run.")
    ping_interval: float = Field(
        TIMINGS.ping_interval, gt=0, le=60, description="Seconds between pings; idle: five times that."
    )
    resume_grace: float = Field(
        TIMINGS.resume_grace, gt=0, description="Seconds a lease outlives the stream of its worker."
    )
    accept_deadline: float = Field(
        TIMINGS.accept_deadline, gt=0, description="Seconds a worker has to accept an assignment."
    )
    max_stream_age: float = Field(
        TIMINGS.max_stream_age,
        ge=0,
        description="Seconds, give or take a fifth, after which a worker opens a new stream; 0: never.",
    )

    @property
    def is_local(self) -> bool:
        """Tells whether the store is a file, which no other runner takes over."""
        return self.store.get_secret_value() == SQLITE

"""`python -m runner_svc`: the runner service."""

from __future__ import annotations

from runner_svc.settings import RunnerSettings
from runner_svc.term import serve_terms
from signoff.service.gc_tuning import collect_rarely
from signoff.service.process import main, stop_requested


async def serve(settings: RunnerSettings) -> None:
    """Runs until a signal; then asks the workers to finish, gives them the grace, and closes the store."""
    stop = await stop_requested(settings)
    collect_rarely()
    await serve_terms(settings, stop)


if __name__ == "__main__":
    main(RunnerSettings, serve, "runner_svc")

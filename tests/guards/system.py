"""Guards that only real processes and sockets show."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        name="json tells what the snapshot covers",
        file="signoff/cli/following.py",
        code="isinstance(message, Snapshot) and reporter.tells_every_event",
        without="False",
        fault="an execution has begun before the command that started it watches it",
    ),
    Guard(
        name="services are taken over at their addresses",
        file="signoff/sharing.py",
        code="        if not self.runner_address:\n            return self.settings\n",
        without="        return self.settings\n",
        fault="the command that had started the services ends while another one uses them",
    ),
    Guard(
        name="a plan is not given to workers of another kind",
        file="signoff/sharing.py",
        code="        if differing:\n",
        without="        if False:\n",
        fault="a second run in a folder asks for another model than the first",
    ),
    Guard(
        name="leases outlive the runner",
        file="runner_svc/core/machine.py",
        code="state.roster.expect_back(execution, task, at)",
        without="pass",
        fault="kill -9 of the runner while workers hold leases",
    ),
    Guard(
        name="who stays away loses it",
        file="runner_svc/core/timing.py",
        code='lose(turn, turn.state.roster.leases[lease_id], at, f"{worker} was lost and did not come back")',
        without="pass",
        fault="kill -9 of a worker that is not started again, or SIGSTOP for longer than the grace",
    ),
    Guard(
        name="back with empty hands",
        file="runner_svc/core/reporting.py",
        code='lose(turn, lease, at, f"{session.worker} came back without it")',
        without="pass",
        fault="kill -9 of a worker that is started again at once",
    ),
    Guard(
        name="a silent worker is missed",
        file="runner_svc/services/worker_service.py",
        code="while self._unanswered < MISSED_PINGS:",
        without="while True:",
        fault="a worker that is frozen, or a line to it that delivers nothing",
    ),
    Guard(
        name="a silent runner is missed",
        file="worker_svc/session.py",
        code="(rest := self._heard + self._silence - self._now()) > 0",
        without="(rest := 1.0) > 0",
        fault="a runner that is frozen, or a line to it that delivers nothing",
    ),
    Guard(
        name="kept and told so",
        file="runner_svc/core/reporting.py",
        code="turn.order(c.Keep(session=session.id, lease=lease_id))",
        without="pass",
        fault="SIGSTOP of a worker or the runner for less than the grace",
    ),
    Guard(
        name="what fits is finished",
        file="worker_svc/stream.py",
        code="timeout=grace, return_when=asyncio.FIRST_COMPLETED",
        without="timeout=0, return_when=asyncio.FIRST_COMPLETED",
        fault="SIGTERM of a busy worker",
    ),
    Guard(
        name="the rest is given back",
        file="worker_svc/stream.py",
        code='self._bench.abandon_unfinished("the worker is about to end")',
        without="pass",
        fault="SIGTERM of a busy worker",
    ),
    Guard(
        name="pings keep lines busy",
        file="runner_svc/services/worker_service.py",
        code="self._session.send(worker_pb2.RunnerMessage(ping=ping))",
        without="pass",
        fault="a network that cuts idle lines after more than the pause between two pings",
    ),
    Guard(
        name="a lost stream is no refusal",
        file="worker_svc/stream.py",
        code="if reason in FINAL:",
        without="if reason:",
        fault="a network that cuts idle lines faster than pings come",
    ),
    Guard(
        name="an end without goodbye is a loss",
        file="runner_svc/services/worker_service.py",
        code="reason=reason, orderly=session.draining)",
        without="reason=reason, orderly=True)",
        fault="lines that end cleanly, by FIN both ways",
    ),
    Guard(
        name="results wait for a line",
        file="worker_svc/bench.py",
        code="""                self._has_changed(lease_id)
            self._send_result(held)""",
        without="                self._has_changed(lease_id)",
        fault="lines that are reset, and none to be had for a while",
    ),
    Guard(
        name="the journal is asked until it answers",
        file="runner_svc/engine.py",
        code="await asyncio.sleep(RETRY_STORE_AFTER)",
        without="raise",
        fault="kill -9 of PostgreSQL under the running system",
    ),
    Guard(
        name="a machine that went ahead is dropped",
        file="runner_svc/engine.py",
        code=(
            "            if self._commits.failure is not None or self._is_torn:\n"
            "                await self._rebuild()\n"
        ),
        without="            self._commits.failure = None\n",
        fault="a full disk",
    ),
    Guard(
        name="jitter",
        file="worker_svc/stream.py",
        code="patience.jitter(least, ceiling)",
        without="ceiling",
        fault="500 workers that lost the same runner",
    ),
    Guard(
        name="killed before it listens",
        file="signoff/local.py",
        code="if child.process.returncode is None or not may_start_again(deaths):",
        without="if True:",
        fault="the machine runs out of memory just as the services start",
    ),
    Guard(
        name="deaths of long ago do not count",
        file="signoff/local.py",
        code="    while deaths and deaths[0] <= now - WINDOW:\n        deaths.popleft()\n",
        without="",
        fault="a service dies for the fourth time in a year",
    ),
    Guard(
        name="no proxy to this machine",
        file="signoff/rpc.py",
        code="if is_loopback(host_of(address)) else []",
        without="if False else []",
        fault="a user works behind a proxy",
    ),
    Guard(
        name="the working directory is not imported",
        file="signoff/surroundings.py",
        code='    return (sys.executable, "-P", "-m", module, *flags)\n',
        without='    return (sys.executable, "-m", module, *flags)\n',
        fault="a file called random.py lies beside the plan",
    ),
    Guard(
        name="broken variables are named at the start",
        file="signoff/surroundings.py",
        code='            raise ConfigurationError(f"{name}: expected {expected}, but got one that begins with {scheme[:20]}://")\n',
        without="            pass\n",
        fault="ALL_PROXY=socks:// stands in the environment",
    ),
    Guard(
        name="who ignores SIGHUP goes on",
        file="signoff/cli/interrupts.py",
        code="if not _is_left_alone(number)",
        without="if number",
        fault="nohup signoff run, and the terminal is closed",
    ),
    Guard(
        name="a full disk ends no log",
        file="signoff/logs.py",
        code="        except OSError as error:\n            self._lost, self._why = self._lost + 1, str(error)\n",
        without="        finally:\n            pass\n",
        fault="the disk is full when a line is to be logged",
    ),
    Guard(
        name="an id is one file's",
        file="signoff/cli/plans.py",
        code="    if plan_id and not _is_free(data_dir, plan_id, plan):\n",
        without="    if False:\n",
        fault="two folders called job have a plan each",
    ),
    Guard(
        name="a look at a budget changes nothing",
        file="signoff/cli/remote.py",
        code="    if tokens is None and cost is None and not unlimited:\n",
        without="    if False:\n",
        fault="a person looks at the budget of a run",
    ),
)

"""CPU seconds and peak memory of processes, as Linux has them in /proc.

Standard library only: the peers' drivers import it in their own environments.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")  # a second
_STATE, _PARENT = 0, 1  # fields of stat, counted from behind the command's name
_OWN, _WITH_ENDED = slice(11, 13), slice(11, 15)  # user and system; and those of children that have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The use of all processes of one name."""

    name: str
    count: int = 1
    cpu_seconds: float  #: of all of them
    peak_mib: float  #: of the largest, since it began


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    name: str
    cpu_seconds: float
    peak_kib: int


class Meter:
    """The use of processes between `begin` and `end`; a process that began in between counts from its start.

    `with_ended`: the use of children that have ended counts for their parents.
    """

    def __init__(self, processes: Mapping[int, str], *, with_ended: bool = False) -> None:
        self._processes = dict(processes)
        self._times = _WITH_ENDED if with_ended else _OWN
        self._before: dict[int, float] = {}

    def begin(self) -> None:
        self._before = {pid: reading.cpu_seconds for pid, reading in self._readings(self._processes).items()}

    def end(self, processes: Mapping[int, str] | None = None) -> tuple[Process, ...]:
        """Ends the measurement. `processes`: the processes to read now, when others than at the beginning."""
        used: dict[str, list[_Reading]] = {}
        for pid, now in self._readings(processes or self._processes).items():
            cpu = now.cpu_seconds - self._before.get(pid, 0.0)
            used.setdefault(now.name, []).append(_Reading(name=now.name, cpu_seconds=cpu, peak_kib=now.peak_kib))
        return tuple(_together(name, readings) for name, readings in sorted(used.items()))

    def _readings(self, processes: Mapping[int, str]) -> dict[int, _Reading]:
        """Reads the processes that are alive."""
        found = {}
        for pid, name in processes.items():
            if fields := _stat(pid):
                seconds = sum(map(int, fields[self._times])) / _TICKS
                found[pid] = _Reading(name=name, cpu_seconds=seconds, peak_kib=_status_kib(pid, "VmHWM"))
        return found


def _together(name: str, readings: list[_Reading]) -> Process:
    return Process(
        name=name,
        count=len(readings),
        cpu_seconds=round(sum(reading.cpu_seconds for reading in readings), 3),
        peak_mib=round(max(reading.peak_kib for reading in readings) / 1024, 1),
    )


def resident_kib(pid: int) -> int:
    """Returns the memory that a process has in RAM now; 0 when there is no such process."""
    return _status_kib(pid, "VmRSS")


def cpu_seconds(pid: int) -> float:
    """Returns the user and system time of a process so far; 0 when there is no such process."""
    return sum(map(int, _stat(pid)[_OWN])) / _TICKS


def family(root: int) -> dict[int, str]:
    """Returns a process and all processes below it, each with a short name."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(folder.name))
    return {root: "driver", **{pid: short_name(_command(pid)) for pid in _below(root, children)}}


def _below(root: int, children: Mapping[int, list[int]]) -> Iterable[int]:
    for child in children.get(root, ()):
        yield child
        yield from _below(child, children)


def short_name(command: list[str]) -> str:
    """Returns the module that Python runs, else the program."""
    if "-m" in command[:-1]:
        return command[command.index("-m") + 1]
    return Path(command[0]).name.split(":")[0].split(" ")[0] if command and command[0] else "unnamed"


def _command(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
    except OSError:
        return []


def _stat(pid: int) -> list[str]:
    """Returns the fields behind the name, which may itself contain anything; none for a process that has ended."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[_STATE] in "ZX" else fields


def _status_kib(pid: int, key: str) -> int:
    try:
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1])
    except OSError:
        pass  # it has ended
    return 0

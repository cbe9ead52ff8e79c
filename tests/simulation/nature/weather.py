"""The weather: rates between 0 and 1 at which things go wrong now. In good weather all are 0."""

from __future__ import annotations

from collections import defaultdict


class Weather:
    """The weather of a world. Windows of bad weather may overlap: the worst counts.

    `clock_ahead`: seconds by which the clock on the wall has been set ahead; less than 0: back.
    """

    def __init__(self) -> None:
        self.clock_ahead = 0.0
        self._windows: defaultdict[str, list[float]] = defaultdict(list)

    def begin(self, kind: str, rate: float) -> None:
        self._windows[kind].append(rate)

    def end(self, kind: str, rate: float) -> None:
        self._windows[kind].remove(rate)

    def rate(self, kind: str) -> float:
        """Returns the rate of a kind now."""
        windows = self._windows.get(kind)
        return max(windows) if windows else 0.0

    def kinds(self, among: tuple[str, ...]) -> list[str]:
        """Returns the kinds that may happen now."""
        return [kind for kind in among if self.rate(kind)]

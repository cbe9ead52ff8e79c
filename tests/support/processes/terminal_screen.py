"""A small terminal: what a person sees after the bytes of a program. It knows what ours send, and no colours."""

from __future__ import annotations

import codecs
import re

_PIECE = re.compile(
    r"\x1b\[(?P<mark>[?<>=]?)(?P<numbers>[0-9;]*)[$ ]?(?P<order>[A-Za-z])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, and the shape of the pointer
    r"|\x1b[()][A-Z0-9]|\x1b[=>78c]"
    r"|(?P<steer>[\r\n\x07\x08])|(?P<text>[^\x1b\r\n\x07\x08]+)"
)
SECOND_SCREEN, CURSOR, WRAP = "?1049", "?25", "?7"


class TerminalScreen:
    """A screen of cells, its cursor, and the modes that were set."""

    def __init__(self, width: int, height: int) -> None:
        self.modes: dict[str, bool] = {}
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._taken, self._rest = 0, ""
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Begins with an empty screen of this size: programs draw anew then."""
        self._width, self._height = width, height
        self._clear()

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self._lines)

    def show_all(self, everything: bytearray) -> None:
        """Takes in what is new in all the bytes that have come."""
        new, self._taken = everything[self._taken :], len(everything)
        text, end = self._rest + self._decoder.decode(bytes(new)), 0
        while piece := _PIECE.match(text, end):
            end = piece.end()
            self._take(piece)
        self._rest = text[end:]  # the beginning of a sequence

    def _take(self, piece: re.Match[str]) -> None:
        if piece["text"]:
            self._write(piece["text"])
        elif piece["steer"] == "\r":
            self._column = 0
        elif piece["steer"] == "\n":
            self._feed_line()
        elif piece["order"] in ("h", "l") and piece["mark"] == "?":
            self._set_modes(piece["numbers"].split(";"), piece["order"] == "h")
        elif piece["order"] and not piece["mark"]:
            self._steer(piece["order"], [int(number or 0) for number in piece["numbers"].split(";")])

    def _set_modes(self, modes: list[str], is_set: bool) -> None:
        for mode in modes:
            self.modes[f"?{mode}"] = is_set
        if SECOND_SCREEN[1:] in modes:
            self._clear()

    def _steer(self, order: str, numbers: list[int]) -> None:
        if order == "H":
            row, column = [*numbers, 1][:2]
            self._row, self._column = max(row, 1) - 1, max(column, 1) - 1
        elif order == "J":
            self._clear()
        elif order == "K":
            self._lines[self._row][self._column :] = " " * (self._width - self._column)

    def _clear(self) -> None:
        self._row, self._column = 0, 0
        self._lines = [[" "] * self._width for _ in range(self._height)]

    def _feed_line(self) -> None:
        self._row += 1
        if self._row == self._height:
            self._row -= 1
            self._lines = [*self._lines[1:], [" "] * self._width]

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self._width:
                if not self.modes.get(WRAP, True):
                    return
                self._column = 0
                self._feed_line()
            self._lines[min(self._row, self._height - 1)][self._column] = character
            self._column += 1

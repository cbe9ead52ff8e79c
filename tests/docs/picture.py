"""Draws docs/run.svg from a real run: `python -m tests.docs.picture` takes about half a minute.

`signoff run` works in a terminal of its own, on an example with the mock model. The picture has two moments of what
that terminal showed: a screen in the middle of the run, and what stood there at the end.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "run.svg"
COMMAND = ("run", "examples/release_notes/plan.json", "--model", "mock:delay=0.2,reject=0.25,seed=4")
WIDTH, HEIGHT = 100, 30

_REDRAW = "\x1b[H"  # the screen is drawn anew from its first line
_LEAVES = "\x1b[?1049l"  # back from the alternate screen
_MODES = re.compile(r"\x1b\[\?[0-9]+[hl]")  # switches of the terminal that show nothing
_SIGNED_OFF = re.compile(r"(\d+)/(\d+) signed off")
THEME = TerminalTheme(
    (24, 26, 32),
    (214, 218, 226),
    [(76, 80, 92), (230, 110, 110), (130, 200, 130), (220, 190, 110), (110, 165, 230), (190, 140, 220), (100, 195, 205),
     (214, 218, 226)],
)  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = record(*COMMAND, "--data-dir", folder).replace(folder, "db")
    PICTURE.write_text(picture(recording, " ".join(COMMAND)))


def record(*arguments: str) -> str:
    """Returns everything that `signoff` writes to a terminal of the picture's size."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        os.chdir(ROOT)
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        os.execve(sys.executable, [sys.executable, "-m", "signoff.cli", *arguments], environment)
    written = bytearray()
    while piece := _read(terminal):
        written += piece
    _, status = os.waitpid(child, 0)
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise SystemExit(f"expected the run to succeed, but it ended with {code}:\n{written.decode()}")
    return written.decode()


def _read(terminal: int) -> bytes:
    """Returns what has been written; nothing at the end, which Linux reports as an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def picture(recording: str, command: str) -> str:
    """Returns the SVG: the command, a screen of the middle of the run, and the end."""
    live, _, end = recording.partition(_LEAVES)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for part in (f"\x1b[1m$ signoff {command}\x1b[0m", middle(live.split(_REDRAW)), end):
        console.print(Text.from_ansi(_trimmed(part)))
    drawn = console.export_svg(title="signoff", theme=THEME, unique_id="run")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)  # a page fetches no fonts from elsewhere


def middle(screens: list[str]) -> str:
    """Returns the screen that says most: tasks in the hands of executors and of validators, and a rejection."""
    return max(screens, key=_says)


def _says(screen: str) -> tuple[int, int, int]:
    signed_off = _SIGNED_OFF.search(screen)
    half = int(signed_off is not None and 2 * int(signed_off[1]) >= int(signed_off[2]) - 1)
    return (sum(word in screen for word in (" doing", " validating", "was rejected by")), half, len(screen.split()))


def _trimmed(text: str) -> str:
    lines = [line.rstrip() for line in _MODES.sub("", text).replace("\r", "").split("\n")]
    blank = re.compile(r"(?:\x1b\[[0-9;]*m|\s)*")
    while lines and blank.fullmatch(lines[-1]):
        lines.pop()
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

"""The page folds events by the core's own table: what its tests compare with is the table of today."""

import json
from pathlib import Path

from runner_svc.core.model.states import TRANSITIONS

RECORDED = Path(__file__).parents[2] / "web" / "tests" / "fixtures" / "journal.json"


def test_the_table_that_the_page_is_tested_against_is_that_of_the_core() -> None:
    """Holds it. After a change: web/scripts/record_journal.py, and web/src/store/transitions.ts."""
    recorded = json.loads(RECORDED.read_text())["transitions"]
    core = {
        str(int(status)): {kind.__name__[0].lower() + kind.__name__[1:]: int(after) for kind, after in moves.items()}
        for status, moves in TRANSITIONS.items()
    }
    assert recorded == core

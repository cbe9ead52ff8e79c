"""How the small model that runs on this machine judges: `python -m tests.support.judging.judge_local [QUESTIONS]`.

It needs the extra local-model and the weights of `local`. It asks once about each pair of a criterion and a candidate
in judge_answers, or about so many of them, drawn with a fixed seed, and prints what docs/explanation/judges.md has.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

from signoff.v1 import execution_pb2
from tests.support.judging.judge_answers import EVIDENCE
from tests.support.work.givens import Heard, task, to_judge
from worker_svc.llm.config.settings import models_from_settings
from worker_svc.validate.validator import Validator

UNREADABLE = "cannot be read"
SEED = 15


def pairs() -> dict[tuple[str, str], bool]:
    """Criteria and candidates, with whether the candidate does satisfy the criterion."""
    found: dict[tuple[str, str], bool] = {}
    for criterion, candidate, *_, is_right in EVIDENCE:
        found[criterion, candidate] = found.get((criterion, candidate), False) or is_right
    return found


def drawn(most: int) -> list[tuple[tuple[str, str], bool]]:
    every = list(pairs().items())
    return random.Random(SEED).sample(every, min(most, len(every)))


async def main(most_pairs: int) -> None:
    validator = Validator(models_from_settings("local", {}, role="validator", connections=1))
    report, lines, asked = Heard(), list[str](), dict(drawn(most_pairs))
    begun = time.monotonic()
    for (criterion, candidate), is_right in asked.items():
        verdict = await validator(to_judge(candidate, task(criteria=(criterion,))), report)
        read = (
            "broken" if UNREADABLE in verdict.feedback else "no answer" if "no verdict" in verdict.feedback else "read"
        )
        outcome = execution_pb2.Outcome.Name(verdict.outcome)
        lines.append(f"{read} {outcome} {'right' if is_right else 'wrong'}")
        sys.stderr.write(f"{lines[-1]} {criterion!r} {verdict.feedback[:200]!r}\n")
    seconds = time.monotonic() - begun
    await validator.close()
    most = max(spent.output_tokens for _, spent in report.costs)
    for line in sorted(set(lines)):
        sys.stdout.write(f"{line}: {lines.count(line)}\n")
    sys.stdout.write(f"{len(asked)} questions, {seconds / len(asked):.1f} s each, at most {most} tokens for one\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else len(pairs())))

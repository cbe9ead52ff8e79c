"""A worker of your own: three functions that read a text, and one that judges their output.

signoff run plan.json --app my_worker:app
"""

from __future__ import annotations

import re
from collections import Counter

from pydantic import BaseModel

from signoff.app import App, Context, Failed, Verdict

app = App()


class Count(BaseModel):
    word: str
    times: int


@app.executor
def split(text: str) -> list[str]:
    """Splits a text into sentences; `text` comes from the plan's parameters."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    if sentences == [""]:
        raise Failed.permanent("the text is empty")
    return sentences


@app.executor(process=True)
def count(sentences: list[str], ctx: Context, least: int = 1) -> list[Count]:
    """Counts each word, in a process of its own. The artifact `sentences` is bound by its name."""
    counter = Counter[str]()
    for number, sentence in enumerate(sentences, 1):
        ctx.progress(f"sentence {number} of {len(sentences)}")
        counter.update(re.findall(r"\w+", sentence.lower()))
    return [Count(word=word, times=times) for word, times in counter.most_common() if times >= least]


@app.executor(name="table", version="1")
async def make_table(counts: list[Count]) -> str:
    rows = [f"| {count.word} | {count.times} |" for count in counts]
    return "\n".join(["| word | times |", "|---|---|", *rows])


@app.validator
def complete(table: str, counts: list[Count]) -> Verdict:
    """Checks that no word is missing. The candidate comes first; inputs are bound by name, as for an executor."""
    missing = [count.word for count in counts if f"| {count.word} | {count.times} |" not in table]
    return Verdict.failed(f"no row for {', '.join(missing)}") if missing else Verdict.passed()

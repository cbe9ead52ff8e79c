"""The 25 kinds of verifiable instructions of IFEval as checks of signoff.

IFEval (Zhou et al. 2023, Google Research, Apache-2.0) names an instruction by an id and parameters. `checks_for` gives
the entries of `validation.checks` that ask for the same. The suite itself is no part of this project; the command

    python -m tests.support.judging.ifeval input_data.jsonl

says how many of the instructions in its file the planner takes as checks.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from planner_svc.checks.structured import check_from_json

Parameters = Mapping[str, Any]
RawCheck = dict[str, Any]

ANSWERS = ["My answer is yes.", "My answer is no.", "My answer is maybe."]  # that a constrained response is one of
ENGLISH: RawCheck = {"type": "language", "code": "en"}


def _amount(noun: str, relation: str, number: int) -> RawCheck:
    """Returns the bound that a relation of IFEval means."""
    return {f"min_{noun}": number} if relation == "at least" else {f"max_{noun}": number - 1}


def _exactly(noun: str, number: int) -> RawCheck:
    return {f"min_{noun}": number, f"max_{noun}": number}


KINDS: Mapping[str, Callable[[Parameters], list[RawCheck]]] = {
    "change_case:capital_word_frequency": lambda given: [
        {
            "type": "uppercase_words",
            **_amount("uppercase_words", given["capital_relation"], given["capital_frequency"]),
        }
    ],
    "change_case:english_capital": lambda _: [{"type": "uppercase"}, ENGLISH],
    "change_case:english_lowercase": lambda _: [{"type": "lowercase"}, ENGLISH],
    "combination:repeat_prompt": lambda given: [{"type": "starts_with", "phrase": given["prompt_to_repeat"]}],
    "combination:two_responses": lambda _: [
        {"type": "paragraphs", "separator": "******", **_exactly("paragraphs", 2), "distinct": True}
    ],
    "detectable_content:number_placeholders": lambda given: [
        {"type": "placeholders", "min_placeholders": given["num_placeholders"]}
    ],
    "detectable_content:postscript": lambda given: [{"type": "postscript", "marker": given["postscript_marker"]}],
    "detectable_format:constrained_response": lambda _: [{"type": "contains", "phrases": ANSWERS, "any": True}],
    "detectable_format:json_format": lambda _: [{"type": "json"}],
    "detectable_format:multiple_sections": lambda given: [
        {"type": "sections", "separator": given["section_spliter"], "min_sections": given["num_sections"]}
    ],
    "detectable_format:number_bullet_lists": lambda given: [
        {"type": "bullets", **_exactly("bullets", given["num_bullets"])}
    ],
    "detectable_format:number_highlighted_sections": lambda given: [
        {"type": "highlights", "min_highlights": given["num_highlights"]}
    ],
    "detectable_format:title": lambda _: [{"type": "title"}],
    "keywords:existence": lambda given: [{"type": "contains", "phrases": given["keywords"]}],
    "keywords:forbidden_words": lambda given: [
        {"type": "contains", "phrases": given["forbidden_words"], "max_occurrences": 0, "whole_words": True}
    ],
    "keywords:frequency": lambda given: [
        {
            "type": "contains",
            "phrases": [given["keyword"]],
            **_amount("occurrences", given["relation"], given["frequency"]),
        }
    ],
    "keywords:letter_frequency": lambda given: [
        {
            "type": "contains",
            "phrases": [given["letter"]],
            **_amount("occurrences", given["let_relation"], given["let_frequency"]),
        }
    ],
    "language:response_language": lambda given: [{"type": "language", "code": given["language"]}],
    "length_constraints:nth_paragraph_first_word": lambda given: [
        {"type": "paragraphs", **_exactly("paragraphs", given["num_paragraphs"])},
        {
            "type": "starts_with",
            "phrase": given["first_word"],
            "paragraph": given["nth_paragraph"],
            "whole_words": True,
        },
    ],
    "length_constraints:number_paragraphs": lambda given: [
        {"type": "paragraphs", "separator": "***", **_exactly("paragraphs", given["num_paragraphs"])}
    ],
    "length_constraints:number_sentences": lambda given: [
        {"type": "sentences", **_amount("sentences", given["relation"], given["num_sentences"])}
    ],
    "length_constraints:number_words": lambda given: [
        {"type": "words", **_amount("words", given["relation"], given["num_words"])}
    ],
    "punctuation:no_comma": lambda _: [{"type": "contains", "phrases": [","], "max_occurrences": 0}],
    "startend:end_checker": lambda given: [{"type": "ends_with", "phrase": given["end_phrase"]}],
    "startend:quotation": lambda _: [{"type": "quoted"}],
}


def checks_for(kind: str, parameters: Parameters) -> list[RawCheck]:
    """Returns the checks that ask for what an instruction does. Raises KeyError for a kind that is unknown."""
    return KINDS[kind]({name: value for name, value in parameters.items() if value is not None})


def instructions_in(file: Path) -> Iterator[tuple[str, Parameters]]:
    """Yields each instruction of a file of IFEval: its id and its parameters."""
    for line in file.read_text(encoding="utf-8").splitlines():
        prompt = json.loads(line)
        yield from zip(prompt["instruction_id_list"], prompt["kwargs"], strict=True)


def problem_of(kind: str, parameters: Parameters) -> str:
    """Returns why the planner does not take an instruction as checks; empty when it does."""
    try:
        for check in checks_for(kind, parameters):
            check_from_json(check)
    except (KeyError, ValueError) as error:
        return f"{kind} {dict(parameters)}: {error}"
    return ""


def main(file: str) -> int:
    """Prints how many instructions of each kind are expressed. Returns 1 when some are not."""
    total, expressed, problems = Counter[str](), Counter[str](), list[str]()
    for kind, parameters in instructions_in(Path(file)):
        total[kind] += 1
        problem = problem_of(kind, parameters)
        expressed[kind] += not problem
        problems += [problem] * bool(problem)
    rows = [f"{expressed[kind]:4} of {total[kind]:4}  {kind}" for kind in sorted(total)]
    rows.append(f"{expressed.total():4} of {total.total():4}  instructions of {len(total)} kinds")
    sys.stdout.write("\n".join([*rows, *problems, ""]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

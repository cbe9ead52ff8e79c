"""Guards of what counts as a pass."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

ANSWER = "worker_svc/judge/answer.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="formats are promises",
        file="worker_svc/checks.py",
        code="        results.append(_decided(words, lambda: check(content)))\n",
        without="        pass\n",
        fault="an answer that is no CSV, YAML or JSON Lines although its format says so",
    ),
    Guard(
        name="numbers fit in a double",
        file="worker_svc/checking/reading.py",
        code="    if isinf(float(text)):\n",
        without="    if False:\n",
        fault="a candidate with the number 1e400",
    ),
    Guard(
        name="a document keeps its own fences",
        file="worker_svc/llm/fences.py",
        code="        return not first.language and any(fence.language for fence in fences[1:])\n",
        without="        return not first.language\n",
        fault="a Markdown document that is one block of code",
    ),
    Guard(
        name="a bound is as it was written",
        file="worker_svc/checking/number.py",
        code="return Decimal(repr(bound))",
        without="return Decimal(bound)",
        fault="a number with a fraction is exactly its bound",
    ),
    Guard(
        name="words around a result are judged or rejected",
        file="worker_svc/validator.py",
        code="if assignment.candidate.remark and not criteria:",
        without="if False:",
        fault="a model takes its JSON back in the words around it",
    ),
    Guard(
        name="nothing is guessed",
        file="worker_svc/llm/repair.py",
        code="whole or (mended(part) if len(part) <= MAX_CHARS else None)",
        without="whole or __import__('json').dumps([part])",
        fault="a model breaks its JSON in a way that can be read in two ways",
    ),
    Guard(
        name="thoughts are no answer",
        file="worker_svc/llm/gathered.py",
        code="parted(self._written.text)",
        without="parted(self._written.text.join((chr(0), chr(0))))",
        fault="a server sends a model's thoughts as text before the answer",
    ),
    Guard(
        name="only ends that are known are whole",
        file="worker_svc/llm/gathered.py",
        code="        if self.finish_reason != WHOLE:\n",
        without="        if False:\n",
        fault="an endpoint ends half an answer with a word of its own",
    ),
    Guard(
        name="a canary is judged before the candidate",
        file="runner_svc/core/lending.py",
        code="    canary = due_canary(execution, task) if phase is Phase.VALIDATE else 0\n",
        without="    canary = 0\n",
        fault="a judge passes everything, and nobody notices",
    ),
    Guard(
        name="one canary before a candidate",
        file="runner_svc/core/measuring.py",
        code="    if not canaries or execution.records[task].canary_given:\n",
        without="    if not canaries:\n",
        fault="many candidates come at once, and the first waits for all of their canaries",
    ),
    Guard(
        name="a canary signs nothing off",
        file="runner_svc/core/reporting.py",
        code="    if lease.canary:\n        judge_canary(turn, lease, signal.at,",
        without="    if False:\n        judge_canary(turn, lease, signal.at,",
        fault="a validator passes a canary, and its task has a candidate nobody has looked at",
    ),
    Guard(
        name="workers are not told of canaries",
        file="runner_svc/codec/canaries.py",
        code='    spec.validation.ClearField("canaries")\n',
        without="",
        fault="an executor copies the good canary, and a validator knows what it is measured by",
    ),
    Guard(
        name="a block has its own digest",
        file="worker_svc/blocks.py",
        code="    digest = hashlib.sha256(artifact.content).hexdigest()[:32]\n    text",
        without='    digest = "0" * 32\n    text',
        fault="a candidate writes the end of its block",
    ),
    Guard(
        name="a judge answers once",
        file=ANSWER,
        code="    if other := _VERDICT_KEY.search(text[:start]) or _VERDICT_KEY.search(text[end:]):",
        without="    if other := _VERDICT_KEY.match(text, len(text)):",
        fault="a judge breaks off its verdict, and repeats one that a candidate wrote",
    ),
    Guard(
        name="no verdict of the candidate's own",
        file=ANSWER,
        code="    if shown.repeats(verdict):",
        without="    if False:",
        fault="a judge repeats the verdict that stands in a candidate",
    ),
    Guard(
        name="no pass without its quotation",
        file=ANSWER,
        code="    if outcome == PASS and not shown.quotable.has(evidence):",
        without="    if False:",
        fault="a judge makes up what it passes a candidate for",
    ),
    Guard(
        name="no key twice",
        file="worker_svc/checking/reading.py",
        code="    if len(made) < len(pairs):",
        without="    if False:",
        fault="a candidate says one thing to the validator and another to whoever reads it",
    ),
    Guard(
        name="decimals are exact",
        file="worker_svc/checking/reading.py",
        code="parse_float=number_of, ",
        without="",
        fault="a plan asks for whole cents, and a candidate says 19.99",
    ),
    Guard(
        name="formats are asserted",
        file="signoff/schemas/formats.py",
        code="not isinstance(value, str) or known(value)",
        without="True",
        fault="a candidate says that something happens on 2026-13-45",
    ),
    Guard(
        name="patterns are those of ECMA-262",
        file="signoff/schemas/ecma.py",
        code=r'"$": r"\Z"',
        without='"$": "$"',
        fault="a name that ends in a new line passes a pattern that ends in $",
    ),
    Guard(
        name="drafts are told apart",
        file="signoff/schemas/drafts.py",
        code="            if not fitting & drafts:\n",
        without="            if False:\n",
        fault="a schema whose keywords no draft has together",
    ),
    Guard(
        name="a phrase inside another word is left to the judge",
        file="worker_svc/checking/phrases.py",
        code="        if found is Found.INSIDE or (found is Found.NAME and not is_absent):\n",
        without="        if False:\n",
        fault="a criterion asks for 'Go', and the candidate speaks of Google",
    ),
    Guard(
        name="a name with a forbidden word has it",
        file="worker_svc/checking/mentions.py",
        code='    if mark in "_@":\n        return Found.NAME\n',
        without='    if mark in "_@":\n        return Found.INSIDE\n',
        fault="a candidate has TODO_LIST where TODO is forbidden",
    ),
    Guard(
        name="a dash is a dash",
        file="worker_svc/checking/folding.py",
        code='_SHAPES = {ord(character): "-" for character in _DASHES}\n',
        without="_SHAPES: dict[int, str] = {}\n",
        fault="a candidate writes a forbidden word with a hyphen that does not break",
    ),
    Guard(
        name="what code cannot tell is judged",
        file="worker_svc/validator.py",
        code="        if self._model is None or not undecided:\n",
        without="        if True:\n",
        fault="a check of a criterion cannot tell, and no judge is asked",
    ),
    Guard(
        name="words are counted only where people agree",
        file="worker_svc/checking/words.py",
        code="    if check.criterion:\n",
        without="    if False:\n",
        fault="a criterion bounds the words of a text in Chinese",
    ),
)

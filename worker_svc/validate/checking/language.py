"""Detects a text's language with py3langid: by statistics of its bytes, offline.

Its probabilities are calibrated: of the texts to which it gives 0.6, about six in ten are in that language. A text
passes when its language has at least SURE. It fails when another language has that, and its own is below
OUT_OF_THE_QUESTION. Otherwise code cannot tell: a pass would be a guess, and a failure unfair to a short title.
"""

from __future__ import annotations

import functools
import re
from itertools import chain
from typing import Any

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, prose_of
from worker_svc.validate.checking.text.scripts import is_spaceless
from worker_svc.validate.invisible import without_invisible

MIN_LETTERS = 20  # of an alphabet; a letter that is a syllable or a word counts twice
SURE, OUT_OF_THE_QUESTION = 0.6, 0.1

_PIECE = 2_000  # characters: the model grows unsure about longer texts
_MOST_PIECES = 50  # taken evenly from a text that has more
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+")
_HANGUL = ("가", "힣")

# Members of a macrolanguage, by ISO 639-3: the model tells them apart, and ISO 639-1 does not.
_MEMBER_OF = {
    "arz": "ar", "ary": "ar", "wuu": "zh", "yue": "zh", "nn": "no", "uzs": "uz", "sdh": "ku", "gug": "gn", "fuv": "ff",
    "kik": "ki",
}  # fmt: skip
_NAMED_AS = {"nb": "no"}  # languages that the model does not tell from their macrolanguage


def check_language(check: plan_pb2.Check, content: bytes) -> None:
    stated = check.language.code.lower()
    code = _NAMED_AS.get(stated, stated)
    text = _NO_WORDS.sub(" ", without_invisible(prose_of(content)))
    if (letters := _letters(text)) < MIN_LETTERS:
        raise CheckBroken(f"cannot tell the language: it takes {MIN_LETTERS} letters, but the candidate has {letters}")
    probabilities = _probabilities(text, code)
    if code not in probabilities:
        raise CheckBroken(f'cannot tell the language: "{code}" is not among those that can be told')
    likeliest = max(probabilities, key=probabilities.__getitem__)
    if probabilities[code] >= SURE:
        return
    if probabilities[likeliest] >= SURE and probabilities[code] < OUT_OF_THE_QUESTION:
        raise CheckFailed(
            f'expected text in "{code}", but got "{likeliest}" (probability {_of(probabilities, likeliest)})'
        )
    likely = " or ".join(f'"{found}" ({_of(probabilities, found)})' for found in dict.fromkeys((likeliest, code)))
    raise CheckBroken(f"cannot tell the language: it may be {likely}, or a mixture")


def prepare() -> None:
    """Loads the model, which takes most of a second."""
    _identifier()


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads numpy, so only when needed

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _probabilities(text: str, code: str) -> dict[str, float]:
    """Returns the average over the text, by ISO 639-1 code; a language without one keeps the model's own."""
    pieces, found = _pieces(text), dict[str, float]()
    for language, probability in chain.from_iterable(map(_identifier().rank, pieces)):
        name = language if language == code else _MEMBER_OF.get(language, language)
        found[name] = found.get(name, 0.0) + probability / len(pieces)
    return found


def _pieces(text: str) -> list[str]:
    """Returns the text in pieces of the same length, so that each counts the same."""
    if len(text) <= _PIECE:
        return [text]
    count = min(-(-len(text) // _PIECE), _MOST_PIECES)
    starts = ((len(text) - _PIECE) * n // (count - 1) for n in range(count))
    return [text[start : start + _PIECE] for start in starts]


def _letters(text: str) -> int:
    """Counts the letters of a text, but stops at MIN_LETTERS."""
    count = 0
    for character in text:
        if character.isalpha():
            count += 2 if _HANGUL[0] <= character <= _HANGUL[1] or is_spaceless(character) else 1
            if count >= MIN_LETTERS:
                break
    return count


def _of(probabilities: dict[str, float], code: str) -> str:
    return f"{probabilities[code]:.2f}"

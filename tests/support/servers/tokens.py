"""A tokenizer that divides texts into about as many pieces as the vocabularies of current models do.

English prose comes to about 1.25 tokens a word, Chinese to one a character; digits go in threes, and so do marks that
stand together; an indentation is one. A worker's estimate is made in another way (worker_svc/llm/account.py).
"""

from __future__ import annotations

import re

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    rf" +(?= )|[{_IDEOGRAPHS}]| ?\d{{1,3}}| ?[^\W\d_{_IDEOGRAPHS}]{{1,6}}| ?[^\w\s]{{1,3}}|_+|\n+|\s", re.UNICODE
)


def tokens_of(text: str) -> list[str]:
    """Returns the tokens of a text, which joined together are the text."""
    return _TOKEN.findall(text)

"""The nature of a criterion, as far as its words tell: it decides which evidence a pass may rest on.

    FORBIDS   something must be missing        absence, quotes, the whole text
    AMOUNT    so many of something             a count, quotes
    WHOLE     how all of the text is           quotes, the whole text
    PRESENCE  something must be there          quotes
    OTHER     everything else                  quotes

The tables are in English and Chinese. A criterion with words of no table is OTHER, which allows least.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from worker_svc.validate.checking.text.folding import folded


class Ground(Enum):
    """A kind of evidence."""

    QUOTES = "quotes"  #: words of the candidate
    ABSENCE = "absence"  #: something is not in the candidate
    COUNT = "count"  #: so many are in the candidate
    WHOLE = "whole"  #: the text as a whole


class Nature(Enum):
    """The kind of thing that a criterion asks for."""

    FORBIDS = "forbids"
    AMOUNT = "amount"
    WHOLE = "whole"
    PRESENCE = "presence"
    OTHER = "other"


ALLOWED: Mapping[Nature, frozenset[Ground]] = MappingProxyType(
    {
        Nature.FORBIDS: frozenset({Ground.ABSENCE, Ground.QUOTES, Ground.WHOLE}),
        Nature.AMOUNT: frozenset({Ground.COUNT, Ground.QUOTES}),
        Nature.WHOLE: frozenset({Ground.QUOTES, Ground.WHOLE}),
        Nature.PRESENCE: frozenset({Ground.QUOTES}),
        Nature.OTHER: frozenset({Ground.QUOTES}),
    }
)

_QUOTED = re.compile(r"\"[^\"]*\"|'[^'\n]{1,80}'(?!\w)|「[^「」]*」|“[^“”]*”|‘[^‘’]*’")

#: These ask that something is there, in the form of a negation.
_NO_NEGATION = re.compile(
    r"\bnot only\b|\bno (?:fewer|less|more|later|longer|earlier|matter|doubt)\b"
    r"|\b(?:must |should |may )?not (?:be )?(?:fewer|less|more|longer|shorter) than\b|不仅|不只|不但|不(?:得|能|可"
    r"|应|要)?(?:少于|低于|超过|多于)|没有理由不"
)
_FORBIDS = re.compile(
    r"\b(?:must|should|may|shall|can|do|does|is|are|has|have|will)(?: not|n't)\b|\bcannot\b|\bnot (?:contain"
    r"|mention|use|include)"
    r"|^(?:no|not|never|without|neither|none|nothing|avoids?|avoiding|omits?|excludes?|excluding|lacks?)\b"
    r"|\b(?:no|neither|none|nothing)\b"
    r"|\bfree (?:of|from)\b|\bfree$|\bavoid(?:s|ing)?\b|\bnever\b|\bwithout\b|\babsent\b|\bomits?\b|\brefrains?\b"
    r"|\bexcludes?\b|\bleaves? out\b"
    r"|不(?:得|能|可|应|要|许|可以|应该|允许|会)?(?:再)?(?:解释|说明|列出|讨论|包含|含|出现|提|使用|用|有|涉及|带"
    r"|存在|引用|透露|泄露|编造|重复|写|超出|加)"
    r"|没有|无(?!论|法|疑)|未(?:提|出现|包含|使用|涉及)|禁止|避免|切勿|勿|不存在|不得"
)
_NUMBER = r"(?:\d[\d,.]{0,19}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a dozen|several)"
_AMOUNT = re.compile(
    rf"\b(?:at least|at most|no (?:fewer|less|more) than|not (?:fewer|less|more) than|(?:more|fewer|less|longer"
    rf"|shorter) than|exactly"
    rf"|up to|min(?:imum)?(?: of)?|max(?:imum)?(?: of)?|between|only) (?:the )?{_NUMBER}\b"
    rf"|\b{_NUMBER} (?:or (?:more|fewer|less)|to {_NUMBER})\b"
    rf"|\b(?:has|have|lists?|gives?|names?|contains?|includes?|cites?|provides?|uses?|with|of|in|under|within|offers?"
    rf"|describes?|mentions?|compares?|states?|there are) (?:the )?{_NUMBER} (?!of\b|percent\b)[a-z]"
    rf"|^{_NUMBER} (?!of\b)[a-z]"
    r"|(?:至少|最少|最多|至多|不少于|不超过|不多于|超过|恰好|正好|共|仅) ?(?:\d|[一二两三四五六七八九十百])"
    r"|[\d一二两三四五六七八九十] ?(?:个|条|项|句|段|字|词|点|种|位|篇|处|次|章|节|步)"
)
_WHOLE = re.compile(
    r"\btones?\b|\bstyles?\b|\bvoice\b|\bregister\b|\bfriendly\b|\bformal(?:ly)?\b|\binformal(?:ly)?\b"
    r"|\bpolite(?:ly)?\b"
    r"|\bprofessional(?:ly)?\b|\bneutral(?:ly)?\b|\bobjective(?:ly)?\b|\bconsisten(?:t|tly|cy)\b|\bcoheren(?:t|tly"
    r"|ce)\b"
    r"|\bgramma(?:r|tical|tically)\b|\bspell(?:ing|ed)\b|\breadab(?:le|ility)\b|\bconcise(?:ly)?\b|\bfluent(?:ly)?\b"
    r"|\blanguage\b|\bwritten in\b|\b(?:plain|simple|clear) (?:english|words|prose)\b|\b(?:past|present) tense\b"
    r"|\b(?:first|second|third) person\b|\bflows?\b|\bwell[- ](?:written|structured|organi[sz]ed)\b"
    r"|\bimpartial(?:ly)?\b"
    r"|\bstays? on topic\b|\bunderstandable\b|\bempathetic\b|\bpersuasive(?:ly)?\b|\bthroughout\b|\bformatt(?:ed|ing)\b"
    r"|语气|语调|文风|风格|口吻|语言|通顺|流畅|连贯|一致|简洁|正式|礼貌|客观|中立|专业|语法|用(?:中文|英文|英语"
    r"|汉语)|通俗|易懂|人称|时态|友好"
)
_PRESENCE = re.compile(
    r"\b(?:contain|include|mention|name|state|explain|describe|list|give|cite|define|show|provide|identif(?:y|ie)"
    r"|present|discuss|cover|address|quote|refer|introduce|compare|offer|specif(?:y|ie)|say|report|summari[sz]e|tell"
    r"|recommend|propose|outline|answer|note|point out|warn|have|has|illustrate|conclude|mark|credit|link)(?:s|es"
    r"|ed|ing)?\b"
    r"|\bthere (?:is|are)\b|\bwith (?:a|an|the)\b"
    r"|包含|包括|提到|提及|说明|解释|列出|给出|描述|介绍|指出|引用|含有|定义|提供|写明|注明|阐述|比较|有|点明|回答|讨论"
)
#: Properties of a whole text, which no part of it can show.
_ACROSS = re.compile(
    r"\bconsisten(?:t|tly|cy)\b|\bcoheren(?:t|tly|ce)\b|\bcontradict\w*|\brepeat(?:s|ed|ing)?\b|\brepetit\w+"
    r"|\bduplicates?\b"
    r"|\bunique\b|\btwice\b|\bonce\b|\border(?:ed)?\b|\balphabetical\w*|\bchronological\w*|\bsorted\b|\bbegins?\b"
    r"|\bstarts?\b"
    r"|\bends?\b|\bconclu\w+|\blast\b|\bfirst\b|\bopen(?:s|ing)\b|\bclos(?:es|ing)\b|\bin total\b|\boverall\b"
    r"|\bas a whole\b"
    r"|\bbalance[ds]?\b|\bcomplete(?:ly|ness)?\b|\blength\b|\bstructure[ds]?\b|\bequal\w*"
    r"|一致|连贯|矛盾|重复|顺序|开头|结尾|最后|首先|总共|全文|整体|完整|唯一|结构|均衡"
)
_EVERYWHERE = re.compile(r"\b(?:each|every|all|throughout|always|any)\b|每|所有|全部|始终|任何|均")


@lru_cache(maxsize=2_000)
def nature_of(criterion: str) -> Nature:
    """Returns what a criterion asks for. A negation comes first: "no more than two" is an amount all the same."""
    text = _in_words(criterion)
    without = _NO_NEGATION.sub(" ", text)
    if _FORBIDS.search(without) and not _ASKS_FIRST.search(text):
        return Nature.PRESENCE if _asks_besides(without) else Nature.FORBIDS
    if _AMOUNT.search(text):
        return Nature.AMOUNT
    if _WHOLE.search(text):
        return Nature.PRESENCE if _is_a_topic(text) else Nature.WHOLE
    return Nature.PRESENCE if _PRESENCE.search(text) else Nature.OTHER


def allowed_for(criterion: str) -> frozenset[Ground]:
    """Returns the kinds of evidence that a pass of the criterion may rest on."""
    return ALLOWED[nature_of(criterion)]


_PICTURES = re.compile(
    r"\b(?:picture|image|photo(?:graph)?|chart|plot|graph|diagram|drawing|illustration|screenshot|logo|axis|axe|legend"
    r"|bar|pie|colou?r|pixel)s?\b|图|照片|颜色|坐标轴|图例"
)


def is_about_pictures(criterion: str) -> bool:
    """Tells whether a criterion is about what a picture shows, as far as its words tell."""
    return _PICTURES.search(_in_words(criterion)) is not None


def is_across(criterion: str) -> bool:
    """Tells whether only the whole text can show it: counts, order, consistency, beginnings and ends."""
    return nature_of(criterion) is Nature.AMOUNT or bool(_ACROSS.search(_in_words(criterion)))


def is_in_one_place(criterion: str) -> bool:
    """Tells whether it is satisfied as soon as one part of a text satisfies it."""
    if nature_of(criterion) is not Nature.PRESENCE or is_across(criterion):
        return False
    return not _EVERYWHERE.search(_in_words(criterion))


def _in_words(criterion: str) -> str:
    """Returns the criterion in folded words, without its quotations and its subject: these do not tell its nature."""
    text = folded(_QUOTED.sub(" x ", criterion)).strip(" .。")
    return re.sub(
        r"^(?:the|this) (?:text|output|answer|candidate|report|document|essay|article|summary|response) ", "", text
    )


#: It asks first, and a later negation belongs to what it asks for: "explains why there is no life on Venus".
_ASKS_FIRST = re.compile(
    r"^(?:it |must |should |shall |clearly |also |to )*(?:contain|include|mention|name|state|explain|describe|list"
    r"|give|cite"
    r"|define|show|provide|identif|present|discuss|cover|address|quote|refer|introduce|compare|offer|specif|say|report"
    r"|summari[sz]e|tell|recommend|propose|outline|answer|note|point|warn|illustrate|conclude|mark|have|has)(?:s|es"
    r"|y|ies|e)?"
    r" (?!no\b|neither\b|none\b|nothing\b|not\b|without\b)"
    r"|^(?:应|要|须|必须|需|请|明确|清楚)*(?:包含|包括|提到|提及|说明|解释|列出|给出|描述|介绍|指出|阐述|回答|讨论"
    r"|写明)(?!任何)"
)
_CLAUSES = re.compile(r"[,;，；。]|\band\b|\bbut\b|并且?|而且|同时|但")


def _asks_besides(text: str) -> bool:
    """Tells whether one part of a criterion forbids and another asks for something to be there."""
    clauses = [clause.strip() for clause in _CLAUSES.split(text) if clause.strip()]
    forbidding = [bool(_FORBIDS.search(clause)) for clause in clauses]
    asking = [bool(_PRESENCE.search(clause)) for clause in clauses]
    return any(asks and not forbids for asks, forbids in zip(asking, forbidding, strict=True))


_TOPIC = re.compile(
    r"^(?:contains?|includes?|mentions?|names?|states?|explains?|describes?|lists?|gives?|cites?|defines?|provides?"
    r"|discuss(?:es)?|compares?|recommends?)\b|^(?:应|要|须|必须|需)?(?:包含|包括|提到|说明|解释|列出|给出|描述|介绍)"
)


def _is_a_topic(text: str) -> bool:
    """Tells whether a word such as "style" is what the text is to speak of: "explains the architectural style"."""
    return _TOPIC.search(text) is not None

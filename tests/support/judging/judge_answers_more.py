"""More evidence of judges, written when the rules stood, and looked at once before any rule was changed for it.

Criterion, candidate, evidence, maybe a reason, and whether a person takes the pass.
"""

from __future__ import annotations

import json
from typing import Any

RIGHT, WRONG = True, False

RECIPE = """\
# Lentil soup (4 servings)

You need 250 g of red lentils, 1 onion, 2 carrots, 1 l of stock and a spoon of cumin.

1. Chop the onion and the carrots.
2. Fry them for five minutes.
3. Add lentils, stock and cumin; simmer for 20 minutes.

**Tip:** a squeeze of lemon lifts the taste. Keeps for three days in the fridge.
"""
PRESS = """\
ZÜRICH, 12 March 2026 – Alpen Rail AG will run night trains to Kraków from December. "We have wanted this line \
for years," said CEO Mara Vogt. Tickets start at CHF 59; children under six travel free.

The trains have 8 coaches, among them one for bicycles. They do not stop in Linz. More at https://alpenrail.example/night.
"""
CODE = '''\
def mean(values: list[float]) -> float:
    """Returns the arithmetic mean. Raises ValueError for an empty list."""
    if not values:
        raise ValueError("expected at least one value")
    return sum(values) / len(values)
'''
CONFIG = json.dumps(
    {"service": {"port": 8080, "tls": False, "hosts": ["a.example", "b.example"]}, "owner": "ops team"}, indent=2
)
GERMAN = """\
Liebe Mitglieder,

die Versammlung findet am 4. Juni um 19 Uhr im Vereinsheim statt. Auf der Tagesordnung stehen der Kassenbericht und \
die Wahl des Vorstands. Bitte meldet euch bis zum 28. Mai an.

Euer Vorstand
"""
REVIEW = """\
这款耳机的音质清晰，低音有力，佩戴也很舒适。电池可以连续使用三十小时，充电十分钟能听三小时。缺点是没有防水功能，而且\
收纳盒偏大。总的来说，价格合理，值得推荐给经常出差的人。
"""


def kind(name: str, *quotes: str, subject: str = "", count: int = 0) -> dict[str, Any]:
    return {"kind": name, "quotes": list(quotes), "subject": subject, "count": count}


MORE: tuple[tuple[Any, ...], ...] = (
    ("Lists all ingredients with amounts.", RECIPE, "250 g of red lentils, 1 onion, 2 carrots", RIGHT),
    ("Lists all ingredients with amounts.", RECIPE, kind("quotes", "1 l of stock and a spoon of cumin"), RIGHT),
    ("Says how long the soup keeps.", RECIPE, "Keeps for three days in the fridge.", RIGHT),
    ("Says how long the soup keeps.", RECIPE, '"three days in the fridge"', RIGHT),
    ("Gives numbered steps.", RECIPE, "1. Chop the onion and the carrots. 2. Fry them for five minutes.", RIGHT),
    ("Gives numbered steps.", RECIPE, kind("quotes", "1. Chop the onion", "2. Fry them", "3. Add lentils"), RIGHT),
    ("Has a tip for serving.", RECIPE, "Tip: a squeeze of lemon lifts the taste", RIGHT),
    ("States the number of servings.", RECIPE, "Lentil soup (4 servings)", RIGHT),
    ("States the number of servings.", RECIPE, "4 servings in the title “Lentil soup (4 servings)”", RIGHT),
    ("Is vegetarian, with no meat or fish.", RECIPE, "No meat or fish among the ingredients", RIGHT),
    ("Contains no meat.", RECIPE, kind("absence", subject="meat"), RIGHT),
    ("Has exactly three steps.", RECIPE, "3 steps: “Chop the onion”, “Fry them”, “Add lentils”", RIGHT),
    ("Has exactly three steps.", RECIPE,
     kind("count", "Fry them for five minutes.", subject="steps", count=3), RIGHT),
    ("The instructions are easy to understand.", RECIPE, kind("quotes", "Fry them for five minutes."), RIGHT),
    ("Quotes a person by name.", PRESS, "“We have wanted this line for years,” said CEO Mara Vogt", RIGHT),
    ("Quotes a person by name.", PRESS, "said CEO Mara Vogt", RIGHT),
    ("Names the lowest price.", PRESS, "Tickets start at CHF 59", RIGHT),
    ("Names the lowest price.", PRESS, "Tickets start at CHF 59; children under six travel free", RIGHT),
    ("Names the city of departure.", PRESS, "ZÜRICH, 12 March 2026", RIGHT),
    ("Says where to find more information.", PRESS, "https://alpenrail.example/night", RIGHT),
    ("Says where to find more information.", PRESS, "More at https://alpenrail.example/night.", RIGHT),
    ("Names the destination Kraków.", PRESS, "night trains to Kraków from December", RIGHT),
    ("Names the destination Kraków.", PRESS, "night trains to Krako\u0301w", RIGHT),
    ("Must not promise a stop in Linz.", PRESS, "They do not stop in Linz", RIGHT),
    ("Does not mention competitors.", PRESS, "Competitors are not mentioned.", RIGHT),
    ("Does not mention competitors.", PRESS, kind("absence", subject="competitors"), RIGHT),
    ("Does not mention competitors.", PRESS, "I found no competitor named in the text.", RIGHT),
    ("Reads like a press release.", PRESS, "ZÜRICH, 12 March 2026 – Alpen Rail AG will run night trains", RIGHT),
    ("Is written in a neutral tone.", PRESS, "Neutral throughout.", RIGHT),
    ("Documents what it raises.", CODE, "Raises ValueError for an empty list.", RIGHT),
    ("Documents what it raises.", CODE,
     '"""Returns the arithmetic mean. Raises ValueError for an empty list."""', RIGHT),
    ("Handles the empty list.", CODE, "if not values:\n        raise ValueError", RIGHT),
    ("Handles the empty list.", CODE, "if not values: raise ValueError(...)", RIGHT),
    ("Has type hints.", CODE, "def mean(values: list[float]) -> float:", RIGHT),
    ("Has type hints.", CODE, "`values: list[float]` and `-> float`", RIGHT),
    ("Uses no external libraries.", CODE, "No imports", RIGHT),
    ("Does not print anything.", CODE, "There is no call to print().", RIGHT),
    ("Does not print anything.", CODE, kind("absence", subject="print"), RIGHT),
    ("Sets the port.", CONFIG, '"port": 8080', RIGHT),
    ("Sets the port.", CONFIG, "port: 8080", RIGHT),
    ("Names who is responsible.", CONFIG, "owner: ops team", RIGHT),
    ("Names who is responsible.", CONFIG, kind("quotes", "ops team"), RIGHT),
    ("Lists at least two hosts.", CONFIG, kind("count", "a.example", "b.example", subject="hosts", count=2), RIGHT),
    ("Lists at least two hosts.", CONFIG, "2 hosts: 'a.example', 'b.example'", RIGHT),
    ("Holds no passwords.", CONFIG, "No password or secret found.", RIGHT),
    ("Names date, time and place of the meeting.", GERMAN, "am 4. Juni um 19 Uhr im Vereinsheim", RIGHT),
    ("Names the deadline for registering.", GERMAN, "„Bitte meldet euch bis zum 28. Mai an.“", RIGHT),
    ("Names the items on the agenda.", GERMAN, "Kassenbericht und die Wahl des Vorstands", RIGHT),
    ("Is written in German.", GERMAN, kind("whole"), RIGHT),
    ("Does not address members formally.", GERMAN, "Liebe Mitglieder", RIGHT),
    ("指出至少一个缺点", REVIEW, "缺点是没有防水功能", RIGHT),
    ("指出至少一个缺点", REVIEW, kind("quotes", "缺点是没有防水功能，而且收纳盒偏大"), RIGHT),
    ("说明电池续航时间", REVIEW, "电池可以连续使用三十小时", RIGHT),
    ("说明电池续航时间", REVIEW, "原文：“连续使用三十小时”", RIGHT),
    ("给出购买建议", REVIEW, "值得推荐给经常出差的人", RIGHT),
    ("不涉及其他品牌", REVIEW, "未涉及任何其他品牌", RIGHT),
    ("不得使用夸张的词语", REVIEW, "", RIGHT),
    ("语言简洁", REVIEW, "整体语言简洁", RIGHT),
    # wrong
    ("Gives the calories.", RECIPE, "about 320 kcal a serving", WRONG),
    ("Gives the calories.", RECIPE, "4 servings", WRONG),
    ("Says how hot the stove is.", RECIPE, "simmer for 20 minutes on low heat", WRONG),
    ("Contains no onions.", RECIPE, kind("absence", subject="onion"), WRONG),
    ("Contains no onions.", RECIPE, "No mention of onion", WRONG),
    ("Has at least five steps.", RECIPE,
     kind("count", "Fry them for five minutes.", subject="steps", count=3), WRONG),
    ("Has at least five steps.", RECIPE, "5 steps", WRONG),
    ("Names the driver.", PRESS, "driver Jan Kowalski said", WRONG),
    ("Names the driver.", PRESS, kind("quotes", "Mara Vogt, the driver of the train"), WRONG),
    ("Names the driver.", PRESS, "The text as a whole makes it clear.", WRONG),
    ("Names the driver.", PRESS, kind("quotes", "said CEO Mara Vogt"), "There is no driver in the text.", WRONG),
    ("Must not name prices.", PRESS, kind("absence", subject="CHF"), WRONG),
    ("Must not name prices.", PRESS, "There is no mention of CHF 59.", WRONG),
    ("States the journey time.", PRESS, "takes eleven hours", WRONG),
    ("States the journey time.", PRESS, "8", WRONG),
    ("Logs its errors.", CODE, "logging.error(error)", WRONG),
    ("Returns a tuple.", CODE, "-> tuple[float, int]", WRONG),
    ("Uses TLS.", CONFIG, '"tls": true', WRONG),
    ("Uses TLS.", CONFIG, "tls: true", WRONG),
    ("Sets a timeout.", CONFIG, "timeout: 30", WRONG),
    ("Sets a timeout.", CONFIG, kind("whole"), WRONG),
    ("Names the chairman.", GERMAN, "Vorsitzender Karl Busch", WRONG),
    ("Names the chairman.", GERMAN, "Vorstand", WRONG),
    ("Names the chairman.", GERMAN, kind("quotes", "Euer Vorstand"), "It fails to name the chairman.", WRONG),
    ("说明价格", REVIEW, "售价为399元", WRONG),
    ("说明价格", REVIEW, "价格", WRONG),
    ("说明价格", REVIEW, kind("quotes", "价格合理"), "没有给出具体价格。", WRONG),
    ("不得提到缺点", REVIEW, "未提到缺点", WRONG),
    ("不得提到缺点", REVIEW, kind("absence", subject="缺点"), WRONG),
    ("说明电池续航时间", REVIEW, "电池可以连续使用四十小时", WRONG),
)  # fmt: skip

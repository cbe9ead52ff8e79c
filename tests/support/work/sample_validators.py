"""An app that only judges."""

from __future__ import annotations

from signoff.app import App

app = App()


@app.validator
def short(text: str) -> bool:
    return len(text) < 80

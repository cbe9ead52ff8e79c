"""The check of a file's media type, by its bytes: a PNG that is named table.csv is image/png."""

from __future__ import annotations

from signoff.manifest.media_types import is_text_type
from signoff.v1 import plan_pb2
from worker_svc.validate.checking.files import signatures, texts
from worker_svc.validate.checking.files.hostile import hostile
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.reading import CheckFailed

_ANY = "/*"
# A text may begin with "BM" and be no picture: only these signatures count in one.
_SIGNED_TEXTS = frozenset({"application/pdf", "application/postscript", "application/rtf", "text/rtf"})
_TOLD = ("application/json", "image/svg+xml", "application/xml", "text/html", "text/tab-separated-values", "text/csv")


def check_media_type(check: plan_pb2.Check, file: LookedAt) -> None:
    wanted = list(check.media_type.types)
    with hostile(f"{' or '.join(wanted)}"):
        told = _Told(file)
        problems = [problem for media_type in wanted if (problem := told.problem_with(media_type)) is not None]
        if len(problems) == len(wanted):
            why = f" ({problems[0]})" if len(wanted) == 1 and problems[0] else ""
            raise CheckFailed(f"expected {' or '.join(wanted)}, but by its bytes it is {told.in_words()}{why}")


class _Told:
    """The types that the bytes of a file tell."""

    def __init__(self, file: LookedAt) -> None:
        self._file = file
        self._is_text = file.size > 0 and texts.is_text(file)
        signed = signatures.types_of(file) if file.size else ()
        self._signed = tuple(kind for kind in signed if not self._is_text or kind in _SIGNED_TEXTS)

    def problem_with(self, media_type: str) -> str | None:
        """Returns why the file is not of a type, in words or empty; None: it is."""
        wanted = signatures.one_name(media_type)
        if wanted.endswith(_ANY):
            return None if self._is_any(wanted.removesuffix("*")) else ""
        if wanted in self._signed:
            return None
        if not self._is_text or not is_text_type(wanted):
            return ""
        read = texts.reader_of(wanted)
        try:
            if read is not None:
                read(self._file)
        except CheckFailed as failed:
            return str(failed)
        return None

    def _is_any(self, kind: str) -> bool:
        if kind == "text/":
            return self._is_text
        of_text = [told for told in _TOLD if told.startswith(kind)] if self._is_text else []
        return any(found.startswith(kind) for found in self._signed) or any(
            self.problem_with(told) is None for told in of_text
        )

    def in_words(self) -> str:
        if not self._file.size:
            return "empty"
        if self._signed:
            return self._signed[0]
        if self._is_text:
            return next((told for told in _TOLD[:4] if self.problem_with(told) is None), "text")
        return "of no kind that is known"

"""The check of a picture: it can be read whole, has the size that is asked for, and is not of one colour alone.

Its pixels are counted by its head before any is decoded: a file of a few kilobytes may claim to be gigabytes large.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from signoff.plan.limits import MAX_IMAGE_PIXELS
from signoff.v1 import plan_pb2
from worker_svc.validate.checking.files.hostile import hostile
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.reading import CheckFailed

if TYPE_CHECKING:
    from PIL.Image import Image

# Decoders that run in this process alone: that of PostScript starts a program, and many others are rarely looked at.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "PPM")
MOST_FRAMES_PIXELS = 5 * MAX_IMAGE_PIXELS  # of all pictures in a file that moves, or has pages
_STRIP_PIXELS = 1_000_000  # that are looked at together
_WHOLE = "a picture that can be read whole"


def check_image(check: plan_pb2.Check, file: LookedAt) -> None:
    wanted = check.image
    with hostile(_WHOLE):
        _verify(file)
        with _opened(file) as picture:
            _check_size(wanted, *picture.size)
            is_blank = _read_all(picture, may_be_blank=wanted.may_be_blank)
    # guard: a picture of one colour is blank -> if False:
    if is_blank:
        raise CheckFailed("expected a picture, but it is blank: all of it has one colour")


@contextmanager
def _opened(file: LookedAt) -> Iterator[Image]:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings(), file.open() as opened:
        warnings.simplefilter("ignore")
        try:
            picture = Image.open(opened, formats=FORMATS)
        except UnidentifiedImageError as error:
            kinds = ", ".join(FORMATS[:-1])
            raise CheckFailed(f"expected {_WHOLE}, but by its bytes it is none of {kinds} and {FORMATS[-1]}") from error
        except Image.DecompressionBombError as error:
            raise CheckFailed(_too_large("it claims to have more")) from error
        with picture:
            yield picture


def _verify(file: LookedAt) -> None:
    """Checks the file without decoding it, where its format has sums for that."""
    with _opened(file) as picture:
        _check_pixels(*picture.size)
        picture.verify()


def _check_pixels(width: int, height: int) -> None:
    # guard: a picture is measured before it is decoded -> if False:
    if width * height > MAX_IMAGE_PIXELS:
        raise CheckFailed(_too_large(f"it claims to have {width:,} × {height:,}"))


def _too_large(claim: str) -> str:
    return f"expected a picture of at most {MAX_IMAGE_PIXELS:,} pixels, but {claim}"


def _check_size(wanted: plan_pb2.ImageCheck, width: int, height: int) -> None:
    sides = (
        ("width", width, wanted.min_width, wanted.max_width if wanted.HasField("max_width") else None),
        ("height", height, wanted.min_height, wanted.max_height if wanted.HasField("max_height") else None),
    )
    got = f"it is {width:,} × {height:,} pixels"
    for name, side, least, most in sides:
        if side < least:
            raise CheckFailed(f"expected a {name} of at least {least:,} pixels, but {got}")
        if most is not None and side > most:
            raise CheckFailed(f"expected a {name} of at most {most:,} pixels, but {got}")


def _read_all(picture: Image, *, may_be_blank: bool) -> bool:
    """Decodes all frames or pages of a picture. Tells whether all of them together have one colour alone."""
    seen = _Colours()
    pixels = 0
    for frame in count():
        try:
            picture.seek(frame)
        except EOFError:
            break
        _check_pixels(*picture.size)
        pixels += picture.width * picture.height
        if pixels > MOST_FRAMES_PIXELS:
            raise CheckFailed(f"expected at most {MOST_FRAMES_PIXELS:,} pixels in all of its frames, but it has more")
        picture.load()
        if not may_be_blank and seen.is_one:
            seen.look_at(picture)
    return not may_be_blank and seen.is_one


class _Colours:
    """Knows whether more than one colour was seen. What is transparent has none."""

    def __init__(self) -> None:
        self.is_one = True
        self._first: tuple[tuple[float, float], ...] | None = None

    def look_at(self, picture: Image) -> None:
        height = max(1, _STRIP_PIXELS // max(1, picture.width))
        for top in range(0, picture.height, height):
            strip = picture.crop((0, top, picture.width, min(top + height, picture.height)))
            extrema = _extrema(strip)
            self._first = self._first or extrema
            if extrema != self._first or any(low != high for low, high in extrema):
                self.is_one = False
                return


def _extrema(strip: Image) -> tuple[tuple[float, float], ...]:
    """Returns the least and the largest value of each band, with colours counted as far as they can be seen."""
    if strip.mode in ("P", "PA", "LA", "La", "RGBA") or "transparency" in strip.info:
        strip = strip.convert("RGBA").convert("RGBa")
    found = strip.getextrema()
    return found if isinstance(found[0], tuple) else (found,)

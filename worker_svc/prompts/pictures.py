"""The pictures of a candidate that a judge is shown: some of them, and none that is too large for an endpoint."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from itertools import islice

from PIL import Image

from signoff.manifest.media_types import is_picture_type
from worker_svc.llm.port import Picture
from worker_svc.prompts.pieces import FilePiece

MOST_PICTURES = 8
MOST_BYTES = 5 * 1024 * 1024  # of a picture; a larger one is scaled down
MOST_PIXELS = 50_000_000  # of a picture that is scaled down: it has 200 MB in memory then
SCALED_SIDE = 1_568  # pixels: endpoints scale larger ones down themselves

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


def pictures_of(files: Iterable[FilePiece]) -> tuple[Picture, ...]:
    """Returns the first pictures that can be shown. Blocks: call it in a thread."""
    shown = (_picture(file) for file in files if is_picture_type(file.media_type))
    return tuple(islice((picture for picture in shown if picture is not None), MOST_PICTURES))


def _picture(file: FilePiece) -> Picture | None:
    """Returns a picture as it can be shown; None: it cannot."""
    if len(file.content) > 20 * MOST_BYTES:
        return None
    content = file.content[:]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(_TYPES)) as picture:
                media_type, width, height = _TYPES[str(picture.format)], picture.width, picture.height
                if len(content) > MOST_BYTES:
                    if width * height > MOST_PIXELS:
                        return None
                    media_type, content = "image/png", _scaled(picture)
    except Exception:  # noqa: BLE001 - a file that claims to be a picture may break its reader in any way
        return None
    return Picture(
        path=file.path, media_type=media_type, content=content, digest=file.digest, width=width, height=height
    )


def _scaled(picture: Image.Image) -> bytes:
    picture.thumbnail((SCALED_SIDE, SCALED_SIDE))
    made = io.BytesIO()
    picture.convert("RGBA").save(made, "PNG")
    return made.getvalue()

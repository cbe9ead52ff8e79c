"""The check of a number in JSON."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import islice

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.form import keys_of, values_at
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, json_of, type_in_words


def check_number(check: plan_pb2.Check, content: bytes) -> None:
    wanted, value = check.number, json_of(content)
    where = f" at {wanted.path}" if wanted.path else ""
    if math.isnan(wanted.min) or math.isnan(wanted.max):
        raise CheckBroken("a bound is no number")
    found = [value] if not wanted.path else list(islice(values_at(value, wanted.path), 1))
    if not found:
        raise CheckFailed(f"expected a number{where}, but there is none; {keys_of(value)}")
    number = found[0]
    if not isinstance(number, int | Decimal) or isinstance(number, bool):
        raise CheckFailed(f"expected a number{where}, but got {type_in_words(number)}")
    if wanted.HasField("min") and number < _bound(wanted.min):
        raise CheckFailed(f"expected at least {wanted.min:.15g}{where}, but got {_shown(number)}")
    if wanted.HasField("max") and number > _bound(wanted.max):
        raise CheckFailed(f"expected at most {wanted.max:.15g}{where}, but got {_shown(number)}")


def _bound(bound: float) -> Decimal:
    """Returns a bound as it was written: 19.99 is not more than 19.99, although the float for it is a little less."""
    # guard: a bound is as it was written -> return Decimal(bound)
    return Decimal(repr(bound))


def _shown(number: int | Decimal) -> str:
    digits = str(number)
    return digits if len(digits) <= 40 else f"{digits[:40]}…"

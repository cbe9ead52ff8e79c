"""The score interval of Wilson: how sure a share is that was counted in a few cases."""

from __future__ import annotations

from math import sqrt

MANY = 2**53  # cases, from where on the interval is the share itself
Z = 1.959963984540054  # the normal distribution's quantile of 97.5 %: the interval holds in 95 % of all samples


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Returns the least and the largest true share that are likely when `part` of `whole` cases were counted, at 95 %.

    Without any cases every share is likely: (0, 1). Raises ValueError when `part` is not from 0 to `whole`.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927).
    """
    if not 0 <= part <= whole:
        raise ValueError(f"expected a part from 0 to {whole}, but got {part}")
    if not whole:
        return 0.0, 1.0
    share, added = part / whole, Z * Z / whole if whole < MANY else 0.0
    middle = share + added / 2
    # guard: shares have their interval -> spread = sqrt(added * (share * (1 - share)))
    spread = sqrt(added * (share * (1 - share) + added / 4))
    low = 0.0 if part == 0 else (middle - spread) / (1 + added)  # exact at both ends, where rounding leaves a trace
    high = 1.0 if part == whole else (middle + spread) / (1 + added)
    return low, high

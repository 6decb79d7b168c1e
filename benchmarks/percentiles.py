"""Percentiles of all values, none of them rounded or sampled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a number of things took, in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> "Latency | None":
        """Sum them up; None where there is nothing."""
        if not values_ms:
            return None
        ordered = sorted(values_ms)
        p50, p99, p999 = (nearest_rank(ordered, share) for share in (0.5, 0.99, 0.999))
        return cls(len(ordered), p50, p99, p999, ordered[-1])


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """Give the smallest of the sorted values that at least `share` of them do not exceed (0 < share <= 1)."""
    rank = math.ceil(round(share * len(ordered), 9))  # 0.999 * 1000 is a little more than 999
    return ordered[max(rank, 1) - 1]

"""Means over seeds and how sure they are."""
import math
import statistics


def interval(values, confidence=0.95):
    """Half the width of the interval of the mean (Student's t), in the unit of the values; None for
    fewer than two."""
    n = len(values)
    if n < 2:
        return None
    return t_quantile((1 + confidence) / 2, n - 1) * statistics.stdev(values) / math.sqrt(n)


def t_quantile(p, degrees):
    """The p-quantile, 0.5 <= p < 1, of Student's t distribution."""
    low, high = 0.0, 1.0
    while _t_probability(high, degrees) < p:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_probability(middle, degrees) < p else (low, middle)
    return (low + high) / 2


def _t_probability(t, degrees):
    """P(T <= t) for t >= 0: with t = sqrt(degrees) tan(a) the density is a power of cos(a), whose
    integral goes down two degrees at a time (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, term, total = math.cos(angle), 1.0, 0.0
    for k in range(degrees % 2, degrees - 1, 2):
        total += term
        term *= cosine**2 * (k + 1) / (k + 2)
    if degrees % 2:
        return 0.5 + (angle + math.sin(angle) * cosine * total) / math.pi
    return 0.5 + math.sin(angle) * total / 2

"""The texts of rates, times, losses and CPU shares, and of values that differ by host."""
import os
import re

from errors import UsageError

LOWEST_RATE, HIGHEST_RATE = 8e3, 100e9  # bits per second
LONGEST_DELAY = 10.0  # seconds
SMALLEST_SHARE = 0.001  # cores: the kernel's shortest quota in its longest period


def parse_rate(text, what="rate"):
    """'100mbit' or '100 Mbit/s' -> bits per second; 'max' -> None, a link that is not shaped."""
    if text.strip().lower() == "max":
        return None
    value = _number(text, {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}, r"bit(?:/s)?")
    if value is None:
        raise UsageError(f"{what} {text!r}: not a rate, as in 100mbit, 1.5gbit or max")
    if not LOWEST_RATE <= value <= HIGHEST_RATE:
        raise UsageError(f"{what} {text!r}: must be from 8kbit to 100gbit")
    return value


def parse_delay(text, what="delay"):
    """'20ms' -> seconds."""
    value = _number(text, {"u": 1e-6, "m": 1e-3, "": 1.0}, "s")
    if value is None:
        raise UsageError(f"{what} {text!r}: not a time, as in 500us, 20ms or 0.1s")
    if value > LONGEST_DELAY:
        raise UsageError(f"{what} {text!r}: must be from 0s to 10s")
    return value


def parse_loss(text, what="loss"):
    """'0.1%' -> 0.001."""
    value = _number(text, {"": 0.01}, "%")
    if value is None or not value < 1:
        raise UsageError(f"{what} {text!r}: not a share of the packets below 100%, as in 0.1%")
    return value


def parse_share(text, what="cpu"):
    """'0.25' -> cores; 'max' -> None, a host that is not limited."""
    if text.strip().lower() == "max":
        return None
    value, cores = _number(text, {"": 1.0}, ""), os.cpu_count()
    if value is None or not SMALLEST_SHARE <= value <= cores:
        raise UsageError(
            f"{what} {text!r}: not a share of this machine's {cores} cores, as in 0.25 or max"
        )
    return value


def parse_host(text, hosts):
    """'2' or 'h2' -> 2, below `hosts`."""
    if not re.fullmatch(r"h?[0-9]{1,4}", text) or int(text.lstrip("h")) >= hosts:
        raise UsageError(f"host {text!r}: there is no such host; they are 0 to {hosts - 1}")
    return int(text.lstrip("h"))


def parse_per_host(texts, hosts, parse, what):
    """['100mbit', '2=10mbit'], or '100mbit,2=10mbit' -> a value for each host; None: unlimited."""
    values = [None] * hosts
    entries = [entry for text in texts or [] for entry in text.split(",")]
    for entry in sorted(entries, key=lambda entry: "=" in entry):  # those of one host come last
        host, equals, value = entry.rpartition("=")
        chosen = [parse_host(host, hosts)] if equals else range(hosts)
        for i in chosen:
            values[i] = parse(value, what)
    return values


def print_rate(bits_per_second):
    """The text that parse_rate reads."""
    if bits_per_second is None:
        return "max"
    for letter, size in (("g", 1e9), ("m", 1e6), ("k", 1e3)):
        if bits_per_second >= size:
            return f"{bits_per_second / size:g}{letter}bit"
    return f"{bits_per_second:g}bit"


def _number(text, prefixes, unit):
    """A decimal number with one of the prefixes and the unit, else None."""
    letters = "|".join(sorted(prefixes, reverse=True))
    pattern = rf"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*({letters}){unit}"
    found = re.fullmatch(pattern, text.strip().lower())
    return float(found[1]) * prefixes[found[2]] if found else None

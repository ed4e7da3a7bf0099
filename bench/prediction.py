#!/usr/bin/env python3
"""The simulator against a pretend network: seconds a step of methods and models, measured on the
hosts of tools/netlab, and predicted by `entrain train` on its virtual clock from the link's rate,
its delay, and the time of a step without communication.

The step is measured on all hosts at once, by a strategy whose first round never comes. A run counts
from the end of its first period, measured as predicted: the first exchange makes connections. The
simulator is told 95.6 % of the link's rate, which is what the headers of Ethernet and TCP leave,
and that means are made by direct exchange. Needs what tools/netlab needs (root), a built entrain.

examples:
  sudo bench/prediction.py
  sudo bench/prediction.py --networks 100mbit/0ms --models cnn --methods synchronous,overlap
"""
import argparse
import json
import os
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True  # run as root, it would leave files that the user cannot remove

from methods import Method, methods_named  # noqa: E402
from on_lab import ENTRAIN, PAYLOAD, BenchError, Lab, Run, finished  # noqa: E402

METHODS = (
    "synchronous,local_1,local_4,local,local_16,overlap,overlap_16,overlap_int8,overlap_int8_16,"
    "gossip_pga,gossip_pga_ring"
)
MODELS = {  # text, bytes of a row
    "cnn": ("cnn", 4 * 206_922),
    "mlp0.3m": ("mlp(hidden=[320, 128])", 4 * 293_578),
    "mlp11m": ("mlp(hidden=[2560, 2560, 960])", 4 * 11_034_250),
}
NETWORKS = "100mbit/0ms,100mbit/5ms,1gbit/0ms,1gbit/5ms"
SILENT = Method("silent", "local_sgd(1000000)")
HOSTS, WITHIN, MOST_STEPS, LIMIT = 4, 0.15, 400, 600


def main():
    arguments = _arguments()
    try:
        rows = [row for network in arguments.networks for row in _on_network(arguments, *network)]
    except BenchError as error:
        sys.exit(f"prediction: {error}")
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--networks", default=NETWORKS, help=f"rate/delay (default: {NETWORKS})")
    add("--models", default=",".join(MODELS), help=f"default: {','.join(MODELS)}")
    add("--methods", default=METHODS, help=f"names of bench/methods.py (default: {METHODS})")
    add("--seconds", type=float, default=4, help="of a run, roughly (default: 4)")
    add("--repeats", type=int, default=3, help="of which the medians count (default: 3)")
    add("--cores", default="0,1", help="of the hosts, in turn (default: 0,1)")
    add("--name", default="prediction", help="of the lab (default: prediction)")
    add("--json", action="store_true", help="print figures, not the table")
    arguments = parser.parse_args()
    try:
        arguments.methods = methods_named(arguments.methods)
        arguments.networks = [_network(text) for text in arguments.networks.split(",")]
        arguments.models = arguments.models.split(",")
        for model in arguments.models:
            if model not in MODELS:
                raise ValueError(f"{model!r}: no such model; there are {', '.join(MODELS)}")
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _network(text):
    rate, slash, delay = text.partition("/")
    if not slash:
        raise ValueError(f"{text!r}: a network is rate/delay, as in 100mbit/5ms")
    return rate, delay, bits_per_second(rate)


def bits_per_second(rate):
    """'100mbit' -> 1e8."""
    for unit, size in (("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)):
        if rate.endswith(unit):
            return float(rate[: -len(unit)]) * size
    raise ValueError(f"{rate!r}: not a rate, as in 100mbit or 1gbit")


def _on_network(arguments, rate, delay, bits):
    with Lab(arguments.name, HOSTS, rate, delay, arguments.cores) as lab:
        for model in arguments.models:
            yield from _of_model(arguments, lab, model, (rate, delay, bits))


def _of_model(arguments, lab, model, network):
    text, row_bytes = MODELS[model]
    payload = network[2] * PAYLOAD
    once = _measured(lab, text, SILENT, 16)
    steps = {SILENT: steps_for(arguments.seconds / once, 1)}
    for method in arguments.methods:
        exchange = 1.5 * 8 * row_bytes / payload
        period = method.period * once + exchange * (method.period if _gossips(method) else 1)
        steps[method] = steps_for(arguments.seconds / period * method.period, method.period)
    seconds = {method: [] for method in steps}
    for _ in range(arguments.repeats):
        for method, count in steps.items():
            seconds[method].append(_measured(lab, text, method, count))
    step = statistics.median(seconds[SILENT])
    for method in arguments.methods:
        row = {
            "network": f"{network[0]}, {network[1]}",
            "model": model,
            "method": method.name,
            "steps": steps[method],
            "step_without_communication": step,
            "measured": statistics.median(seconds[method]),
            "all_measured": seconds[method],
            "predicted": _predicted(text, method, steps[method], step, network),
        }
        print(f"prediction: {line(row)}", file=sys.stderr, flush=True)
        yield row


def _gossips(method):
    return method.strategy.startswith("gossip")


def steps_for(steps, period):
    """Whole periods: the first, and two at least that count."""
    return max(3, min(MOST_STEPS // period, round(steps / period))) * period


def _settings(text, method, steps):
    return [
        f"model.name={text}",
        "data.name=glyphs",
        f"train.steps={steps}",
        "train.optimizer=sgd(0.01, 0.9)",
        f"strategy.preset={method.strategy}",
        "report.rounds=none",
        f"report.every={method.period}",
    ]


def _measured(lab, text, method, steps):
    """Seconds a step on the lab."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # under sudo the hosts run as the caller
        out = os.path.join(folder, "run")
        here = ["threads.intra=1", "threads.workers=1", f"evaluation.every={steps}"]
        lab.run([ENTRAIN, "train", *_settings(text, method, steps), *here, "--out", out], LIMIT)
        return pace([point for point in Run(out).steps if point[0] % method.period == 0])


def _predicted(text, method, steps, step, network):
    """Seconds a step on the virtual clock, from evaluations, but for the one at the end, which is
    after the last landing. It runs with batches of one sample, as what a step computes there does
    not say how long it takes."""
    _, delay, bits = network
    words = [
        f"workers={HOSTS}",
        "train.batch=1",
        f"network.bandwidth={bits * PAYLOAD / 1e6:.6f} Mbit/s",
        f"network.latency={spaced(delay)}",
        "network.collective=direct",
        f"network.compute=constant({step * 1e3:.6f} ms)",
        f"evaluation.every={method.period}",
        "report.trace=none",
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run")
        longer = steps + method.period
        finished([ENTRAIN, "train", *_settings(text, method, longer), *words, "--out", out])
        return pace(Run(out).simulated[:-1])


def pace(points):
    """Seconds a step between the first and the last of points (step, seconds)."""
    (first, begin), (last, end) = points[0], points[-1]
    return (end - begin) / (last - first)


def spaced(delay):
    """'5ms', as netlab has it -> '5 ms', as entrain has it."""
    number = delay.rstrip("mus")
    return f"{number} {delay[len(number):]}"


def line(row):
    ratio = row["predicted"] / row["measured"]
    within = "yes" if abs(ratio - 1) <= WITHIN else "no"
    figures = [row["step_without_communication"], row["measured"], row["predicted"]]
    times = " | ".join(f"{1e3 * seconds:.1f}" for seconds in figures)
    return f"{row['network']} | {row['model']} | {row['method']} | {times} | {ratio:.2f} | {within}"


def table(rows):
    """Markdown."""
    head = (
        "network | model | method | step without communication, ms | measured, ms | "
        "predicted, ms | predicted / measured | within 15 %"
    )
    rule = " | ".join(["---"] * 8)
    return "\n".join(f"| {text} |" for text in [head, rule, *map(line, rows)])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Time to accuracy over a slow link: MNIST and the model `cnn` on the hosts of a pretend network,
by several methods and by PyTorch's DDP, with the same seeds, steps and evaluations.

Needs what tools/netlab needs (root), a built entrain, and MNIST. PyTorch's twin is
bench/peers/mnist_ddp.py; methods and their learning rates are in bench/methods.py.

examples:
  sudo ENTRAIN_DATA__ROOT=data bench/accuracy.py                    # 5 seeds, 6 methods: 25 minutes
  sudo bench/accuracy.py --seeds 1 --methods ddp,overlap --steps 160
  bench/accuracy.py --tune                                         # no lab: one process
"""
import argparse
import dataclasses
import json
import os
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # run as root, it would leave files that the user cannot remove

from methods import methods_named  # noqa: E402
from on_lab import ENTRAIN, ROOT, BenchError, Lab, Run, finished  # noqa: E402
from spread import interval  # noqa: E402

METHODS = "ddp,synchronous,local,overlap,overlap_int8,gossip_pga"
TWIN = os.path.join(ROOT, "bench", "peers", "mnist_ddp.py")
RATES, TUNING_SEEDS = (0.07, 0.1, 0.14), (101, 102)
WARMUP = 120  # steps; with 40, synchronous training ended half a point apart
LIMIT = 600  # seconds for one run


def main():
    arguments = _arguments()
    try:
        (_tune if arguments.tune else _compare)(arguments)
    except BenchError as error:
        sys.exit(f"accuracy: {error}")


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--methods", default=METHODS, help=f"names of bench/methods.py (default: {METHODS})")
    add("--seeds", default="1,2,3,4,5", help="default: 1,2,3,4,5")
    add("--steps", type=int, default=600, help="of each worker (default: 600)")
    add("--every", type=int, default=40, help="steps between evaluations (default: 40)")
    add("--target", type=float, default=0.985, help="test accuracy (default: 0.985)")
    add("--hosts", type=int, default=4, help="one worker each (default: 4)")
    add("--rate", default="100mbit", help="of each link, each way (default: 100mbit)")
    add("--delay", default="0ms", help="between two hosts, one way (default: 0ms)")
    add("--cores", default="0,1", help="of the hosts, in turn (default: 0,1)")
    add("--data", default=os.environ.get("ENTRAIN_DATA__ROOT", "data"), help="has mnist/")
    add("--python", default="/usr/bin/python3", help="that has PyTorch (default: %(default)s)")
    add("--name", default="accuracy", help="of the lab (default: accuracy)")
    add("--json", action="store_true", help="print every run, not the table")
    add("--tune", action="store_true", help="each learning rate of a grid, on other seeds")
    arguments = parser.parse_args()
    try:
        arguments.methods = methods_named(arguments.methods)
        arguments.seeds = [int(seed) for seed in arguments.seeds.split(",")]
    except ValueError as error:
        parser.error(str(error))
    return arguments


def settings(arguments, method, seed):
    """Of entrain train, for everything but where the workers are."""
    return [
        "data.name=mnist",
        f"data.root={arguments.data}",
        "model.name=cnn",
        "train.batch=64",
        f"train.steps={arguments.steps}",
        f"train.optimizer=sgd({method.lr}, 0.9)",
        f"train.lr_schedule=warmup({WARMUP}, from=0.1) * cosine",
        f"strategy.preset={method.strategy}",
        f"seed={seed}",
    ]


def _compare(arguments):
    runs, began = {}, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # under sudo the hosts run as the caller
        with Lab(arguments.name, arguments.hosts, arguments.rate, arguments.delay,
                 arguments.cores) as lab:
            try:
                for number, seed in enumerate(arguments.seeds):
                    for method in rotated(arguments.methods, number):
                        out = os.path.join(folder, f"{method.name}-{seed}")
                        runs[method.name, seed] = _run(arguments, lab, method, seed, out)
            finally:
                _print(arguments, runs)
    print(f"accuracy: {time.monotonic() - began:.0f} s in all", file=sys.stderr)


def rotated(items, number):
    """Each begins once: what a run leaves the machine in is shared out."""
    at = number % len(items)
    return items[at:] + items[:at]


def _run(arguments, lab, method, seed, out):
    before = lab.bytes_sent()
    lab.run(_command(arguments, method, seed, out), LIMIT)
    run = figures(Run(out), arguments.target)
    run["link_bytes"] = lab.bytes_sent() - before
    print(f"accuracy: seed {seed}, {method.name}: {run}", file=sys.stderr, flush=True)
    return run


def _command(arguments, method, seed, out):
    every = str(arguments.every)
    if method.strategy:
        here = ["threads.intra=1", "threads.workers=1", f"evaluation.every={every}"]
        return [ENTRAIN, "train", *settings(arguments, method, seed), *here, "--out", out]
    options = {"data": arguments.data, "seed": seed, "steps": arguments.steps, "lr": method.lr}
    options.update({"warmup": WARMUP, "evaluate-every": every, "out": out})
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [arguments.python, TWIN, *words]


def figures(run, target):
    """What is compared of a run; times are of training alone."""
    reached = [seconds for _, seconds, accuracy in run.evaluations if accuracy >= target]
    return {
        "accuracy": run.summary["test_accuracy"],
        "seconds_to_target": reached[0] if reached else None,
        "seconds": run.summary["wall_seconds"],
        "bytes_sent_per_worker": run.summary["bytes_sent_per_worker"],
    }


def _print(arguments, runs):
    if arguments.json:
        lines = [{"method": name, "seed": seed, **run} for (name, seed), run in runs.items()]
        print(json.dumps(lines, indent=2))
    elif runs:
        print(table([method.name for method in arguments.methods], runs))


def table(names, runs):
    """Markdown. Accuracies are means with their 95 % interval, in points; times are medians with
    least and greatest; how many times faster than ddp is the median over the seeds of both."""
    lines = [
        "| method | final accuracy, % | less synchronous, points | seconds to target | times as "
        "fast as ddp | seconds in all | MB sent by a worker |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        own = {seed: run for (method, seed), run in runs.items() if method == name}
        if own:
            cells = _cells(own, _of(runs, "synchronous", own), _of(runs, "ddp", own))
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _of(runs, name, own):
    return {seed: runs[name, seed] for seed in own if (name, seed) in runs}


def _cells(own, synchronous, ddp):
    def points(values):
        half = interval(values)
        return f"{statistics.mean(values):.2f}" + ("" if half is None else f" ± {half:.2f}")

    def times(values, digits):
        low, high = min(values), max(values)
        return f"{statistics.median(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    reached = [r["seconds_to_target"] for r in own.values() if r["seconds_to_target"] is not None]
    to_target = times(reached, 1) if reached else "not reached"
    if 0 < len(reached) < len(own):
        to_target += f" in {len(reached)} of {len(own)}"
    faster = [
        ddp[seed]["seconds_to_target"] / run["seconds_to_target"]
        for seed, run in own.items()
        if run["seconds_to_target"] and seed in ddp and ddp[seed]["seconds_to_target"]
    ]
    less = [100 * (own[seed]["accuracy"] - run["accuracy"]) for seed, run in synchronous.items()]
    return [
        points([100 * run["accuracy"] for run in own.values()]),
        points(less) if less else "",
        to_target,
        times(faster, 2) if faster else "",
        times([run["seconds"] for run in own.values()], 1),
        f"{statistics.mean(run['bytes_sent_per_worker'] for run in own.values()) / 1e6:.1f}",
    ]


def _tune(arguments):
    """The same rates for all methods, on seeds that are not compared; the one with the best mean
    accuracy at the end is taken. ddp takes that of synchronous, which is the same method."""
    print("| method | " + " | ".join(f"lr {rate}" for rate in RATES) + " |")
    print("| --- |" + " --- |" * len(RATES))
    for method in arguments.methods:
        if method.strategy:
            means = [f"{100 * _tuned(arguments, method, rate):.2f}" for rate in RATES]
            print(f"| {method.name} | {' | '.join(means)} |", flush=True)


def _tuned(arguments, method, rate):
    accuracies = []
    for seed in TUNING_SEEDS:
        words = settings(arguments, dataclasses.replace(method, lr=rate), seed)
        words += [f"workers={arguments.hosts}", f"evaluation.every={arguments.steps}"]
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "run")
            finished([ENTRAIN, "train", *words, "--out", out])
            accuracies.append(Run(out).summary["test_accuracy"])
    return statistics.mean(accuracies)


if __name__ == "__main__":
    main()

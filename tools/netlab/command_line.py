"""The verbs of netlab and their arguments."""
import argparse
import os
import signal
import sys

import interrupts
from errors import Interrupted, LabError, UsageError
from everywhere import run_everywhere
from host import cannot_run, enter, environment, fill_in
from lab import Lab, Plan
from links import HOSTS_AT_MOST, address, plug, plugged, set_rate
from units import (
    parse_delay,
    parse_host,
    parse_loss,
    parse_per_host,
    parse_rate,
    parse_share,
    print_rate,
)

PLACEHOLDERS = """
In CMD, {host} {n} {ip} {ip0} {ips} become the host's number, the number of hosts, its address, that
of host 0, and all of them. The environment has what torchrun would set: RANK, WORLD_SIZE,
LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT.
"""
EXAMPLES = """
examples:
  netlab with --hosts 4 --rate 100mbit --delay 5ms -- ./entrain train examples/mnist.toml workers=4
  netlab up --hosts 4 --rate 100mbit --rate 2=10mbit --cpu 3=0.25
  netlab each -- hostname
  netlab exec 1 -- bash
  netlab unplug 2
  netlab down
"""


def main(words):
    """Runs netlab with the words of a command line. Returns the exit code."""
    words, command = _split_at_dashes(words)
    arguments = _parser().parse_args(words)
    arguments.command = command
    interrupts.catch()
    try:
        _expect_command(arguments)
        _expect_limit(arguments)
        _expect_root()
        return arguments.act(Lab(arguments.name), arguments) or 0
    except LabError as error:
        print(f"netlab: {error}", file=sys.stderr)
        return error.exit_code
    except Interrupted as interrupt:
        print(f"netlab: {signal.Signals(interrupt.signal_number).name}; ended", file=sys.stderr)
        return interrupt.exit_code


def _up(lab, arguments):
    lab.up(_plan(arguments))
    lab.release()
    print(f"lab {lab.name}: {_describe(lab.plan)}")


def _with(lab, arguments):
    try:
        lab.up(_plan(arguments))
        print(f"netlab: lab {lab.name}: {_describe(lab.plan)}", file=sys.stderr)
        return _each(lab, arguments)
    finally:
        if lab.claimed:
            lab.down()


def _down(lab, _arguments):
    if not lab.down():
        print(f"lab {lab.name} is not up")


def _status(lab, _arguments):
    plan = lab.expect()
    print(f"lab {lab.name}: {_describe(plan)}")
    for host in range(plan.hosts):
        group, share = lab.group(host), plan.shares[host]
        parts = [f"rate {print_rate(plan.rates[host])}", f"cpu {'max' if share is None else share}"]
        parts += ["paused"] * group.frozen() + ["unplugged"] * (not plugged(lab.name, host))
        parts.append(f"processes: {' '.join(map(str, sorted(group.processes()))) or 'none'}")
        print(f"h{host}  {address(host)}  {', '.join(parts)}")


def _exec(lab, arguments):
    host = parse_host(arguments.host, lab.expect().hosts)
    command, variables = fill_in(arguments.command, lab, host), environment(lab, host)
    enter(lab, host)
    try:
        os.execvpe(command[0], command, variables)
    except OSError as error:
        raise cannot_run(command, host, error) from error


def _each(lab, arguments):
    lab.expect()
    return run_everywhere(lab, arguments.command, arguments.limit, arguments.keep_going)


def _rate(lab, arguments):
    host = parse_host(arguments.host, lab.expect().hosts)
    lab.plan.rates[host] = parse_rate(arguments.rate)
    set_rate(lab.name, host, lab.plan.rates[host])
    lab.save()


def _cpu(lab, arguments):
    host = parse_host(arguments.host, lab.expect().hosts)
    lab.plan.shares[host] = parse_share(arguments.share)
    lab.group(host).limit_cpu(lab.plan.shares[host])
    lab.save()


def _on_host(act):
    """A verb that does one thing to one host."""
    return lambda lab, arguments: act(lab, parse_host(arguments.host, lab.expect().hosts))


def _kill(lab, host):
    if not lab.group(host).kill():
        raise LabError(f"host {host}: some of its processes would not die")


FAULTS = {
    "pause": ("freeze HOST's processes, as a hung peer", lambda lab, i: lab.group(i).freeze(True)),
    "resume": ("let HOST's processes go on", lambda lab, i: lab.group(i).freeze(False)),
    "kill": ("kill HOST's processes (SIGKILL)", _kill),
    "unplug": ("cut HOST's link", lambda lab, i: plug(lab.name, i, False)),
    "plug": ("restore HOST's link", lambda lab, i: plug(lab.name, i, True)),
}


def _parser():
    parser = argparse.ArgumentParser(
        prog="netlab",
        description="Pretend hosts on one machine, with link rate, delay, CPU share and faults.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_plan(_add(verbs, "up", "make a lab that stays until `down`", _up))
    meaning = "make a lab, run CMD in every host, remove the lab"
    run = _add(verbs, "with", meaning, _with, command=True)
    _add_plan(run)
    _add_limits(run)
    _add(verbs, "down", "remove the lab and end what runs in it", _down)
    _add(verbs, "status", "print hosts, rates, shares and processes", _status)
    _add(verbs, "exec", "run CMD in HOST, in place of netlab", _exec, command=True, values=["host"])
    _add_limits(_add(verbs, "each", "run CMD in every host at once", _each, command=True))
    meaning = "make HOST's link as fast as RATE each way: 10mbit, or max"
    _add(verbs, "rate", meaning, _rate, values=["host", "rate"])
    meaning = "let HOST use SHARE cores: 0.25, or max"
    _add(verbs, "cpu", meaning, _cpu, values=["host", "share"])
    for name, (meaning, act) in FAULTS.items():
        _add(verbs, name, meaning, _on_host(act), values=["host"])
    return parser


def _add(verbs, name, meaning, act, values=(), command=False):
    usage = [f"netlab {name} [OPTIONS]", *(value.upper() for value in values)]
    verb = verbs.add_parser(
        name,
        help=meaning,
        description=meaning[0].upper() + meaning[1:] + ".",
        usage=" ".join(usage + ["-- CMD ..."] * command),
        epilog=PLACEHOLDERS if command else None,
        allow_abbrev=False,
    )
    for value in values:
        verb.add_argument(value)
    verb.add_argument("--name", default="lab", help="which lab, of several (default: lab)")
    verb.set_defaults(act=act, takes_command=command)
    return verb


def _add_plan(verb):
    verb.add_argument("--hosts", type=int, required=True, help="how many")
    per_host = "; HOST=%s for one of them, and as often as needed"
    verb.add_argument(
        "--rate", action="append", help="speed of each link, each way: 100mbit" + per_host % "RATE"
    )
    verb.add_argument("--delay", help="between two hosts, one way: 20ms (a round trip takes 40 ms)")
    verb.add_argument("--loss", help="share of the packets lost between two hosts: 0.1%%")
    verb.add_argument(
        "--congestion",
        metavar="NAME",
        help="TCP's congestion control between hosts: reno, cubic, bbr (default: the machine's)",
    )
    verb.add_argument(
        "--cpu", action="append", help="cores that a host may use: 0.5" + per_host % "SHARE"
    )


def _add_limits(verb):
    verb.add_argument(
        "--limit", type=float, metavar="SECONDS", help="end CMD then, with exit code 124"
    )
    verb.add_argument(
        "--keep-going", action="store_true", help="let the others run on when one host's CMD fails"
    )


def _plan(arguments):
    hosts = arguments.hosts
    if not 1 <= hosts <= HOSTS_AT_MOST:
        raise UsageError(f"--hosts {hosts}: must be from 1 to {HOSTS_AT_MOST}")
    return Plan(
        hosts=hosts,
        rates=parse_per_host(arguments.rate, hosts, parse_rate, "--rate"),
        shares=parse_per_host(arguments.cpu, hosts, parse_share, "--cpu"),
        delay=parse_delay(arguments.delay, "--delay") if arguments.delay else 0.0,
        loss=parse_loss(arguments.loss, "--loss") if arguments.loss else 0.0,
        congestion=arguments.congestion,
    )


def _describe(plan):
    rates = sorted({print_rate(rate) for rate in plan.rates})
    parts = [f"{plan.hosts} hosts, {address(0)} to {address(plan.hosts - 1)}"]
    parts.append("rate " + " and ".join(rates))
    if plan.delay:
        parts.append(f"{plan.delay * 1e3:g} ms one way")
    if plan.loss:
        parts.append(f"{plan.loss:.4%} of the packets lost")
    if plan.congestion:
        parts.append(f"TCP {plan.congestion}")
    return ", ".join(parts)


def _split_at_dashes(words):
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _expect_command(arguments):
    if arguments.takes_command and not arguments.command:
        raise UsageError(f"{arguments.verb}: no command; put it behind --, as in: -- hostname")
    if arguments.command and not arguments.takes_command:
        raise UsageError(f"{arguments.verb} runs no command, but one stands behind --")


def _expect_limit(arguments):
    limit = getattr(arguments, "limit", None)
    if limit is not None and not limit > 0:
        raise UsageError(f"--limit {limit}: must be more than 0 seconds")


def _expect_root():
    if os.geteuid() != 0:
        raise LabError(
            "network namespaces need root: run it under sudo (commands in hosts then run as you)"
        )

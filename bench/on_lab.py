"""Training on the hosts of a lab of tools/netlab, and what a run leaves."""
import json
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..")
NETLAB = os.path.join(ROOT, "tools", "netlab", "netlab")
ENTRAIN = os.path.join(ROOT, "build", "release", "tools", "entrain", "entrain")
PAYLOAD = 1448 / 1514  # of a full Ethernet frame, with TCP's time stamps


class BenchError(Exception):
    """What went wrong, with the last words of the program that failed."""


class Lab:
    """Hosts that are there within a `with`. What runs in host k is tied to one of the `cores`
    ("0,1") of the processor, the k-th, in turn: left to the kernel, four processes on two cores get
    unequal shares for seconds."""

    def __init__(self, name, hosts, rate, delay="0ms", cores="0,1"):
        self.hosts = hosts
        self._tied = tied_to(cores.split(","))
        self._name = ["--name", name]
        self._plan = ["--hosts", str(hosts), "--rate", rate]
        self._plan += ["--delay", delay] if delay not in ("0", "0ms") else []

    def __enter__(self):
        self._netlab("up", *self._plan)
        return self

    def __exit__(self, *_):
        self._netlab("down")

    def run(self, command, limit):
        """The command in every host at once. Throws BenchError if it fails, or takes longer than
        `limit` seconds."""
        self._netlab("each", "--limit", str(limit), "--", *self._tied, *command)

    def bytes_sent(self):
        """Of host 0 since the lab is up, with all headers."""
        return sent_bytes(self._netlab("exec", words=["0", "--", "cat", "/proc/net/dev"]))

    def _netlab(self, verb, *options, words=()):
        command = [sys.executable, NETLAB, verb, *self._name, *options, *words]
        return finished(command, OMP_NUM_THREADS="1")


def tied_to(cores):
    """What to put before the command of a host, by its RANK."""
    script = 'cores=($0); exec taskset -c "${cores[RANK % ${#cores[@]}]}" "$@"'
    return ["bash", "-c", script, " ".join(cores)]


def finished(command, **variables):
    """What a command prints. Throws BenchError if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=dict(os.environ, **variables)
    )
    if done.returncode == 0:
        return done.stdout
    last = (done.stderr or done.stdout).strip().splitlines()[-5:]
    raise BenchError(f"{' '.join(command)}\nended with {done.returncode}:\n" + "\n".join(last))


def sent_bytes(table):
    """The bytes that eth0 sent, by the text of /proc/net/dev."""
    for line in table.splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "eth0":
            return int(counts.split()[8])
    raise BenchError(f"/proc/net/dev has no eth0:\n{table}")


class Run:
    """What a run left in its folder: its summary, its evaluations, and (step, seconds) of its lines
    of steps and, on a virtual clock, of its evaluations."""

    def __init__(self, folder):
        try:
            with open(os.path.join(folder, "summary.json")) as file:
                self.summary = json.load(file)
            with open(os.path.join(folder, "metrics.jsonl")) as file:
                records = [json.loads(line) for line in file]
        except (OSError, ValueError) as error:
            raise BenchError(f"{folder}: the run left no figures: {error}") from error
        self.evaluations = evaluations(records)
        self.steps = [(r["step"], r["seconds"]) for r in records if r["kind"] == "step"]
        self.simulated = [
            (r["step"], r["simulated_seconds"]) for r in records if "simulated_seconds" in r
        ]


def evaluations(records):
    """(step, seconds of training until then, test accuracy) of each evaluation among the records;
    records count the evaluations' own time, and end with it."""
    found, evaluating = [], 0.0
    for record in records:
        if record["kind"] == "evaluation":
            evaluating += record["evaluation_seconds"]
            seconds = record["seconds"] - evaluating
            found.append((record["step"], seconds, record["test_accuracy"]))
    return found

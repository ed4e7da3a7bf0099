"""Runs netlab for the tests, in labs that only this test run has."""
import functools
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.join(HERE, "..", "..")
NETLAB = os.path.join(ROOT, "tools", "netlab", "netlab")
PEER = [sys.executable, os.path.join(HERE, "peer.py")]
CACHE = os.path.realpath(os.path.join(ROOT, "build", "netlab"))
TIME_LIMIT = 30  # seconds for one call


def environment(**changes):
    variables = dict(os.environ, XDG_CACHE_HOME=CACHE)
    variables.pop("SUDO_UID", None)
    return {**variables, **changes}


@functools.lru_cache(maxsize=None)
def why_not():
    """Why no lab can be made here, None if one can; found out without netlab."""
    if os.geteuid() != 0:
        return "not root"
    if not shutil.which("ip"):
        return "iproute2 is not installed"
    tried = subprocess.run(["unshare", "--net", "--uts", "--mount", "true"], capture_output=True)
    if tried.returncode:
        return "namespaces are not permitted here"
    trees = [tree for tree in ("/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/freezer")
             if os.access(tree, os.W_OK)]
    return None if trees else "control groups cannot be written to here"


def netlab(verb, *words, name=None, **changes):
    """One call of netlab, finished: returncode, stdout, stderr."""
    return subprocess.run(
        [sys.executable, NETLAB, verb, *(["--name", name] if name else []), *words],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        env=environment(**changes),
    )


def traces(name):
    """What there is of a lab: namespaces, control groups, folders, processes of its delay line."""
    found = []
    for folder in ("/run/netns", "/run/netlab", "/sys/fs/cgroup", "/sys/fs/cgroup/cpu",
                   "/sys/fs/cgroup/freezer"):
        if os.path.isdir(folder):
            found += [f"{folder}/{entry}" for entry in os.listdir(folder) if name in entry]
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline") as file:
                found += [process] if f"nl-{name}-" in file.read() else []
        except OSError:
            pass  # has ended
    return found


def alive(process):
    """Is a process there, and no zombie?"""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, what, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class LabTest(unittest.TestCase):
    """A test with a lab of its own, which must be gone without a trace at the end."""

    _count = 0

    def setUp(self):
        if why_not():
            self.skipTest(why_not())
        LabTest._count += 1
        self.name = f"t{os.getpid()}x{LabTest._count}"
        self.started = []

    def tearDown(self):
        self.netlab("down")
        for process in self.started:
            process.kill()
            process.communicate()
        self.assertEqual(traces(self.name), [])

    def netlab(self, verb, *words, **changes):
        return netlab(verb, *words, name=self.name, **changes)

    def expect(self, verb, *words):
        """A call that must succeed. What it prints."""
        done = self.netlab(verb, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, verb, *words, code=1, **changes):
        """A call that must fail with that code, in one line. The line."""
        done = self.netlab(verb, *words, **changes)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertRegex(done.stderr, r"\Anetlab: [^\n]+\n\Z")
        return done.stderr

    def start(self, verb, *words, **changes):
        """A call that goes on: its Popen."""
        process = subprocess.Popen(
            [sys.executable, NETLAB, verb, "--name", self.name, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**changes),
        )
        self.started.append(process)
        return process

    def processes(self, host):
        line = next(x for x in self.expect("status").splitlines() if x.startswith(f"h{host} "))
        return [int(number) for number in re.findall(r"\d+", line.partition("processes:")[2])]

    def measure(self, *server_and_client):
        """Runs a server and a client, each given as (host, words). The number that one prints."""
        calls = [
            self.start("exec", str(host), "--", *PEER, *map(str, words))
            for host, words in server_and_client
        ]
        printed = ""
        for call in calls:
            out, errors = call.communicate(timeout=TIME_LIMIT)
            self.assertEqual(call.returncode, 0, errors)
            printed += out
        return float(printed)

    def goodput(self, sender, receiver, seconds=0.5):
        """Mbit/s."""
        target = f"10.77.0.{receiver + 1}"
        return self.measure((receiver, ["receive", seconds]), (sender, ["send", target]))

    def round_trip(self, client, server, count=11):
        """Milliseconds."""
        target = f"10.77.0.{server + 1}"
        return self.measure((server, ["echo"]), (client, ["ping", target, count]))

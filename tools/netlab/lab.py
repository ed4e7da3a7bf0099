"""A lab: what it shall be (Plan), what there is of it, how it is made and removed."""
import dataclasses
import glob
import json
import os
import re
import shutil
import signal
import tempfile
import time
from typing import List, Optional

import cgroups
import interrupts
import links
from delayline import prepare_delayline
from errors import LabError, UsageError

FOLDER = "/run/netlab"
GRACE = 0.5  # seconds from SIGTERM to SIGKILL


@dataclasses.dataclass
class Plan:
    """What a lab shall be."""

    hosts: int
    rates: List[Optional[float]]  # bits per second of each host's link, each way; None: unshaped
    shares: List[Optional[float]]  # cores of each host; None: all
    delay: float = 0.0  # seconds between two hosts, one way
    loss: float = 0.0  # share of the packets between two hosts
    congestion: Optional[str] = None  # how TCP controls it between hosts; None: as the machine does

    def needs_delayline(self):
        """The kernel's own devices neither delay nor lose."""
        return self.delay > 0 or self.loss > 0


def names():
    """Of the labs that there are."""
    found = os.listdir(FOLDER) if os.path.isdir(FOLDER) else []
    return sorted(name for name in found if not name.startswith("."))


class Lab:
    """The lab of that name, up or not. What it made is found by its name alone."""

    def __init__(self, name):
        if not re.fullmatch(r"[a-z0-9]{1,16}", name):
            raise UsageError(f"--name {name!r}: a lab's name is 1 to 16 of a-z and 0-9")
        self.name = name
        self.folder = f"{FOLDER}/{name}"
        self.claimed = False  # by this process
        self._unfinished = f".{name}-"  # how the names of folders begin that no claim has taken yet
        self._owner, self.plan = self._load()

    def up(self, plan):
        """Makes the lab. Throws LabError if it is up already, or, leaving nothing, if it cannot be
        made."""
        if plan.needs_delayline():
            prepare_delayline()  # slow the first time, and best failed before anything is there
        self._claim(plan)
        try:
            self._make()
        except BaseException:
            self.down()
            raise

    def release(self):
        """Lets the lab outlive this process."""
        self._owner = None
        self.save()
        self.claimed = False

    def down(self):
        """Removes the lab, whole or in part. False if there was none. Throws LabError with what the
        kernel would not give up."""
        with interrupts.held():
            groups = cgroups.groups_of_lab(self.name)
            left = end_processes(groups)
            found = links.remove_network(self.name) or bool(groups) or os.path.isdir(self.folder)
            left += [group.name for group in groups if not group.remove()]
            if left:
                raise LabError(f"lab {self.name!r}: {', '.join(left)} cannot be removed; try again")
            for folder in [self.folder, *glob.glob(f"{FOLDER}/{self._unfinished}*")]:
                shutil.rmtree(folder, ignore_errors=True)
            _remove_if_empty(FOLDER)
            self.claimed = False
        return found

    def expect(self):
        """The plan. Throws LabError if the lab is not up."""
        if self.plan:
            return self.plan
        others = ", ".join(names())
        raise LabError(
            f"lab {self.name!r} is not up (there is {others or 'none'}): `netlab up --hosts N` "
            "makes it, --name names another"
        )

    def save(self):
        """Writes the plan down, for the calls to come."""
        self._write(self.folder)

    def group(self, host):
        """The control group of host number `host`."""
        return cgroups.group_of_host(self.name, host)

    def _claim(self, plan):
        if os.path.isdir(self.folder) and not self._abandoned():
            raise LabError(
                f"lab {self.name!r} is up already: `netlab down --name {self.name}` removes it, "
                "--name makes another beside it"
            )
        self.down()  # what a killed netlab left
        self.plan, self._owner = plan, _identity(os.getpid())
        with interrupts.held():
            os.makedirs(FOLDER, exist_ok=True)
            made = tempfile.mkdtemp(prefix=self._unfinished, dir=FOLDER)
            self._write(made)
            try:
                os.rename(made, self.folder)  # fails if another has just made it
            except OSError as error:
                shutil.rmtree(made)
                raise LabError(f"lab {self.name!r} is being made by another netlab") from error
            self.claimed = True

    def _make(self):
        cgroups.group_of_switch(self.name).make()
        for host in range(self.plan.hosts):
            self.group(host).make()
            if self.plan.shares[host] is not None:
                self.group(host).limit_cpu(self.plan.shares[host])
        links.make_network(self.name, self.plan)
        with open(f"{self.folder}/hosts", "w") as file:
            file.write("127.0.0.1 localhost\n")
            for host in range(self.plan.hosts):
                file.write(f"{links.address(host)} h{host}\n")

    def _abandoned(self):
        return self._owner is not None and _identity(self._owner[0]) != self._owner

    def _load(self):
        try:
            with open(f"{self.folder}/state.json") as file:
                state = json.load(file)
            return state["owner"], Plan(**state["plan"])
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return None, None  # not up, or of another version of netlab, which down() removes, too

    def _write(self, folder):
        state = {"owner": self._owner, "plan": dataclasses.asdict(self.plan)}
        with open(f"{folder}/state.json.new", "w") as file:
            json.dump(state, file)
        os.replace(f"{folder}/state.json.new", f"{folder}/state.json")


def end_processes(groups):
    """Ends all processes of the groups. The names of groups that still have some."""
    for group in groups:
        group.thaw()
        group.signal(signal.SIGTERM)
    until = time.monotonic() + GRACE
    while any(group.processes() for group in groups) and time.monotonic() < until:
        time.sleep(0.01)
    return [group.name for group in groups if not group.kill()]


def _identity(process):
    """[id, start time] of a process, which no later one has; None if there is none."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return [process, file.read().rpartition(")")[2].split()[19]]
    except OSError:
        return None


def _remove_if_empty(folder):
    try:
        os.rmdir(folder)
    except OSError:
        pass

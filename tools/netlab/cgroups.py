"""A control group for each host: what is in it can be slowed down, frozen, found and ended.

Version 2 (one tree), or the cpu and freezer trees of version 1.
"""
import os
import signal
import time

from errors import LabError

ROOT = "/sys/fs/cgroup"
PERIOD = 20_000  # microseconds; short, so that a slow host is slow evenly
SHORTEST_QUOTA = 1_000  # microseconds; of the kernel
PATIENCE = 3.0  # seconds for killed processes to be gone


def unified():
    """Is this version 2?"""
    return os.path.exists(f"{ROOT}/cgroup.controllers")


def groups_of_lab(lab):
    """Those that there are, whoever made them and however far that got."""
    trees = [ROOT] if unified() else [f"{ROOT}/{tree}" for tree in ("cpu", "freezer")]
    names = {name for tree in trees if os.path.isdir(tree) for name in os.listdir(tree)}
    return [Cgroup(name) for name in sorted(names) if name.startswith(f"netlab-{lab}-")]


def group_of_host(lab, host):
    """The group of host number `host`."""
    return Cgroup(f"netlab-{lab}-h{host}")


def group_of_switch(lab):
    """The group of what makes the network go."""
    return Cgroup(f"netlab-{lab}-switch")


class Cgroup:
    """One group, named alike in every tree."""

    def __init__(self, name):
        self.name = name
        if unified():
            self._cpu = self._freezer = f"{ROOT}/{name}"
        else:
            self._cpu, self._freezer = f"{ROOT}/cpu/{name}", f"{ROOT}/freezer/{name}"

    def make(self):
        """Makes the group. Throws LabError where control groups are absent or read-only."""
        try:
            for folder in self._folders():
                os.mkdir(folder)
        except OSError as error:
            raise LabError(
                f"{error.filename}: {error.strerror}: netlab needs control groups that it may "
                "write to; in a container start it with --privileged"
            ) from error
        if unified():
            try:
                _write(f"{ROOT}/cgroup.subtree_control", "+cpu")
            except OSError:
                pass  # only shares need it, and limit_cpu() will say so

    def join(self):
        """Moves this process into the group."""
        for folder in self._folders():
            _write(f"{folder}/cgroup.procs", str(os.getpid()))

    def limit_cpu(self, cores):
        """Lets the group have so many cores, None: as many as there are."""
        period = PERIOD if cores is None else max(PERIOD, round(SHORTEST_QUOTA / cores))
        quota = None if cores is None else round(cores * period)
        try:
            if unified():
                _write(f"{self._cpu}/cpu.max", f"{'max' if quota is None else quota} {period}")
                return
            _write(f"{self._cpu}/cpu.cfs_quota_us", "-1")  # what stands may not suit the new period
            _write(f"{self._cpu}/cpu.cfs_period_us", str(period))
            _write(f"{self._cpu}/cpu.cfs_quota_us", str(-1 if quota is None else quota))
        except OSError as error:
            raise LabError(
                f"{error.filename}: {error.strerror}: a CPU share of {cores} cannot be set; this "
                "kernel or container has no cpu controller for it"
            ) from error

    def freeze(self, on):
        """Stops all processes of the group where they stand, or lets them go on."""
        if unified():
            _write(f"{self._freezer}/cgroup.freeze", str(int(on)))
        else:
            _write(f"{self._freezer}/freezer.state", "FROZEN" if on else "THAWED")

    def frozen(self):
        """Do its processes stand still?"""
        if unified():
            return _read(f"{self._freezer}/cgroup.freeze").strip() == "1"
        return _read(f"{self._freezer}/freezer.state").strip() in ("FROZEN", "FREEZING")

    def processes(self):
        """Their ids; none if the group is not there."""
        return {int(line) for f in self._folders() for line in _read(f"{f}/cgroup.procs").split()}

    def signal(self, number):
        """Sends a signal to every process."""
        for process in self.processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """Kills every process, also frozen ones. False if some are left after PATIENCE seconds."""
        until = time.monotonic() + PATIENCE
        while self.processes() and time.monotonic() < until:
            self.signal(signal.SIGKILL)
            self.thaw()
            time.sleep(0.01)
        return not self.processes()

    def thaw(self):
        """As freeze(False), also if the group is not wholly there."""
        try:
            self.freeze(False)
        except OSError:
            pass

    def remove(self):
        """Removes the group, whose processes are gone. False if the kernel holds on to it."""
        until = time.monotonic() + PATIENCE
        while not all([_remove(folder) for folder in self._folders()]):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def _folders(self):
        return sorted({self._cpu, self._freezer})


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _remove(folder):
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False  # busy: an ended process takes a moment to leave
    return True

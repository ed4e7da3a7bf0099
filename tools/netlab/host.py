"""Enters a pretend host: what it changes about a process, and what that process is told of it."""
import ctypes
import os
import pwd
import signal
import socket

from errors import LabError
from iproute import NAMESPACES
from links import address, host_namespace

PORT = 29500  # torchrun's default; each lab has its own network, so that two do not clash
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWNET = 0x20000, 0x4000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(lab, host):
    """Moves this process into host number `host` (control group, network, host name, /etc/hosts),
    and makes it the user's own who called sudo. Throws LabError."""
    try:
        lab.group(host).join()
        _join_network(host_namespace(lab.name, host))
        _call("unshare", CLONE_NEWUTS | CLONE_NEWNS)
        socket.sethostname(f"h{host}")
        _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        _call("mount", f"{lab.folder}/hosts".encode(), b"/etc/hosts", None, MS_BIND, None)
        _become_caller()
    except OSError as error:
        raise LabError(
            f"host {host} of lab {lab.name!r} cannot be entered: {error}: is the lab whole? "
            f"`netlab down --name {lab.name}` removes it"
        ) from error


def end_with(parent):
    """Has the kernel kill this process when `parent`, its parent, is no more."""
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def environment(lab, host):
    """The variables of a command in that host: its place among the processes of a run as torchrun
    would tell it, with one process a host, and the addresses."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TORCHELASTIC_") and name != "ENTRAIN_LAUNCH"  # of another launcher
    }
    hosts = lab.plan.hosts
    variables.update(
        RANK=str(host),
        WORLD_SIZE=str(hosts),
        LOCAL_RANK="0",
        LOCAL_WORLD_SIZE="1",
        MASTER_ADDR=address(0),
        MASTER_PORT=str(PORT),
        NETLAB_NAME=lab.name,
        NETLAB_IP=address(host),
        NETLAB_IPS=",".join(address(i) for i in range(hosts)),
        GLOO_SOCKET_IFNAME="eth0",
        NCCL_SOCKET_IFNAME="eth0",
        TP_SOCKET_IFNAME="eth0",
    )
    caller = _caller()
    if caller:
        variables.update(HOME=caller.pw_dir, USER=caller.pw_name, LOGNAME=caller.pw_name)
    return variables


def fill_in(command, lab, host):
    """The command with {host}, {n}, {ip}, {ip0} and {ips} replaced, wherever they stand."""
    hosts = lab.plan.hosts
    meanings = {
        "{host}": str(host),
        "{n}": str(hosts),
        "{ip}": address(host),
        "{ip0}": address(0),
        "{ips}": ",".join(address(i) for i in range(hosts)),
    }
    filled = []
    for word in command:
        for placeholder, meaning in meanings.items():
            word = word.replace(placeholder, meaning)
        filled.append(word)
    return filled


def cannot_run(command, host, error):
    """The LabError for a command that the kernel would not start."""
    return LabError(f"{command[0]}: {error.strerror}: it cannot be run in host {host}")


def _join_network(namespace):
    descriptor = os.open(f"{NAMESPACES}/{namespace}", os.O_RDONLY)
    try:
        _call("setns", descriptor, CLONE_NEWNET)
    finally:
        os.close(descriptor)


def _caller():
    """Who called sudo, None: nobody did, and commands run as root."""
    try:
        return pwd.getpwuid(int(os.environ["SUDO_UID"])) if os.geteuid() == 0 else None
    except (KeyError, ValueError):
        return None


def _become_caller():
    """What a command writes then belongs to the user, not to root."""
    caller = _caller()
    if caller:
        os.initgroups(caller.pw_name, caller.pw_gid)
        os.setgid(caller.pw_gid)
        os.setuid(caller.pw_uid)


def _call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")

"""Runs ip and tc, and reads which network namespaces there are."""
import os
import subprocess

from errors import LabError

NAMESPACES = "/run/netns"


def ip(*arguments, namespace=None):
    """Runs `ip`, in a network namespace if one is named. Returns what it prints, or throws LabError
    with what it said."""
    return _run("ip", *(("-n", namespace) if namespace else ()), *arguments)


def tc(*arguments, namespace):
    """Runs `tc` in a network namespace. Throws LabError with what it said."""
    _run("tc", "-n", namespace, *arguments)


def namespaces(prefix):
    """The names of those that begin so."""
    try:
        return sorted(name for name in os.listdir(NAMESPACES) if name.startswith(prefix))
    except FileNotFoundError:
        return []


def _run(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise LabError(
            f"`{command[0]}` was not found: install iproute2 (on Debian: apt-get install iproute2)"
        ) from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip() or f"exit code {done.returncode}"
    if "not permitted" in said:
        said += ": this root may not make networks; in a container start it with --privileged"
    raise LabError(f"{' '.join(command)}: {said}")

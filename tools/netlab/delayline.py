"""Compiles and starts the delay line (delayline.cpp), which carries frames between TAP devices."""
import hashlib
import math
import os
import shutil
import subprocess
import tempfile

import cgroups
from errors import LabError

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "delayline.cpp")
TUN = "/dev/net/tun"


def prepare_delayline():
    """The path of the program, compiled once into the user's cache. Throws LabError if it cannot be
    made, or could not run for want of TUN."""
    if not os.path.exists(TUN):
        raise LabError(
            f"{TUN} is not there, and --delay and --loss need it: load the module (modprobe tun), "
            f"or start the container with --device {TUN} and --privileged"
        )
    with open(SOURCE, "rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:12]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    program = os.path.join(cache, "entrain", f"delayline-{version}")
    if not os.path.exists(program):
        _compile(program)
    return program


def start_delayline(lab, delay, loss, pairs):
    """Starts it for links given as 'NAMESPACE:DEVICE,NAMESPACE:DEVICE', and returns once the
    devices are there. It lives in the switch's control group until the lab is removed.

    `delay` (seconds, one way) and `loss` (share of the packets) are those between two hosts, thus
    of two links.
    """
    microseconds = round(delay * 1e6 / 2)
    ppm = round((1 - math.sqrt(1 - loss)) * 1e6)
    process = subprocess.Popen(
        [prepare_delayline(), str(microseconds), str(ppm), *pairs],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=cgroups.group_of_switch(lab).join,
    )
    said = process.stdout.readline().strip()
    if said != "ready":
        raise LabError(f"delayline: {said or 'ended without a word'}")


def _compile(program):
    compiler = shutil.which(os.environ.get("CXX") or "g++") or shutil.which("c++")
    if not compiler:
        raise LabError(
            "no C++ compiler was found, and --delay and --loss need one, once: install g++ "
            "(on Debian: apt-get install g++)"
        )
    os.makedirs(os.path.dirname(program), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(program)) as folder:
        made = os.path.join(folder, "delayline")
        command = [compiler, "-std=c++20", "-O2", "-o", made, SOURCE]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")
        os.replace(made, program)  # whole or not at all, also if two do so at once

"""Signals that ask to stop: the first one raises Interrupted, wherever the program is."""
import contextlib
import signal

from errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
received = []


def catch():
    """Makes the first of STOPPING raise Interrupted; later ones are only counted in `received`."""
    for number in STOPPING:
        signal.signal(number, _take)


@contextlib.contextmanager
def held():
    """Holds the signals back until the end of the block, which is done wholly or not at all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _take(number, _frame):
    received.append(number)
    if len(received) == 1:
        raise Interrupted(number)

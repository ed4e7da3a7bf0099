"""Runs a command in every host at once, as one run: output by host, the first failure ends it."""
import os
import selectors
import signal
import subprocess
import sys
import time

import interrupts
from errors import Interrupted
from host import cannot_run, end_with, enter, environment, fill_in

GRACE = 5.0  # seconds from SIGTERM or SIGINT to SIGKILL
LAST_WORDS = 0.5  # seconds in which output may still come after the last command has ended
TICK = 0.05  # seconds between looks at who has ended
OUT_OF_TIME = 124  # the exit code, as timeout(1) has it


def run_everywhere(lab, command, limit=None, keep_going=False):
    """Runs `command` once in each host, with lines of output behind `[h0] ` and so on, and waits.

    The first command that fails ends the others (SIGTERM, after GRACE seconds SIGKILL) unless
    `keep_going`; so does the end of `limit` seconds. Returns the exit code of that first failure
    (128 + n for signal n), 124 at the limit, else 0. An interrupt is passed on, and raised again
    once all have ended.
    """
    return _Run(lab, command, limit, keep_going).wait()


class _Relay:
    """One stream of a command, passed on line by line."""

    def __init__(self, stream, target, prefix):
        self.stream, self._target, self._prefix, self._held = stream, target, prefix, b""
        os.set_blocking(stream.fileno(), False)

    def pump(self):
        """Passes on what is there. False at the end of the stream."""
        block = self.stream.read(1 << 16)
        if block is None:
            return True
        *lines, self._held = (self._held + block).split(b"\n")
        if not block and self._held:
            lines.append(self._held)
        self._write(b"".join(self._prefix + line + b"\n" for line in lines))
        return bool(block)

    def _write(self, text):
        try:
            self._target.write(text)
            self._target.flush()
        except BrokenPipeError:
            pass  # nobody reads our output any more


class _Run:
    def __init__(self, lab, command, limit, keep_going):
        self._lab, self._keep_going, self._limit = lab, keep_going, limit
        self._end_at = time.monotonic() + limit if limit else None
        self._kill_at = None
        self._code = 0
        self._selector = selectors.DefaultSelector()
        self._running = {}
        try:
            for host in range(lab.plan.hosts):
                self._start(command, host)
        except BaseException:
            self._kill()
            raise

    def wait(self):
        try:
            self._pump_until_ended()
        except Interrupted as interrupt:
            self._signal(interrupt.signal_number)
            self._kill_at = time.monotonic() + GRACE
            self._pump_until_ended()
            raise
        return self._code

    def _start(self, command, host):
        lab, parent = self._lab, os.getpid()
        words = fill_in(command, lab, host)
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment(lab, host),
                start_new_session=True,  # Ctrl-C on the terminal reaches it once: through us
                preexec_fn=lambda: _enter_or_exit(lab, host, parent),
            )
        except OSError as error:
            raise cannot_run(words, host, error) from error
        self._running[host] = process
        for stream, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            relay = _Relay(stream, target.buffer, f"[h{host}] ".encode())
            self._selector.register(stream, selectors.EVENT_READ, relay)

    def _pump_until_ended(self):
        while self._running:
            self._pump(TICK)
            self._reap()
            self._watch_clock()
        last = time.monotonic() + LAST_WORDS  # what a command left behind may hold its streams open
        while self._selector.get_map() and time.monotonic() < last:
            self._pump(TICK)

    def _pump(self, seconds):
        if not self._selector.get_map():
            time.sleep(seconds)
        for key, _ in self._selector.select(seconds):
            if not key.data.pump():
                self._selector.unregister(key.fileobj)
                key.fileobj.close()

    def _reap(self):
        for host, process in list(self._running.items()):
            if process.poll() is None:
                continue
            del self._running[host]
            if process.returncode != 0 and self._code == 0:
                self._take_failure(host, process.returncode)

    def _take_failure(self, host, status):
        """The first failure is the cause; what follows is its consequence."""
        if interrupts.received:
            return
        self._code = status if status > 0 else 128 - status
        how = f"exit code {status}" if status > 0 else f"signal {-status} ({_name(-status)})"
        if self._keep_going or not self._running:
            _note(f"host {host} failed, with {how}")
        else:
            _note(f"host {host} failed first, with {how}; ending the others")
            self._end()

    def _watch_clock(self):
        now = time.monotonic()
        if self._end_at and now > self._end_at:
            running = ", ".join(str(host) for host in self._running)
            _note(f"the limit of {self._limit:g} s is over; ending the commands of hosts {running}")
            self._code, self._end_at = self._code or OUT_OF_TIME, None
            self._end()
        if self._kill_at and (now > self._kill_at or len(interrupts.received) > 1):
            self._kill()

    def _end(self):
        self._signal(signal.SIGTERM)
        self._kill_at = time.monotonic() + GRACE

    def _kill(self):
        self._signal(signal.SIGKILL)
        for host in self._running:
            self._lab.group(host).thaw()  # what is paused does not even die

    def _signal(self, number):
        for process in self._running.values():
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                pass


def _enter_or_exit(lab, host, parent):
    """In the child: an exception could not be told there but by its output and exit code."""
    try:
        enter(lab, host)
        end_with(parent)
    except BaseException as error:
        os.write(2, f"netlab: {error}\n".encode())
        os._exit(126)


def _name(signal_number):
    try:
        return signal.Signals(signal_number).name
    except ValueError:
        return "unnamed"


def _note(text):
    print(f"netlab: {text}", file=sys.stderr, flush=True)

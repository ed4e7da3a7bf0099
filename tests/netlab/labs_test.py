"""Labs that stay up: what is promised of their links and hosts holds, and `down` removes them."""
import os
import signal
import tempfile
import time

from lab_case import NETLAB, PEER, LabTest, alive, traces, wait_for


class LabsTest(LabTest):
    def test_rates_hold(self):
        self.expect("up", "--hosts", "3", "--rate", "100mbit,2=20mbit")
        self.assert_rate(self.goodput(0, 1), 100)
        self.assert_rate(self.goodput(0, 2), 20)
        self.expect("rate", "2", "max")
        self.assert_rate(self.goodput(2, 0), 100)

    def assert_rate(self, measured, rate):
        self.assertGreater(measured, 0.90 * rate)
        self.assertLess(measured, 1.01 * rate)

    def test_delay_and_rate_hold_together(self):
        self.expect("up", "--hosts", "2", "--delay", "10ms", "--rate", "100mbit")
        trip = self.round_trip(0, 1)
        self.assertGreater(trip, 0.9 * 20)
        self.assertLess(trip, 1.1 * 20 + 1)
        self.assert_rate(self.goodput(0, 1), 100)

    def test_shares_hold(self):
        self.expect("up", "--hosts", "2", "--cpu", "1=0.25")
        slow = self.start("exec", "1", "--", *PEER, "burn", "0.6")
        fast = self.start("exec", "0", "--", *PEER, "burn", "0.6")
        self.assertAlmostEqual(float(slow.communicate()[0]), 0.25, delta=0.05)
        self.assertGreater(float(fast.communicate()[0]), 0.3)
        self.expect("cpu", "1", "0.1")
        self.assertAlmostEqual(float(self.expect("exec", "1", "--", *PEER, "burn", "0.6")), 0.1,
                               delta=0.03)

    def test_a_paused_host_stands_still_and_goes_on(self):
        self.expect("up", "--hosts", "1")
        with tempfile.NamedTemporaryFile() as file:
            ticks = lambda: os.path.getsize(file.name)  # noqa: E731
            script = f"while sleep 0.02; do echo >> {file.name}; done"
            self.start("exec", "0", "--", "bash", "-c", script)
            wait_for(ticks, "a tick")
            self.expect("pause", "0")
            self.assertIn("paused", self.expect("status"))
            stood = ticks()
            time.sleep(0.2)
            self.assertEqual(ticks(), stood)
            self.expect("resume", "0")
            wait_for(lambda: ticks() > stood, "a tick after resume")

    def test_a_killed_host_loses_its_processes_only(self):
        self.expect("up", "--hosts", "2")
        victim, other = (self.start("exec", host, "--", "sleep", "60") for host in "01")
        wait_for(lambda: self.processes(0) and self.processes(1), "both to run")
        self.expect("pause", "0")  # what is paused dies, too
        self.expect("kill", "0")
        self.assertEqual(victim.wait(5), -signal.SIGKILL)
        self.assertEqual(self.processes(0), [])
        self.assertIsNone(other.poll())

    def test_an_unplugged_host_is_not_reached_until_it_is_plugged(self):
        self.expect("up", "--hosts", "2")
        self.round_trip(0, 1)
        self.expect("unplug", "1")
        self.assertIn("unplugged", self.expect("status"))
        echo = self.start("exec", "1", "--", *PEER, "echo")
        ping = self.start("exec", "0", "--", *PEER, "ping", "10.77.0.2", "1")
        time.sleep(0.5)
        self.assertEqual((ping.poll(), echo.poll()), (None, None))
        self.expect("plug", "1")
        self.assertEqual((ping.wait(10), echo.wait(10)), (0, 0))

    def test_tcp_controls_congestion_as_asked(self):
        self.expect("up", "--hosts", "2", "--congestion", "reno")
        self.assertIn("TCP reno", self.expect("status"))
        self.start("exec", "1", "--", *PEER, "echo")
        self.assertEqual(self.expect("exec", "0", "--", *PEER, "congestion", "10.77.0.2"), "reno\n")
        self.expect("down")
        said = self.refused("up", "--hosts", "2", "--congestion", "nothing")
        self.assertIn("congctl nothing", said)

    def test_packets_are_lost(self):
        self.expect("up", "--hosts", "2", "--loss", "5%")
        counters = "/proc/net/snmp"
        self.goodput(0, 1, seconds=0.3)
        names, values = (
            line.split()
            for line in self.expect("exec", "0", "--", "cat", counters).splitlines()
            if line.startswith("Tcp:")
        )
        self.assertGreater(int(dict(zip(names, values))["RetransSegs"]), 0)

    def test_two_labs_stand_side_by_side(self):
        """And compile the delay line at once."""
        with tempfile.TemporaryDirectory() as cache:
            ups = [
                self.start("up", "--hosts", "2", "--delay", "1ms", "--name", name,
                           XDG_CACHE_HOME=cache)
                for name in (self.name, self.name + "b")
            ]
            try:
                for up in ups:
                    self.assertEqual(up.wait(20), 0, up.stderr.read())
                self.assertEqual(len(os.listdir(f"{cache}/entrain")), 1)
                self.netlab("down", "--name", self.name + "b")
                self.assertEqual(traces(self.name + "b"), [])
                self.assertGreater(self.round_trip(0, 1), 1.8)
            finally:
                self.netlab("down", "--name", self.name + "b")

    def test_hosts_know_who_they_are(self):
        self.expect("up", "--hosts", "2")
        script = "echo $(hostname) $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE " \
                 "$MASTER_ADDR:$MASTER_PORT {host} {n} {ip} {ip0} {ips}"
        self.assertEqual(
            self.expect("exec", "h1", "--", "bash", "-c", script).strip(),
            "h1 1/2 0/1 10.77.0.1:29500 1 2 10.77.0.2 10.77.0.1 10.77.0.1,10.77.0.2",
        )
        self.assertIn("10.77.0.2", self.expect("exec", "0", "--", "getent", "hosts", "h1"))

    def test_commands_are_the_users_own_under_sudo(self):
        self.expect("up", "--hosts", "1")
        done = self.netlab("exec", "0", "--", "id", "-un", SUDO_UID="65534")
        self.assertEqual(done.stdout.strip(), "nobody", done.stderr)

    def test_down_ends_what_runs_and_can_be_repeated(self):
        self.expect("up", "--hosts", "2", "--delay", "1ms")
        script = "trap '' TERM; (setsid sleep 60 &); echo ready; sleep 60; sleep 60"
        stubborn = self.start("exec", "0", "--", "bash", "-c", script)
        stubborn.stdout.readline()
        wait_for(lambda: len(self.processes(0)) == 3, "the shell and what it started")
        processes = self.processes(0)
        self.expect("pause", "0")
        self.expect("down")
        self.assertFalse([process for process in processes if alive(process)])
        self.assertEqual(traces(self.name), [])
        self.assertIn("not up", self.expect("down"))

    def test_what_cannot_be_done_is_said(self):
        self.assertIn("is not up", self.refused("status"))
        self.assertIn("is not up", self.refused("exec", "0", "--", "true"))
        self.assertIn("'100'", self.refused("up", "--hosts", "2", "--rate", "100", code=2))
        self.assertIn("0", self.refused("up", "--hosts", "0", code=2))
        self.assertIn("'X y'", self.refused("up", "--hosts", "2", "--name", "X y", code=2))
        self.expect("up", "--hosts", "2")
        self.assertIn("up already", self.refused("up", "--hosts", "2"))
        self.assertIn("up already", self.refused("with", "--hosts", "2", "--", "true"))
        self.assertIn("'2'", self.refused("unplug", "2", code=2))
        self.assertIn("'9'", self.refused("rate", "0", "9", code=2))
        self.assertIn("no command", self.refused("exec", "0", code=2))
        self.assertIn("nosuch: No such file", self.refused("exec", "0", "--", "nosuch"))
        self.assertIn("nosuch: No such file", self.refused("each", "--", "nosuch"))
        self.expect("each", "--", "true")

    def test_a_missing_tool_is_named(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertIn("install iproute2", self.refused("up", "--hosts", "1", PATH=empty))
            message = self.refused("up", "--hosts", "1", "--delay", "1ms", PATH=empty,
                                   XDG_CACHE_HOME=empty)
            self.assertIn("install g++", message)

    def test_other_users_are_told_to_be_root(self):
        self.expect("up", "--hosts", "1")
        done = self.netlab("exec", "0", "--", NETLAB, "status", SUDO_UID="65534")
        self.assertIn("need root", done.stderr)

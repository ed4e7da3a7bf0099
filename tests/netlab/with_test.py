"""`with` and `each`: output by host, the first failure ends the others, and nothing is left."""
import signal
import time

from lab_case import LabTest, alive, traces

SLEEPING = ["bash", "-c", "echo ready; sleep 60 & echo $! ; wait"]


class WithTest(LabTest):
    def run_with(self, *words, hosts=3):
        return self.netlab("with", "--hosts", str(hosts), *words)

    def start_sleeping(self):
        """A lab of two hosts in which commands run: the call, and the ids of two processes."""
        call = self.start("with", "--hosts", "2", "--delay", "1ms", "--", *SLEEPING)
        lines = [call.stdout.readline().split() for _ in range(4)]
        return call, [int(words[1]) for words in lines if words[1].isdigit()]

    def test_every_line_tells_its_host(self):
        done = self.run_with("--", "bash", "-c", "echo a; echo b >&2; printf 'no end'")
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = sorted(f"[h{host}] {text}" for host in range(3) for text in ("a", "no end"))
        self.assertEqual(sorted(done.stdout.splitlines()), expected)
        self.assertEqual(done.stderr.count("] b\n"), 3)
        self.assertEqual(traces(self.name), [])

    def test_the_first_failure_ends_the_others(self):
        begin = time.monotonic()
        done = self.run_with("--", "bash", "-c", "((RANK == 1)) && exit 7; sleep 60")
        self.assertEqual(done.returncode, 7)
        self.assertIn("host 1 failed first, with exit code 7; ending the others", done.stderr)
        self.assertEqual(done.stderr.count("failed"), 1)
        self.assertLess(time.monotonic() - begin, 5)

    def test_a_signal_is_a_failure_too(self):
        done = self.run_with("--", "bash", "-c", "((RANK == 1)) && kill -SEGV $$; sleep 60")
        self.assertEqual(done.returncode, 128 + signal.SIGSEGV)
        self.assertIn("SIGSEGV", done.stderr)

    def test_others_may_run_on(self):
        script = "((RANK == 1)) && exit 7; sleep 0.2; echo done"
        done = self.run_with("--keep-going", "--", "bash", "-c", script)
        self.assertEqual(done.returncode, 7)
        self.assertEqual(done.stdout.count("done"), 2)

    def test_the_limit_ends_all(self):
        done = self.run_with("--limit", "0.3", "--", "sleep", "60")
        self.assertEqual(done.returncode, 124)
        self.assertIn("limit of 0.3 s", done.stderr)
        self.assertEqual(traces(self.name), [])

    def test_what_runs_in_the_background_holds_nothing_up(self):
        begin = time.monotonic()
        done = self.run_with("--", "bash", "-c", "setsid sleep 60 & echo started")
        self.assertEqual(done.stdout.count("started"), 3)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(traces(self.name), [])

    def test_interrupts_are_passed_on_and_clean_up(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            call, processes = self.start_sleeping()
            call.send_signal(number)
            _, errors = call.communicate(timeout=10)
            self.assertEqual(call.returncode, 128 + number, errors)
            self.assertFalse([process for process in processes if alive(process)])
            self.assertEqual(traces(self.name), [])

    def test_an_interrupt_while_the_lab_is_made_cleans_up(self):
        for wait in (0.08, 0.15, 0.25):
            call = self.start("up", "--hosts", "20", "--rate", "10mbit")
            time.sleep(wait)
            call.send_signal(signal.SIGTERM)
            _, errors = call.communicate(timeout=10)
            if call.returncode == 0:
                self.expect("down")
            self.assertEqual(traces(self.name), [], errors)

    def test_down_cleans_up_after_a_killed_netlab(self):
        call, processes = self.start_sleeping()
        call.kill()
        call.wait()
        self.assertNotEqual(traces(self.name), [])
        self.expect("down")
        self.assertFalse([process for process in processes if alive(process)])
        self.assertEqual(traces(self.name), [])

    def test_down_cleans_up_after_an_up_that_was_killed(self):
        for wait in (0.1, 0.2):
            call = self.start("up", "--hosts", "20", "--delay", "1ms")
            time.sleep(wait)
            call.kill()
            call.wait()
            self.expect("down")
            self.assertEqual(traces(self.name), [])

    def test_a_lab_whose_netlab_was_killed_is_replaced(self):
        call, _ = self.start_sleeping()
        call.kill()
        call.wait()
        done = self.run_with("--", "hostname")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(done.stdout.split()[1::2]), ["h0", "h1", "h2"])

    def test_each_leaves_the_lab_up(self):
        self.expect("up", "--hosts", "2")
        self.assertEqual(self.expect("each", "--", "hostname").count("h1"), 2)
        self.expect("each", "--", "true")

import os
import subprocess
import sys
import unittest

import lab_case
import on_lab


class LabRunTest(lab_case.LabTest):
    """What runs in a lab is read, and the lab is gone afterwards."""

    def test_hosts_run_and_send(self):
        with on_lab.Lab(self.name, 3, "100mbit", cores="0,1") as lab:
            before = lab.bytes_sent()
            lab.run(["bash", "-c", "head -c 1000 /dev/zero >/dev/udp/10.77.0.2/9; sleep 0.1"], 10)
            self.assertGreaterEqual(lab.bytes_sent() - before, 1000)
            lab.run(["bash", "-c", 'case $(taskset -cp $$) in *": $((RANK % 2))");; *) exit 1; esac'],
                    10)
            with self.assertRaisesRegex(on_lab.BenchError, "ended with 3"):
                lab.run(["sh", "-c", "exit 3"], 10)

    def test_a_lab_that_cannot_be_is_quoted(self):
        with self.assertRaisesRegex(on_lab.BenchError, "'fast'"):
            with on_lab.Lab(self.name, 2, "fast"):
                pass


class SmokeTest(lab_case.LabTest):
    def test_a_comparison_from_end_to_end(self):
        data = os.environ.get("ENTRAIN_TEST_DATA", "")
        if not os.path.isdir(os.path.join(data, "mnist")) or not os.path.exists(on_lab.ENTRAIN):
            self.skipTest("needs MNIST in ENTRAIN_TEST_DATA, and build/release")
        words = ["--name", self.name, "--hosts", "2", "--rate", "1gbit", "--steps", "4",
                 "--every", "2", "--seeds", "1", "--methods", "synchronous,ddp", "--target", "0.01",
                 "--data", data]
        path = os.path.join(on_lab.ROOT, "bench", "accuracy.py")
        done = subprocess.run([sys.executable, path, *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual([row.split(" | ")[0] for row in lines[2:]], ["| synchronous", "| ddp"])
        sent = [row.split(" | ")[-1] for row in lines[2:]]
        self.assertEqual(sent, ["3.3 |", "3.3 |"])  # 4 gradients of 0.83 MB, by both

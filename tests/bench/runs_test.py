import json
import os
import subprocess
import sys
import tempfile
import unittest

import accuracy
import methods
import on_lab

TABLE = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo:     100       1    0    0    0     0          0         0      100       1    0
  eth0: 1234567     890    0    0    0     0          0         0  7654321     876    0
"""


def evaluation(step, seconds, spent, accuracy_then):
    return {"kind": "evaluation", "step": step, "seconds": seconds, "evaluation_seconds": spent,
            "test_accuracy": accuracy_then}


def run(accuracy_at_end, reached, seconds=10.0):
    return {"accuracy": accuracy_at_end, "seconds_to_target": reached, "seconds": seconds,
            "bytes_sent_per_worker": 2e6}


class RunsTest(unittest.TestCase):
    def test_evaluating_is_not_training(self):
        records = [{"kind": "step"}, evaluation(10, 5.0, 1.0, 0.9), evaluation(20, 9.0, 0.5, 0.99)]
        self.assertEqual(on_lab.evaluations(records), [(10, 4.0, 0.9), (20, 7.5, 0.99)])

    def test_a_run_is_what_its_folder_says(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(on_lab.BenchError, "left no figures"):
                on_lab.Run(folder)
            summary = {"test_accuracy": 0.99, "wall_seconds": 7.5,
                       "bytes_sent_per_worker": 3.0}
            with open(os.path.join(folder, "summary.json"), "w") as file:
                json.dump(summary, file)
            with open(os.path.join(folder, "metrics.jsonl"), "w") as file:
                timed = {"simulated_seconds": 3.0, **evaluation(20, 9.0, 0.5, 0.99)}
                for line in ({"kind": "step", "step": 5, "seconds": 2.0},
                             evaluation(10, 5.0, 1.0, 0.9), timed):
                    file.write(json.dumps(line) + "\n")
            found = on_lab.Run(folder)
        self.assertEqual((found.steps, found.simulated), ([(5, 2.0)], [(20, 3.0)]))
        self.assertEqual(accuracy.figures(found, 0.9)["seconds_to_target"], 4.0)
        self.assertEqual(accuracy.figures(found, 0.95)["seconds_to_target"], 7.5)
        self.assertIsNone(accuracy.figures(found, 0.995)["seconds_to_target"])

    def test_bytes_are_those_that_eth0_sent(self):
        self.assertEqual(on_lab.sent_bytes(TABLE), 7654321)
        with self.assertRaisesRegex(on_lab.BenchError, "no eth0"):
            on_lab.sent_bytes("lo: 1")

    def test_a_program_that_fails_is_quoted(self):
        with self.assertRaisesRegex(on_lab.BenchError, "(?s)ended with 3.*no such thing"):
            on_lab.finished(["sh", "-c", "echo no such thing >&2; exit 3"])

    def test_methods_go_by_name(self):
        self.assertEqual([m.name for m in methods.methods_named("local,ddp")], ["local", "ddp"])
        with self.assertRaisesRegex(ValueError, "'locl'"):
            methods.methods_named("local,locl")

    def test_each_method_begins_once(self):
        self.assertEqual([accuracy.rotated([1, 2, 3], i)[0] for i in range(4)], [1, 2, 3, 1])
        self.assertEqual(accuracy.rotated([1, 2, 3], 1), [2, 3, 1])

    def test_the_table_pairs_seeds(self):
        runs = {("ddp", 1): run(0.98, 40.0), ("ddp", 2): run(0.99, 60.0),
                ("synchronous", 1): run(0.98, 20.0), ("synchronous", 2): run(0.985, 20.0),
                ("local", 1): run(0.97, None), ("local", 2): run(0.985, 6.0)}
        rows = accuracy.table(["ddp", "synchronous", "local"], runs).splitlines()[2:]
        self.assertIn("| 50.0 [40.0, 60.0] | 1.00 [1.00, 1.00] |", rows[0])
        self.assertIn("| 98.25 ± 3.18 | 0.00 ± 0.00 | 20.0 [20.0, 20.0] | 2.50 [2.00, 3.00] |",
                      rows[1])
        self.assertIn("| -0.50 ± 6.35 | 6.0 [6.0, 6.0] in 1 of 2 | 10.00 [10.00, 10.00] |", rows[2])

    def test_what_cannot_be_meant_is_refused(self):
        for driver, words in (("accuracy.py", ["--methods", "dpp"]),
                              ("accuracy.py", ["--seeds", "one"]),
                              ("prediction.py", ["--networks", "100mbit"]),
                              ("prediction.py", ["--networks", "fast/0ms"]),
                              ("prediction.py", ["--models", "vgg"])):
            path = os.path.join(on_lab.ROOT, "bench", driver)
            done = subprocess.run([sys.executable, path, *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(f"{words[1].split('/')[0]}", done.stderr)

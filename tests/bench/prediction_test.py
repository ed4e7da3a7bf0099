import unittest

import prediction


class PredictionTest(unittest.TestCase):
    def test_rates_are_bits_per_second(self):
        self.assertEqual(prediction.bits_per_second("100mbit"), 1e8)
        self.assertEqual(prediction.bits_per_second("2.5gbit"), 2.5e9)

    def test_delays_are_in_entrains_words(self):
        for text, spaced in (("5ms", "5 ms"), ("0ms", "0 ms"), ("500us", "500 us"), ("1s", "1 s")):
            self.assertEqual(prediction.spaced(text), spaced)

    def test_runs_are_whole_periods(self):
        self.assertEqual(prediction.steps_for(100, 16), 96)
        self.assertEqual(prediction.steps_for(1, 16), 48)
        self.assertEqual(prediction.steps_for(1e6, 16), 400)
        self.assertEqual(prediction.steps_for(0.2, 1), 3)

    def test_a_pace_leaves_out_what_was_before(self):
        self.assertEqual(prediction.pace([(8, 5.0), (16, 6.0), (24, 9.0)]), 0.25)

    def test_a_line_says_how_far_off(self):
        row = {"network": "100mbit, 0ms", "model": "cnn", "method": "local",
               "step_without_communication": 0.01, "measured": 0.02, "predicted": 0.023}
        self.assertTrue(prediction.line(row).endswith("| 10.0 | 20.0 | 23.0 | 1.15 | yes"))
        row["predicted"] = 0.0232
        self.assertTrue(prediction.line(row).endswith("| 1.16 | no"))

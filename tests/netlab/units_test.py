import os
import unittest

import units
from errors import UsageError


class UnitsTest(unittest.TestCase):
    def test_rates_are_bits_per_second(self):
        for text, value in (("100mbit", 100e6), ("1.5gbit", 1.5e9), ("8kbit", 8e3),
                            ("100 Mbit/s", 100e6), ("9000bit", 9e3), ("MAX", None)):
            self.assertEqual(units.parse_rate(text), value, text)

    def test_rates_print_as_they_parse(self):
        for text in ("100mbit", "1.5gbit", "8kbit", "max"):
            self.assertEqual(units.print_rate(units.parse_rate(text)), text)

    def test_times_are_seconds(self):
        for text, value in (("500us", 500e-6), ("20ms", 20e-3), (".5s", 0.5), ("0s", 0.0)):
            self.assertAlmostEqual(units.parse_delay(text), value, places=12, msg=text)

    def test_losses_are_shares(self):
        self.assertAlmostEqual(units.parse_loss("0.1%"), 0.001)
        self.assertEqual(units.parse_loss("0%"), 0)

    def test_shares_are_cores(self):
        self.assertEqual(units.parse_share("0.25"), 0.25)
        self.assertIsNone(units.parse_share("max"))

    def test_a_host_has_its_own_value_or_that_of_all(self):
        for texts in (["100mbit", "2=10mbit"], ["2=10mbit", "100mbit"], ["h2=10mbit,100mbit"]):
            rates = units.parse_per_host(texts, 3, units.parse_rate, "--rate")
            self.assertEqual(rates, [100e6, 100e6, 10e6], texts)
        shares = units.parse_per_host(["1=0.5"], 2, units.parse_share, "--cpu")
        self.assertEqual(shares, [None, 0.5])
        self.assertEqual(units.parse_per_host(None, 2, units.parse_rate, "--rate"), [None, None])

    def test_what_cannot_be_meant_is_quoted(self):
        too_many = str(os.cpu_count() + 1)
        refused = (
            (units.parse_rate, ["", "100", "fast", "-1mbit", "1e9bit", "0mbit", "1bit", "200gbit",
                                "1.2.3mbit", "mbit", "1tbit"]),
            (units.parse_delay, ["", "20", "-1ms", "20 minutes", "11s", "ms", "nan"]),
            (units.parse_loss, ["", "0.1", "100%", "-1%", "%", "nan%"]),
            (units.parse_share, ["", "0", "-1", "half", "inf", "nan", too_many, "0.0001"]),
            (lambda text: units.parse_host(text, 4), ["", "4", "-1", "x", "h", "1.0", "99999"]),
        )
        for parse, texts in refused:
            for text in texts:
                with self.assertRaisesRegex(UsageError, f"{text!r}", msg=text):
                    parse(text)

    def test_a_value_of_a_host_that_there_is_not_is_refused(self):
        for texts in (["4=10mbit"], ["=10mbit"], ["1="], ["100mbit,"]):
            with self.assertRaises(UsageError, msg=texts):
                units.parse_per_host(texts, 4, units.parse_rate, "--rate")

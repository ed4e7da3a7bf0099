import unittest

import spread


class SpreadTest(unittest.TestCase):
    def test_quantiles_are_those_of_the_tables(self):
        for degrees, value in ((1, 12.7062), (2, 4.3027), (4, 2.7764), (9, 2.2622), (30, 2.0423)):
            self.assertAlmostEqual(spread.t_quantile(0.975, degrees), value, places=4)
        self.assertAlmostEqual(spread.t_quantile(0.95, 5), 2.0150, places=4)

    def test_an_interval_is_that_of_the_mean(self):
        half = 2.7764 * (2.5 / 5) ** 0.5
        self.assertAlmostEqual(spread.interval([1, 2, 3, 4, 5]), half, places=4)
        self.assertEqual(spread.interval([3, 3]), 0)

    def test_one_value_has_none(self):
        self.assertIsNone(spread.interval([1]))

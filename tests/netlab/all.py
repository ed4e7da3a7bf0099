"""Runs every *_test.py of this folder, or of another one, whose tests import from a third:
`all.py [TESTS CODE]`. The last line is `N passed, M failed, K skipped`."""
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
TESTS, CODE = sys.argv[1:] or [HERE, os.path.join(HERE, "..", "..", "tools", "netlab")]
sys.path[:0] = [TESTS, CODE, HERE]


class Result(unittest.TextTestResult):
    """Also says how long each test took."""

    def startTest(self, test):
        self._begin = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self._begin:.2f} s ")
        super().addSuccess(test)


def main():
    tests = unittest.TestLoader().discover(TESTS, pattern="*_test.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(tests)
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return int(failed > 0 or result.testsRun == 0)


if __name__ == "__main__":
    sys.exit(main())

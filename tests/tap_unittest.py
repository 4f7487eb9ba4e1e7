# SPDX-License-Identifier: MIT
"""Runs a file of unittest cases and reports each of them as a line of TAP.

A file that has load_tests() may make its cases from what it finds.
"""

import importlib.util
import sys
import unittest
from pathlib import Path


class TapResult(unittest.TestResult):
    """Prints a result when it is known; why it failed goes to the other stream,
    which meson shows."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self._point("ok", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._point("not ok", test, reason=self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self._point("not ok", test, reason=self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._point("ok", test, directive=f" # SKIP {reason}")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self._point("not ok", subtest, reason=str(error[1]))

    def _point(self, word, test, directive="", reason=""):
        self.count += 1
        name = str(test.shortDescription() or test.id().rpartition(".")[2])
        print(f"{word} {self.count} - {name.replace('#', '')}{directive}")
        sys.stdout.flush()
        if reason:
            print(f"{name}:\n{reason}", file=sys.stderr, flush=True)


def main(path):
    """Runs the cases in that file; returns the exit status."""
    path = Path(path).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("cases", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["cases"] = module
    print("TAP version 13", flush=True)
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = TapResult()
    suite.run(result)
    print(f"1..{result.count}")
    return 0 if result.wasSuccessful() and result.count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

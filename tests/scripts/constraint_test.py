# SPDX-License-Identifier: MIT
"""The host's opinion on constraints, against the definition taken literally."""

import itertools
import unittest

from pcmaster import constraint, tap

START = "pcmaster_exerciser_start command {} address 0x1000 length {} seed 0x5eed\n"
# Enough for every mask of this many bits.
SMALL_BITS = 5


def literally(mask, first, length):
    """Byte by byte: only the bits of the mask differ from the first address."""
    return all((first ^ first + offset) & ~mask == 0 for offset in range(length))


def point(*constraints, ok=True):
    """A result with these requests."""
    return tap.Point(1, "constraint/some", ok, None, {"constraints": list(constraints)})


class ConstraintTest(unittest.TestCase):
    """Every small case, and what the judge makes of a result."""

    def test_what_a_buffer_keeps(self):
        for mask, first, length in itertools.product(range(1 << SMALL_BITS), range(64),
                                                     range(1, 40)):
            self.assertEqual(constraint.keeps(mask, first, length),
                             literally(mask, first, length), (mask, first, length))

    def test_what_is_possible(self):
        for mask, length in itertools.product(range(1 << SMALL_BITS), range(1, 40)):
            self.assertEqual(constraint.possible(mask, length),
                             any(literally(mask, first, length) for first in range(128)),
                             (mask, length))

    def test_the_end_of_addresses(self):
        every = (1 << 64) - 1
        self.assertTrue(constraint.keeps(every, every, 1))
        self.assertFalse(constraint.keeps(every, every, 2))

    def complaints(self, *constraints, log=START.format(1, 4097) + START.format(2, 4097)):
        """What is said of these requests."""
        return constraint.judge([point(*constraints)], log.splitlines())

    def test_results_that_hold(self):
        self.assertEqual(self.complaints("0x1fff 8193", "0xfeff 257"), [])
        self.assertEqual(self.complaints("0xffff 4097 0x1000", "0xffffffffffffffff 4097 0x1000"),
                         [])

    def test_a_refusal_that_was_wrong(self):
        self.assertEqual(self.complaints("0x1fff 8192"),
                         ["constraint/some: 8192 bytes within 0x1fff were refused"])

    def test_a_buffer_across_a_line(self):
        self.assertIn("not within 0x1fff", self.complaints("0x1fff 4097 0x1000")[0])

    def test_a_buffer_inside_a_page(self):
        self.assertIn("at 0x10", self.complaints("0xffff 16 0x10")[0])

    def test_a_buffer_that_the_device_never_saw(self):
        for log in ("", START.format(1, 4097), START.format(2, 4097),
                    START.format(1, 4096) + START.format(2, 4096)):
            self.assertTrue(self.complaints("0xffff 4097 0x1000", log=log), log)

    def test_a_result_that_did_not_hold_is_said_so_elsewhere(self):
        self.assertEqual(constraint.judge([point("0x1fff 8192", ok=False)], []), [])


if __name__ == "__main__":
    unittest.main()

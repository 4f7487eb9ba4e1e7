# SPDX-License-Identifier: MIT
"""The exercises where Linux gives memory in other ways than by default."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from pcmaster import guest, judge, linuxrun, tap
from pcmaster.shape import Shape

ALL = "*/*"
USUAL = Shape()
REMAPPED = Shape(iommu=True)


class ExercisesTest(linux.LinuxCase):
    """Judged by guest, device and host, as scripts/run does."""

    def exercise(self, shape, asked=None, **more):
        """Boots and judges; returns the points by their names.

        asked: the machine that the exercises are told of, if it is another.
        """
        plan = self.plan(linuxrun.exercise(asked or shape, ALL), shape=shape, **more)
        _, programs, _ = linux.prepared()
        outcome = linuxrun.run_plan(programs, plan)
        results = tap.parse(outcome.lines)
        due = judge.exercises(guest.load(Path(os.environ["PCMASTER_BUILD"])), ALL)
        verdict = judge.judge(plan, outcome, results, (), due, linuxrun.kernel_log(plan, outcome))
        complaints = verdict.complaints + linuxrun.log_complaints(plan, outcome, exercised=True)
        self.assertEqual(complaints, [], outcome.tail())
        return {point.name: point for point in results.points}

    def test_bounced(self):
        self.exercise(USUAL, arguments=("swiotlb=force",))

    def test_device_that_goes_on(self):
        self.exercise(USUAL, properties="loopback=on,policy=wrap")

    def test_newer_kernel(self):
        self.exercise(USUAL, series="6.12")

    def test_newer_kernel_with_iommu(self):
        self.exercise(REMAPPED, series="6.12")

    def test_addresses_freed_at_once(self):
        self.exercise(REMAPPED, arguments=("iommu.strict=1",))

    def test_not_translated_by_an_iommu(self):
        points = self.exercise(REMAPPED, asked=USUAL, arguments=("iommu=pt",))
        self.assertIsNone(points["iommu/physical-address"].skipped)

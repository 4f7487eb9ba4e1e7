# SPDX-License-Identifier: MIT
"""scripts/run --iommu: the whole table, scattered pages, and whom the judge believes."""

import unittest

import running

SMALL = ("--nodes", 1, "--memory", "256M", "--exercise", "iommu/*")
# What shows up behind an IOMMU as it does without.
AS_WITHOUT = ("limit", "boundary", "node", "overrun", "end-of-range")
# What the verifier stops there, too.
MISTAKES = ("free-logical", "free-behind", "device-padding", "put-live-buffer", "result-limit",
            "result-alignment", "result-scattered", "result-node")


class Iommu(running.RunCase):
    """Machines with an intel-iommu."""

    def exercises(self, *words):
        """The results of a run that held, by name."""
        ran = self.run_with(*words)
        self.assert_status(0, ran)
        return {entry["name"]: entry for entry in ran.results()["exercises"]}

    def test_the_table(self):
        held = self.exercises("--iommu")
        self.assertEqual([name for name, entry in held.items() if entry["result"] != "ok"], [])
        self.assertEqual(held["iommu/physical-address"]["result"], "ok")
        self.assertGreater(int(held["limit/none"]["logical"], 16), 1 << 40)

    def test_scattered_pages_are_one_piece_to_the_device(self):
        held = self.exercises("--iommu", *SMALL)
        self.assertEqual(held["iommu/scattered"]["runs"], 256)
        self.assertEqual(held["iommu/scattered-uncached"]["runs"], 65)

    def test_without_it_they_are_of_no_use(self):
        held = self.exercises(*SMALL)
        self.assertEqual(held["iommu/scattered"]["result"], "ok")
        self.assertNotIn("runs", held["iommu/scattered"])

    def test_the_faults_that_the_device_finds_itself(self):
        for name in AS_WITHOUT:
            with self.subTest(name):
                self.assert_status(0, self.run_with("--iommu", "--fault", name))

    def test_the_mistakes_that_the_verifier_stops(self):
        for name in MISTAKES:
            with self.subTest(name):
                self.assert_status(0, self.run_with("--iommu", "--fault", name))

    def test_what_is_about_physical_memory_is_refused(self):
        for words in (("--fault", "use-after-free"), ("--fault", "limit", "--policy", "wrap"),
                      ("--fault", "device-before"), ("--fault", "device-behind"),
                      ("--fault", "device-evidence")):
            with self.subTest(words):
                ran = self.run_with("--iommu", *words)
                self.assert_status(2, ran)
                self.assertIn("leave out --iommu", ran.text)

    def test_a_fault_of_the_iommu_needs_a_machine_that_has_one(self):
        ran = self.run_with("--fault", "stale-mapping", "--machine", "pc")
        self.assert_status(2, ran)
        self.assertIn("--machine q35", ran.text)


if __name__ == "__main__":
    unittest.main()

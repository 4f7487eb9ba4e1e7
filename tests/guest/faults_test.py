# SPDX-License-Identifier: MIT
"""Every fault under every policy: the device must catch each, and name it."""

import json
import os
import subprocess
from pathlib import Path

import running
from pcmaster import diagnosis, guest
from pcmaster.run import POLICIES

# The mistakes that have to be caught at least, whatever else the driver can do.
CLASSIC = {"limit", "boundary", "node", "overrun", "use-after-free", "end-of-range",
           "stale-mapping", "physical-address"}
# Where an address line or a counter is missing, wrapping sends data elsewhere.
ASTRAY = {"limit", "boundary", "end-of-range"}


class Fault(running.RunCase):
    """A faulty driver under one policy."""

    def __init__(self, fault, policy):
        super().__init__("caught")
        self.fault, self.policy = fault, policy

    def shortDescription(self):
        return f"{self.fault['name']} under {self.policy}"

    def caught(self):
        """Exit status 0, and a diagnosis that names what matters."""
        ran = self.run_with("--fault", self.fault["name"], "--policy", self.policy)
        self.assert_status(0, ran)
        for word in ("rule", "address", "length", "direction", "expected", "actual",
                     self.fault["rule"], f"policy {self.policy}"):
            self.assertIn(word, ran.text)
        seen = ran.results()["violations"][0]
        self.assertEqual(seen["rule"], self.fault["rule"])
        if self.fault["rule"] == "iommu":
            self.assertRegex(ran.text, r"the IOMMU +denied a write at page 0x[0-9a-f]+ by 41:00\.0")
        if self.policy == "abort" or self.fault["rule"] == "iommu":
            self.assertEqual(seen["landed"], diagnosis.NOWHERE)
            self.assertNotIn("overwritten", ran.text)
            return
        if self.policy == "record":
            self.assertEqual(seen["landed"], seen["fault"])
        if self.policy == "wrap":
            self.assertEqual(seen["landed"] != seen["fault"],
                             self.fault["name"] in ASTRAY)
            self.assertEqual("overwritten" in ran.text, self.fault["name"] != "node")


class Faults(running.RunCase):
    """The faults as a whole."""

    def test_the_classic_mistakes_are_there(self):
        self.assertLessEqual(CLASSIC, {fault["name"] for fault in table()})

    def test_abort_is_the_default(self):
        ran = self.run_with("--fault", table()[0]["name"])
        self.assert_status(0, ran)
        self.assertEqual(ran.results()["arguments"]["policy"], "abort")

    def test_a_driver_without_the_mistake_is_not_said_to_be_caught(self):
        driver = Path(os.environ["PCMASTER_BUILD"], guest.IMAGES["driver.sys"])
        ran = self.run_with("--fault", table()[0]["name"], "--driver", driver)
        self.assert_status(1, ran)


def table():
    """The faults that the guest knows."""
    program = Path(os.environ["PCMASTER_BUILD"], guest.IMAGES["exercises"])
    return json.loads(subprocess.check_output([program, "--list"]))["faults"]


def load_tests(loader, tests, pattern):
    """A case for each fault and policy, besides those above."""
    tests.addTests(Fault(fault, policy) for fault in table() for policy in POLICIES)
    return tests

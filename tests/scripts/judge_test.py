# SPDX-License-Identifier: MIT
"""The judge: each party's objection alone must be enough to fail a run."""

import tempfile
import unittest
from pathlib import Path

from pcmaster import boot, guest, judge, machine, tap, wav
from pcmaster.ui import Problem

RESET = "pcmaster_reset all registers and queues\n"
LIMIT = ("pcmaster_violation_limit address 0x1000000 length 4096 write requester 255 "
         "last legal byte 0xffffff last byte asked for 0x1000fff fault 0x1000000 "
         "landed {} policy {}\n")
LANDED = {"abort": "0xffffffffffffffff", "wrap": "0x0", "record": "0x1000000"}
END = "pcmaster_exerciser_end command {} result {} transferred {} mismatches {}\n"
BOTH = END.format(1, 0, 64, 0) + END.format(2, 0, 64, 0)
DMA = {"filled": 64, "verified": 64}
PROVOKED = {"rule": "limit", "direction": "write", "address": "0x1000000",
            "length": "4096", "fault": "0x1000000", "landed": LANDED["abort"],
            "policy": "abort"}
GUEST = guest.Guest(Path("/"), {}, [{"name": "limit/24-bit"}, {"name": "node/0"}],
                    [{"name": "limit", "rule": "limit", "about": ""}], [])
EXACT = wav.Comparison(10, 10, None)


def limit(policy):
    """The device's line about a violation of its limit."""
    return LIMIT.format(LANDED[policy], policy)


def outcome(status=boot.HELD, silent=False):
    """How a boot ended."""
    return boot.Boot(status, [], 60, silent, 1.0, "")


def stream(*points, planned=None):
    """TAP results from (name, ok, details)."""
    made = [tap.Point(number, name, ok, None, details)
            for number, (name, ok, details) in enumerate(points, 1)]
    return tap.Results(len(made) if planned is None else planned, made)


class OutFolder(unittest.TestCase):
    """An out folder with a device log."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)
        self.device_says(RESET + BOTH)

    def device_says(self, text):
        """Writes the device's log."""
        (self.out / "device.log").write_text(text)

    def plan(self, **keys):
        """A plan with that command line."""
        return machine.Plan({}, Path("/"), keys, self.out)


class JudgeTest(OutFolder):
    """Runs that ought to hold."""

    def complaints(self, end=None, results=None, comparison=EXACT, due=("node/0",)):
        """What the judge says of a run that holds but for what is given."""
        results = results or stream(("node/0", True, DMA))
        return judge.judge(self.plan(), end or outcome(), results, (comparison, None),
                           due).complaints

    def test_a_run_that_holds(self):
        self.assertEqual(self.complaints(), [])
        self.assertEqual(self.complaints(comparison=None), [])

    def test_each_recording(self):
        wrong = wav.Comparison(10, 9, None)
        for pair in ((wrong, None), (EXACT, wrong), (None, wrong)):
            found = judge.judge(self.plan(), outcome(), stream(("node/0", True, DMA)), pair, ("node/0",))
            self.assertEqual(found.complaints,
                             ["the recording is not what was played: 9 frames recorded, 10 expected"])

    def test_how_qemu_ended(self):
        for end in (outcome(boot.FAILED), outcome(boot.COULD_NOT_START), outcome(0),
                    outcome(boot.BUG_CHECK), outcome(-11), outcome(silent=True)):
            self.assertEqual(self.complaints(end), [end.ended])

    def test_a_result_that_did_not_hold(self):
        self.assertEqual(self.complaints(results=stream(("node/0", False, DMA))),
                         ["node/0 did not hold"])

    def test_a_broken_stream(self):
        self.assertEqual(len(self.complaints(
            results=stream(("node/0", True, DMA), planned=2))), 1)

    def test_an_exercise_that_gave_no_result(self):
        self.assertEqual(self.complaints(due=["node/0", "play"]),
                         ["play gave no result"])

    def test_many_that_gave_no_result(self):
        said = self.complaints(due=[f"node/{number}" for number in range(300)])
        self.assertEqual(len(said), judge.SHOWN + 1)
        self.assertEqual(said[-1], f"{299 - judge.SHOWN} more gave no result")

    def test_a_violation_that_the_guest_kept_to_itself(self):
        self.device_says(RESET + BOTH + limit("abort"))
        self.assertEqual(self.complaints(),
                         ["the device reports a violation of limit at 0x1000000"])

    def provoked(self, *violations):
        """What the judge says if the guest announced these violations."""
        return self.complaints(results=stream(("node/0", True, {
            **DMA, "expects_violation": True, "violations": list(violations)})))

    def test_violations_that_were_provoked(self):
        self.device_says(RESET + BOTH + limit("abort"))
        self.assertEqual(self.provoked(PROVOKED), [])
        self.assertEqual(len(self.provoked()), 1)
        self.assertIn("does not report", self.provoked(PROVOKED, PROVOKED)[0])
        for key, value in (("rule", "node"), ("direction", "read"), ("policy", "wrap"),
                           ("address", "0x0"), ("length", "1"), ("fault", "0x0")):
            self.assertEqual(len(self.provoked({**PROVOKED, key: value})), 2)
        self.device_says(RESET + BOTH + 2 * limit("abort"))
        self.assertEqual(len(self.provoked(PROVOKED)), 1)

    def test_dma_that_did_not_happen(self):
        for log in ("", END.format(1, 0, 64, 0), END.format(1, 0, 128, 0),
                    END.format(1, 0, 64, 0) + END.format(2, 2, 64, 1),
                    END.format(1, 1, 64, 0) + END.format(2, 0, 64, 0)):
            self.device_says(RESET + log)
            self.assertIn("bytes that the device has", self.complaints()[0])

    def test_dma_that_nobody_speaks_of(self):
        self.device_says(RESET + BOTH + BOTH)
        self.assertEqual(len(self.complaints()), 2)
        self.device_says(RESET)
        results = stream(("node/0", True, {"filled": 0, "verified": 0}))
        self.assertEqual(len(self.complaints(results=results)), 2)
        results = stream(("node/0", True, {"no_dma": True}))
        self.assertEqual(self.complaints(results=results), [])

    def test_the_nearest_node_is_the_machine_s(self):
        for preferred, node, held in ((2, 1, True), (2, 0, False), (3, 0, True),
                                      (3, 1, False)):
            results = stream(("node/0", True, {
                **DMA, "preferred": preferred, "instead": [0, 1], "node": str(node)}))
            self.assertEqual(not self.complaints(results=results), held)

    def test_threads_ran_on_all_processors(self):
        cpus = self.plan().shape.cpus
        for count in (0, cpus - 1, cpus, cpus + 1):
            results = stream(("node/0", True, {**DMA, "processors": count}))
            self.assertEqual(not self.complaints(results=results), count == cpus)

    def test_a_device_log_that_proves_nothing(self):
        self.device_says("")
        self.assertIn("holds no report", self.complaints()[0])
        (self.out / "device.log").unlink()
        self.assertEqual(len(self.complaints()), 1)

    def test_a_recording_that_differs(self):
        self.assertEqual(len(self.complaints(comparison=wav.Comparison(10, 9, None))), 1)


class FaultTest(OutFolder):
    """Runs of a driver that makes a mistake."""

    def fault(self, policy, details, log, ok=True):
        """What the judge says of such a run."""
        self.device_says(log)
        results = stream(("fault/limit", ok, details))
        return judge.judge_fault(self.plan(policy=policy), outcome(), results,
                                 GUEST.faults[0]).complaints

    def test_caught(self):
        for policy in ("abort", "record"):
            self.assertEqual(self.fault(policy, {"address": "0x1000000"},
                                        RESET + limit(policy)), [])

    def test_what_went_astray_needs_a_victim(self):
        log = RESET + limit("wrap")
        details = {"address": "0x1000000"}
        self.assertEqual(len(self.fault("wrap", details, log)), 1)
        self.assertEqual(self.fault("wrap", {**details, "victim": "x"}, log), [])

    def test_the_guest_s_word_alone_is_not_enough(self):
        details = {"address": "0x1000000"}
        self.assertIn("no violation of limit under abort",
                      self.fault("abort", details, RESET)[0])
        self.assertEqual(len(self.fault("abort", details,
                                        RESET + limit("record"))), 1)

    def test_the_device_s_word_alone_is_not_enough(self):
        log = RESET + limit("abort")
        self.assertEqual(self.fault("abort", {"address": "0x1000000"}, log, ok=False),
                         ["fault/limit was not caught"])

    def test_the_two_must_speak_of_the_same_address(self):
        log = RESET + limit("abort")
        self.assertIn("speaks of address 0x2000", self.fault(
            "abort", {"address": "0x2000"}, log)[0])
        self.assertEqual(len(self.fault("abort", {}, log)), 1)


class SelectionTest(unittest.TestCase):
    """Globs and names."""

    def test_globs(self):
        self.assertEqual(judge.exercises(GUEST, "*"), ["limit/24-bit", "node/0"])
        self.assertEqual(judge.exercises(GUEST, "node/?"), ["node/0"])
        self.assertEqual(judge.exercises(GUEST, "play"), [])

    def test_faults(self):
        self.assertEqual(judge.fault(GUEST, "limit")["rule"], "limit")
        with self.assertRaisesRegex(Problem, "there are: limit"):
            judge.fault(GUEST, "other")

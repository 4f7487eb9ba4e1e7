# SPDX-License-Identifier: MIT
"""Which descriptions of the migration stream are kept, and which still count."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from pcmaster import vmstate
from pcmaster.ui import Problem


class RecordsTest(unittest.TestCase):
    """Descriptions in a folder of the test's own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(mock.patch.object(vmstate, "RECORDS", Path(folder.name)))

    def test_versions_that_are_still_accepted(self):
        for version in (1, 2, 10):
            vmstate.record(version).write_text("{}")
        self.assertEqual(vmstate.recorded(1), [1, 2, 10])
        self.assertEqual(vmstate.recorded(2), [2, 10])
        self.assertEqual(vmstate.recorded(11), [])

    def test_versions_of_a_description(self):
        state = {"Description": {"minimum_version_id": 2, "version_id": 3}}
        self.assertEqual(vmstate.versions(state), (2, 3))
        self.assertEqual(json.loads(vmstate.as_dump(state)), {"pcmaster": state})

    def test_a_qemu_that_writes_nothing(self):
        with mock.patch("pcmaster.process.output", return_value=None), \
                self.assertRaisesRegex(Problem, "no description"):
            vmstate.dump(Path("/nowhere"))

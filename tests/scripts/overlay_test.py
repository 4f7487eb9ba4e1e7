# SPDX-License-Identifier: MIT
"""The overlay, on small trees that have the lines it goes by."""

import os
import re
import tempfile
import unittest
from pathlib import Path

from pcmaster import overlay
from pcmaster.ui import Problem

TREE = {
    "hw/audio/meson.build": "system_ss.add(files('audio-hmp-cmds.c'))\n"
                            "system_ss.add(when: 'CONFIG_AC97', if_true: files('ac97.c'))\n",
    "hw/audio/Kconfig": "config SB16\n    bool\n",
    "meson.build": "  trace_events_subdirs += [\n    'hw/arm',\n    'hw/audio',\n  ]\n",
    "tests/qtest/meson.build":
        "qtests_pci = \\\n"
        "  (config_all_devices.has_key('CONFIG_HDA') ? ['intel-hda-test'] : []) +  \\\n"
        "slow_qtests = {\n  'cdrom-test' : 610,\n}\n"
        "qtests = {\n  'cdrom-test': files('boot-sector.c'),\n}\n",
    "tests/qtest/fuzz/meson.build": "specific_fuzz_ss.add(files('generic_fuzz.c'))\n",
}


class OverlayTest(unittest.TestCase):
    """Each case has a tree of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name)
        for name, text in TREE.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def contents(self):
        """Every file of the tree with its bytes."""
        return {str(path.relative_to(self.tree)): path.read_bytes()
                for path in self.tree.rglob("*") if path.is_file()}

    def test_each_line_stands_before_its_anchor(self):
        overlay.apply(self.tree)
        for edit in overlay.EDITS:
            text = (self.tree / edit.file).read_text()
            self.assertEqual(text.count(edit.line), 1)
            after = text.partition(edit.line)[2].partition("\n")[0]
            self.assertIn(edit.anchor, after)

    def test_every_file_of_the_device_arrives(self):
        overlay.apply(self.tree)
        for name, source in overlay.our_files().items():
            self.assertEqual((self.tree / name).read_bytes(), source.read_bytes())
        self.assertTrue((self.tree / overlay.DEVICE / "meson.build").is_file())
        self.assertTrue((self.tree / "tests/qtest/pcmaster-test.c").is_file())
        self.assertTrue((self.tree / "tests/qtest/fuzz/pcmaster-fuzz.c").is_file())

    def test_twice_changes_nothing(self):
        overlay.apply(self.tree)
        before = self.contents()
        self.assertEqual(overlay.apply(self.tree), [])
        self.assertEqual(self.contents(), before)

    def test_only_what_differs_is_written(self):
        overlay.apply(self.tree)
        stale = self.tree / overlay.DEVICE / "meson.build"
        stale.write_text("stale\n")
        other = self.tree / overlay.DEVICE / "Kconfig"
        os.utime(other, (1, 1))
        self.assertEqual(overlay.apply(self.tree), [stale])
        self.assertEqual(other.stat().st_mtime, 1)

    def test_a_file_that_we_no_longer_have_goes_away(self):
        overlay.apply(self.tree)
        left = self.tree / overlay.DEVICE / "gone.c"
        left.write_text("int gone;\n")
        self.assertEqual(overlay.apply(self.tree), [left])
        self.assertFalse(left.exists())

    def test_remove_restores_the_tree(self):
        before = self.contents()
        overlay.apply(self.tree)
        overlay.remove(self.tree)
        self.assertEqual(self.contents(), before)
        self.assertFalse((self.tree / overlay.DEVICE).exists())

    def test_a_missing_anchor_is_named(self):
        for edit in overlay.EDITS:
            with self.subTest(file=edit.file, anchor=edit.anchor):
                self.setUp()
                path = self.tree / edit.file
                path.write_text(path.read_text().replace(edit.anchor, "unknown"))
                before = self.contents()
                with self.assertRaisesRegex(Problem, f"{edit.file}.*{re.escape(edit.anchor)}"):
                    overlay.apply(self.tree)
                self.assertEqual(self.contents(), before)

    def test_a_line_spaced_otherwise_is_ours_too(self):
        path = self.tree / overlay.EDITS[3].file
        path.write_text(overlay.EDITS[3].line.replace("+  ", "+      ") + path.read_text())
        overlay.apply(self.tree)
        self.assertEqual(path.read_text().count("CONFIG_PCMASTER"), 1)
        overlay.remove(self.tree)
        self.assertEqual(path.read_text(), TREE[overlay.EDITS[3].file])

    def test_the_qtest_consists_of_all_of_our_sources(self):
        overlay.apply(self.tree)
        path = self.tree / overlay.QTESTS / "meson.build"
        listed = re.search(r"  'pcmaster-test': files\((.*)\),\n", path.read_text())[1]
        sources = (self.tree / overlay.QTESTS).glob("pcmaster-*.c")
        self.assertEqual(re.findall(r"'([^']*)'", listed),
                         sorted({source.name for source in sources} - {"pcmaster-test.c"}))

    def test_a_list_of_other_sources_is_replaced(self):
        overlay.apply(self.tree)
        path = self.tree / overlay.QTESTS / "meson.build"
        text = path.read_text()
        path.write_text(text.replace("'pcmaster-registers.c'", "'pcmaster-gone.c'"))
        self.assertEqual(overlay.apply(self.tree), [path])
        self.assertEqual(path.read_text(), text)

    def test_what_a_link_leads_to_is_never_touched(self):
        for name in (overlay.DEVICE, overlay.QTESTS / "pcmaster-test.c",
                     Path(overlay.EDITS[0].file), Path("hw")):
            for call in (overlay.apply, overlay.remove):
                with self.subTest(name=name, call=call):
                    self.setUp()
                    overlay.apply(self.tree)
                    elsewhere = self.tree / "elsewhere"
                    (self.tree / name).rename(elsewhere)
                    (self.tree / name).symlink_to(elsewhere)
                    before = self.contents()
                    with self.assertRaisesRegex(Problem, "is a link to"):
                        call(self.tree)
                    self.assertEqual(self.contents(), before)

    def test_another_folder_is_no_tree(self):
        (self.tree / "hw/audio/Kconfig").unlink()
        with self.assertRaisesRegex(Problem, "no QEMU source tree"):
            overlay.apply(self.tree)

    def test_edits_come_from_the_pristine_tree(self):
        pristine = self.tree
        self.setUp()
        (self.tree / "meson.build").write_text("'hw/audio', of an older version\n")
        overlay.apply(self.tree, pristine)
        text = (self.tree / "meson.build").read_text()
        self.assertEqual(text.replace(overlay.EDITS[2].line, ""), TREE["meson.build"])
        self.assertEqual((pristine / "meson.build").read_text(), TREE["meson.build"])

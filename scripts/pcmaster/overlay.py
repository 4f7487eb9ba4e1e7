# SPDX-License-Identifier: MIT
"""Puts the device and its qtests into a QEMU source tree, and takes them out.

A tree is not forked or patched: our files are copied into folders and names
of their own, and six one-line edits, each put before a line that is there in
QEMU 7.2 to 10.2, make the build take them in. Doing it twice changes nothing,
and a file whose content is right keeps its time stamp, so that the next build
compiles what changed and no more.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pcmaster import CHECKOUT
from pcmaster.cache import write_whole
from pcmaster.ui import Problem, command

DEVICE = Path("hw/audio/pcmaster")
QTESTS = Path("tests/qtest")
QTEST_FILES = "pcmaster-*"
QTEST = "pcmaster-test"     # the program; its main file is named after it
FUZZ = QTESTS / "fuzz"
FUZZ_FILES = "pcmaster-*"


@dataclass(frozen=True)
class Edit:
    """A line of ours, what tells it from others, and the line it is put before."""

    file: str
    anchor: str
    mark: str
    line: str

    def remove(self, text):
        """The file's text without our line, however it is spaced."""
        return "".join(line for line in text.splitlines(keepends=True)
                       if self.mark not in line)

    def insert(self, text):
        """The file's text with our line in it, once."""
        if text.count(self.mark) == text.count(self.line) == 1:
            return text
        lines = self.remove(text).splitlines(keepends=True)
        for number, line in enumerate(lines):
            if self.anchor in line:
                return "".join([*lines[:number], self.line, *lines[number:]])
        raise Problem(f"{self.file} has no line with «{self.anchor}»: this QEMU "
                      "is unlike those that the overlay knows (7.2 to 10.2).")


def qtest_sources():
    """The files that the qtest consists of besides its main one, for meson."""
    names = {path.name for path in (CHECKOUT / QTESTS).glob(f"{QTEST_FILES}.c")}
    return ", ".join(f"'{name}'" for name in sorted(names - {f"{QTEST}.c"}))


EDITS = (
    Edit("hw/audio/meson.build", "files('ac97.c')", "subdir('pcmaster')",
         "subdir('pcmaster')\n"),
    Edit("hw/audio/Kconfig", "config ", "source pcmaster/Kconfig",
         "source pcmaster/Kconfig\n"),
    Edit("meson.build", "'hw/audio',", "'hw/audio/pcmaster',",
         "    'hw/audio/pcmaster',\n"),
    Edit("tests/qtest/meson.build", "['intel-hda-test']", f"['{QTEST}']",
         "  (config_all_devices.has_key('CONFIG_PCMASTER') "
         f"? ['{QTEST}'] : []) +  \\\n"),
    Edit("tests/qtest/meson.build", "'cdrom-test': files(", f"'{QTEST}': files(",
         f"  '{QTEST}': files({qtest_sources()}),\n"),
    Edit("tests/qtest/fuzz/meson.build", "files('generic_fuzz.c')", "'pcmaster-fuzz.c'",
         "specific_fuzz_ss.add(when: 'CONFIG_PCMASTER', "
         "if_true: files('pcmaster-fuzz.c'))\n"),
)


def apply(tree, pristine=None):
    """Brings the overlay in a tree up to date; returns the files it wrote.

    pristine: the tree to take the edited files' text from, where that is not
    the tree itself.
    """
    check_tree(pristine or tree)
    check_links(tree)
    changed = _write_edited(tree, edited(pristine or tree, Edit.insert))
    ours = our_files()
    for name, source in ours.items():
        changed += _write(tree / name, source.read_bytes())
    for name in files_in(tree) - ours.keys():
        (tree / name).unlink()
        changed.append(tree / name)
    return changed


def remove(tree):
    """Takes the overlay out of a tree; returns the files it touched."""
    check_tree(tree)
    check_links(tree)
    changed = _write_edited(tree, edited(tree, Edit.remove))
    for name in sorted(files_in(tree)):
        (tree / name).unlink()
        changed.append(tree / name)
    for folder in sorted((tree / DEVICE).rglob("*"), reverse=True):
        folder.rmdir()
    if (tree / DEVICE).is_dir():
        (tree / DEVICE).rmdir()
    return changed


def edited(root, change):
    """The edited files below a folder, as name -> text after all edits.

    change: Edit.insert or Edit.remove
    """
    texts = {edit.file: (root / edit.file).read_text() for edit in EDITS}
    for edit in EDITS:
        texts[edit.file] = change(edit, texts[edit.file])
    return texts


def our_files():
    """The files of the overlay: name in a QEMU tree -> file in the checkout."""
    names = files_in(CHECKOUT)
    if not names:
        raise Problem(f"{CHECKOUT / DEVICE} holds no device.")
    return {name: CHECKOUT / name for name in sorted(names)}


def files_in(root):
    """The overlay's files below a checkout or a QEMU tree, as relative names."""
    found = [*(root / DEVICE).rglob("*"), *(root / QTESTS).glob(QTEST_FILES),
             *(root / FUZZ).glob(FUZZ_FILES)]
    return {path.relative_to(root) for path in found if path.is_file()}


def check_tree(tree):
    """Raises Problem if a folder is no QEMU source tree."""
    for edit in EDITS:
        if not (tree / edit.file).is_file():
            raise Problem(f"{tree} is no QEMU source tree: {edit.file} is missing.")


def check_links(tree):
    """Raises Problem if one of the names we write to is a link.

    Somebody's own files are behind it: not ours to write, still less to remove.
    """
    for name in [DEVICE, *(edit.file for edit in EDITS), *files_in(tree)]:
        target = (tree / name).resolve()
        if target != tree.resolve() / name:
            raise Problem(f"{tree / name} is a link to {target}. Remove the link "
                          "first: the overlay puts copies there.")


def _write_edited(tree, texts):
    """Writes the edited files that differ; returns their paths."""
    changed = []
    for name, text in texts.items():
        changed += _write(tree / name, text.encode())
    return changed


def _write(path, data):
    """Writes a file if its content differs; returns [path] if it did."""
    if path.is_file() and path.read_bytes() == data:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    return [path]


def main(argv=None):
    """The command line of scripts/overlay."""
    parser = argparse.ArgumentParser(
        prog="overlay", description="Puts the pcmaster device and its qtests "
        "into a QEMU source tree (7.2 to 10.2), or brings them up to date there. "
        "Then build QEMU as you are used to, and start it with -device pcmaster.")
    parser.add_argument("tree", metavar="QEMU_TREE", type=Path,
                        help="folder that holds QEMU's source")
    parser.add_argument("--remove", action="store_true",
                        help="take the device out of the tree again")
    options = parser.parse_args(argv)
    changed = (remove if options.remove else apply)(options.tree)
    for path in changed:
        print(path)
    print(f"{len(changed)} files changed in {options.tree}")
    return 0


if __name__ == "__main__":
    command(main)

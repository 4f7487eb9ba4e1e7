# SPDX-License-Identifier: MIT
"""A person's own kernel: what comes out of its file, and what is refused before a boot."""

import bz2
import gzip
import lzma
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))

from kernels import RELEASE, bzimage, elf, headers
from pcmaster import kernel, kernelimage, linuxguest, ownkernel
from pcmaster.cache import Cache
from pcmaster.ui import Problem


def zstd(data):
    """Compressed as kernels are by zstd, without the size that follows."""
    return subprocess.run(["zstd", "-1cq"], input=data, stdout=subprocess.PIPE, check=True).stdout


class ImageTest(unittest.TestCase):
    """The ELF file comes out of whatever it is wrapped in."""

    def test_compressed(self):
        ways = {"xz": lzma.compress, "gzip": gzip.compress, "bzip2": bz2.compress, "zstd": zstd,
                "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE)}
        for name, way in ways.items():
            with self.subTest(name):
                image = bzimage(way(elf()) + b"\x09\0\0\0")
                self.assertEqual(kernelimage.uncompressed(image, "k"), elf())

    def test_elf_stays(self):
        self.assertEqual(kernelimage.uncompressed(elf(), "k"), elf())

    def test_refused(self):
        for data in (b"", b"\x7fEL", b"\x7fELF", bytes(2048), bzimage(b"\x02\x21....")):
            with self.assertRaises(Problem):
                kernelimage.uncompressed(data, "k") and kernelimage.check(data, "k")

    def test_release(self):
        for data in (elf("6.5.0+"), bzimage(b"", "6.5.0+")):
            self.assertEqual(kernelimage.release(data, "k"), "6.5.0+")

    def test_no_release(self):
        for data in (elf("%s"), bzimage(b"", "")):
            with self.assertRaisesRegex(Problem, "which release"):
                kernelimage.release(data, "k")

    def test_other_processor(self):
        for data in (elf(machine=183), bzimage(b"", flags=0)):
            with self.assertRaisesRegex(Problem, "another processor"):
                kernelimage.check(data, "k")


class OwnTest(unittest.TestCase):
    """Kernel, headers, modules and settings must fit."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.cache = Cache(self.folder / "cache")
        patch = mock.patch.object(kernel, "tools", return_value=self.folder)
        patch.start()
        self.addCleanup(patch.stop)

    def own(self, image, folder=None, **settings):
        """What becomes of this image and of headers with these settings."""
        path = self.folder / "boot/vmlinuz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(image)
        return ownkernel.own(self.cache, path, folder or headers(self.folder / "h", **settings))

    def refused(self, pattern, *words, **settings):
        """A Problem whose message has this."""
        with self.assertRaisesRegex(Problem, pattern):
            self.own(*words, **settings)

    def test_elf_is_used_where_it_is(self):
        chosen = self.own(elf())
        self.assertEqual((chosen.release, chosen.vmlinux),
                         (RELEASE, self.folder / "boot/vmlinuz"))

    def test_bzimage_is_unpacked(self):
        chosen = self.own(bzimage(gzip.compress(elf())))
        self.assertEqual(chosen.vmlinux.read_bytes(), elf())

    def test_what_qemu_cannot_start_is_started_compressed(self):
        for image in (bzimage(gzip.compress(elf(pvh=False))), bzimage(b"\x02\x21....")):
            self.assertEqual(self.own(image).vmlinux, self.folder / "boot/vmlinuz")
        self.refused("CONFIG_PVH", elf(pvh=False))

    @mock.patch("pcmaster.cache.LATELY_S", 0)
    def test_few_are_kept(self):
        for number in range(2 * ownkernel.KEPT):
            self.own(bzimage(gzip.compress(elf() + bytes(number))))
        self.assertEqual(len(list(self.cache.path("linux-own").iterdir())), ownkernel.KEPT)

    def test_no_file(self):
        for name, says in (("none", "No such file"), (".", "directory"), ("empty", "empty")):
            (self.folder / "empty").write_bytes(b"")
            with self.assertRaisesRegex(Problem, f"--kernel .*{says}"):
                ownkernel.own(self.cache, self.folder / name, headers(self.folder / "h"))

    def test_headers_of_another_release(self):
        self.refused("6.1.1.* does not load", elf(), release="6.1.1")

    def test_headers_not_prepared(self):
        self.refused("no folder to build modules in", elf(), self.folder)
        for name in ownkernel.PREPARED:
            folder = headers(self.folder / "h")
            (folder / name).unlink()
            self.refused(f"there is no {name}", elf(), folder)

    def test_settings(self):
        for name in ownkernel.NEEDED:
            self.refused(f"CONFIG_{name} ", elf(), **{name: None})
        self.refused("CONFIG_MODULE_SIG_FORCE", elf(), MODULE_SIG_FORCE="y")

    def test_modules(self):
        self.refused("snd-pcm is in none of", elf(), SND_PCM="m")
        place = self.folder / f"lib/modules/{RELEASE}/kernel"
        place.mkdir(parents=True)
        (place / "snd-pcm.ko").write_bytes(b"\0depends=\0")
        first = self.own(elf(), SND_PCM="m")
        (place / "snd-pcm.ko").write_bytes(b"\0depends=\0 other")
        self.assertNotEqual(first.identity, self.own(elf(), SND_PCM="m").identity)

    def test_same_release_built_anew(self):
        first = self.own(elf())
        self.assertEqual(first, self.own(elf()))
        self.assertNotEqual(first.identity, self.own(elf(), HZ="100").identity)

    def test_compiler(self):
        for text, words in (("sh (Debian) 1", ["CC=sh"]), ("no-such-compiler 12", ["CC=gcc"])):
            chosen = self.own(elf(), CC_VERSION_TEXT=f'"{text}"')
            self.assertEqual(linuxguest.compiler(chosen), words)
        self.assertEqual(linuxguest.compiler(self.own(elf(), CC_IS_CLANG="y")),
                         ["CC=clang", "LLVM=1"])


if __name__ == "__main__":
    unittest.main()

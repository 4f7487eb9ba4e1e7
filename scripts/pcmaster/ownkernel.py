# SPDX-License-Identifier: MIT
"""A person's own kernel for the Linux guest, and whether all that belongs to it fits.

What would fail in the middle of a boot, or not at all and mislead, is looked at before.
"""

import dataclasses
import mmap
import re
from pathlib import Path

from pcmaster import kernel, kernelimage, linuxguest
from pcmaster.cache import digest, keep_latest, write_whole
from pcmaster.ui import Problem

RELEASE = re.compile(r'^#define UTS_RELEASE "(.+)"$', re.M)
# What kbuild needs to build a module outside the tree, each made by "make modules".
PREPARED = ("include/generated/utsrelease.h", "include/generated/autoconf.h",
            "include/config/auto.conf", "Module.symvers", "scripts/mod/modpost")
# What the guest cannot do without, and what for.
NEEDED = {
    "X86_64": "processors of 64 bits", "MODULES": "modules", "PCI": "PCI",
    "SND_PCM": "sound, of ALSA", "BLK_DEV_INITRD": "an initramfs", "DEVTMPFS": "/dev",
    "PROC_FS": "/proc", "SYSFS": "/sys", "BINFMT_ELF": "programs", "BINFMT_SCRIPT": "scripts",
    "SERIAL_8250_CONSOLE": "a console", "X86_IOPL_IOPERM": "ports for programs",
}
SIGNED_ONLY = "MODULE_SIG_FORCE"
KEPT = 4


def own(cache, image, headers):
    """A kernel file with the folder that modules for it are built in (lock held)."""
    with _opened(image) as data:
        kernelimage.check(data, image)
        release = kernelimage.release(data, image)
        _check_headers(headers, release, image)
        bootable = _bootable(cache, data, image)
    chosen = kernel.Kernel(release, bootable, headers.absolute(),
                           tuple(_module_folders(image.absolute(), headers.absolute(), release)),
                           kernel.tools(cache), _built_against(headers))
    _check_settings(chosen, image)
    return dataclasses.replace(chosen, identity=digest(chosen.identity, *_sound_modules(chosen)))


def _opened(image):
    try:
        with open(image, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise Problem(f"--kernel {image}: {error.strerror}") from error
    except ValueError as error:         # of a file without a byte
        raise Problem(f"--kernel {image}: {error}") from error


def _check_headers(headers, release, image):
    """Raises Problem unless modules for this release can be built there."""
    if not (headers / "Makefile").is_file():
        raise Problem(f"--headers {headers}: no folder to build modules in. Of a distribution "
                      f"it is /lib/modules/{release}/build, once the headers' package is "
                      "installed; of a kernel that you built, its build folder.")
    missing = [name for name in PREPARED if not (headers / name).is_file()]
    if missing:
        raise Problem(f"--headers {headers}: not prepared for building modules: there is no "
                      f"{missing[0]}. In a kernel's own tree 'make modules' makes it; of a "
                      "distribution install all packages of the headers.")
    found = RELEASE.search((headers / PREPARED[0]).read_text(errors="replace"))
    if not found or found[1] != release:
        raise Problem(f"--headers {headers} are those of Linux "
                      f"{found[1] if found else 'without a name'}, and {image} is Linux "
                      f"{release}: a module for the one does not load into the other.")


def _bootable(cache, data, image):
    """What QEMU starts: the ELF file, if that has an entry for it, or else the bzImage."""
    if data[:4] == kernelimage.ELF:
        if not kernelimage.starts_as_elf(data):
            raise Problem(f"{image}: QEMU starts an ELF file only if it is configured with "
                          "CONFIG_PVH. Give the bzImage (arch/x86/boot/bzImage) instead.")
        return image.absolute()
    home = cache.path("linux-own", digest(data[:]))
    if not home.is_dir():
        try:
            inner = kernelimage.uncompressed(data, image)
        except kernelimage.OtherCompression:
            inner = b""
        home.parent.mkdir(exist_ok=True)
        with cache.scratch() as work:
            made = work / "made"
            made.mkdir()
            if kernelimage.starts_as_elf(inner):
                write_whole(made / "vmlinux", inner)
            made.rename(home)
    keep_latest(home, KEPT)
    unpacked = home / "vmlinux"
    return unpacked if unpacked.is_file() else image.absolute()


def _module_folders(image, headers, release):
    """Where the kernel's own modules may be: of a build folder, beside either, or installed."""
    yield headers
    if headers.name == "build":
        yield headers.parent
    for root in (image.parent.parent, image.parent.parent / "usr", Path("/")):
        yield root / "lib/modules" / release
    if image.parent.name == release:
        yield image.parent


def _built_against(headers):
    """A key of what a module depends on besides its own source."""
    return digest(*((headers / name).read_bytes() for name in
                    ("Module.symvers", "include/config/auto.conf")))


def _check_settings(chosen, image):
    """Raises Problem if the kernel was configured without what the guest needs."""
    settings = chosen.settings()
    missing = [f"CONFIG_{name} ({what})" for name, what in NEEDED.items()
               if settings.get(name) not in ("y", "m")]
    if missing:
        raise Problem(f"{image}: Linux {chosen.release} was built without what the guest "
                      f"needs: {', '.join(missing)}.")
    if settings.get(SIGNED_ONLY) == "y":
        raise Problem(f"{image}: Linux {chosen.release} loads no module that it did not sign "
                      f"(CONFIG_{SIGNED_ONLY}), and ours is none of them.")


def _sound_modules(chosen):
    """The kernel's modules that ours needs, as keys; Problem if they are not to be found."""
    if chosen.settings()["SND_PCM"] == "y":
        return []
    first = linuxguest.find_module(chosen, "snd-pcm")
    if first is None:
        raise Problem(f"Linux {chosen.release} has its sound in modules, and snd-pcm is in "
                      "none of these folders:\n  " + "\n  ".join(map(str, chosen.modules))
                      + "\nDIR/boot/KERNEL goes with DIR/lib/modules/RELEASE.")
    return [path.read_bytes() for path in linuxguest.load_order(chosen, first)]

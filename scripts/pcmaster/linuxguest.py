# SPDX-License-Identifier: MIT
"""What the Linux guest is made of: the module, the programs, the initramfs.

All of it is kept in the cache, by what went into it.
"""

import gzip
import lzma
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pcmaster import CHECKOUT, initramfs, process
from pcmaster.cache import (digest, keep_latest, program_id, remove, tree_digest,
                            write_whole)
from pcmaster.ui import Problem, Step

MODULE = "snd-pcmaster"
SOURCE = Path("guest-driver/linux")
REGISTERS = Path("hw/audio/pcmaster/pcmaster_regs.h")
KEPT = 8
ALSA = Path("/usr/share/alsa")
SOUND_PROGRAMS = ("aplay", "amixer")
APPLETS = """
    awk cat chmod cmp cp cttyhack cut date dd dmesg echo env expr false grep head insmod kill
    killall ln ls lspci mkdir mknod mount mv poweroff ps pwd rm rmmod sed seq setsid sh sleep
    sort stty sync tail test timeout top touch tr true umount uname uniq usleep wc xargs
""".split()
SIGNATURE = b"~Module signature appended~\n"


@dataclass(frozen=True)
class LinuxGuest:
    """What QEMU boots; a second archive may follow the first."""

    release: str
    vmlinux: Path
    base: Path          # an initramfs without /job
    hz: int             # the kernel's ticks in a second


def ensure(cache, kernel, host, more=(), mistakes=False):
    """Builds module and initramfs for a kernel if anything changed (lock held).

    host: the folder of our own programs. more: other modules to have at hand, which
    are not loaded. mistakes: the module that can be told to make some.
    """
    module = build_module(cache, kernel, mistakes)
    programs = sorted(host.glob("pcmaster-*"))
    programs = [path for path in programs if path.is_file()]
    key = digest(module.parent.name, *more, *map(program_id, SOUND_PROGRAMS),
                 (CHECKOUT / SOURCE / "user/init").read_bytes(),
                 Path(__file__).read_bytes(), Path(__file__).with_name("kernel.py").read_bytes(),
                 *(path.read_bytes() for path in programs))
    base = cache.path("linux-initramfs", f"{key}.cpio")
    if not base.is_file():
        base.parent.mkdir(exist_ok=True)
        write_whole(base, make_base(kernel, module, programs, more))
    keep_latest(base, KEPT)
    return LinuxGuest(kernel.release, kernel.vmlinux, base, kernel.hz)


def compiler(kernel):
    """The words that tell make which compiler to use: the kernel's, if it is there."""
    settings = kernel.settings()
    if settings.get("CC_IS_CLANG") == "y":
        return ["CC=clang", "LLVM=1"]
    own = settings.get("CC_VERSION_TEXT", "").partition(" ")[0]
    return [f"CC={own if shutil.which(own) else 'gcc'}"]


def build_module(cache, kernel, mistakes=False, words=()):
    """snd-pcmaster.ko for a kernel, built in a copy of its source.

    words: more of them for make, such as W=1; then it is built anew.
    """
    names = [SOURCE.as_posix(), REGISTERS.as_posix()]
    used = compiler(kernel)
    key = digest(kernel.release, str(kernel.headers), kernel.identity, mistakes, *words, *used,
                 tree_digest(CHECKOUT, names), program_id(used[0].partition("=")[2]))
    final = cache.path("linux-modules", key)
    image = final / f"{MODULE}.ko"
    if image.is_file() and not words:
        keep_latest(final, KEPT)
        return image
    final.parent.mkdir(exist_ok=True)
    log = cache.log(f"linux-module-{kernel.release}")
    with Step(f"{MODULE} for Linux {kernel.release}") as step, cache.scratch() as work:
        make_module(kernel, work, log, step, mistakes, words)
        result = work / "result"
        result.mkdir()
        shutil.copy2(work / SOURCE / f"{MODULE}.ko", result)
        shutil.copy2(log, result / "log")
        remove(final)
        result.rename(final)
    keep_latest(final, KEPT)
    return image


def make_module(kernel, work, log, step, mistakes, words):
    """Builds a copy of the module's source below work."""
    target = work / SOURCE
    shutil.copytree(CHECKOUT / SOURCE, target)
    (work / REGISTERS).parent.mkdir(parents=True)
    shutil.copy2(CHECKOUT / REGISTERS, work / REGISTERS)
    env = process.build_environment()
    words = ["make", "-C", kernel.headers, f"M={target}", "modules", *compiler(kernel),
             *(["MISTAKES=1"] if mistakes else []), *words]
    try:
        process.run_logged(words, log, step, env=env)
    except process.Failed as failed:
        raise Problem(f"{MODULE} cannot be built for Linux {kernel.release} in {kernel.headers}: "
                      f"{failed}\n  {_ADVICE}") from failed


_ADVICE = """\
If it is the compiler, install the one that made the kernel, by the name that it has in
  include/config/auto.conf, CONFIG_CC_VERSION_TEXT; if a file is missing there, the rest of
  the headers' packages."""


def make_base(kernel, module, programs, more):
    """The archive: programs, their libraries, ALSA's configuration, modules."""
    archive = initramfs.Archive()
    archive.device("dev/console", 5, 1)
    for name in ("proc", "sys", "tmp", "root"):
        archive.folder(name)
    archive.file("bin/busybox", (kernel.tools / "bin/busybox").read_bytes(), 0o755)
    for name in APPLETS:
        archive.link(f"bin/{name}", "busybox")
    for path in programs:
        archive.file(f"bin/{path.name}", path.read_bytes(), 0o755)
    archive.file("init", (CHECKOUT / SOURCE / "user/init").read_bytes(), 0o755)
    _add_sound(archive)
    _add_modules(archive, kernel, module, more)
    return archive.whole()


def _add_sound(archive):
    """alsa-utils of this system, with their libraries."""
    libraries = set()
    for name in SOUND_PROGRAMS:
        path = shutil.which(name)
        archive.file(f"bin/{name}", Path(path).read_bytes(), 0o755)
        libraries |= set(re.findall(r"(/\S+) \(0x", process.output(["ldd", path]) or ""))
    archive.link("bin/arecord", "aplay")
    for library in sorted(libraries):
        archive.file(library.lstrip("/"), Path(library).read_bytes(), 0o755)
    archive.file("usr/share/alsa/alsa.conf", (ALSA / "alsa.conf").read_bytes())
    for path in sorted((ALSA / "pcm").glob("*.conf")):
        archive.file(f"usr/share/alsa/pcm/{path.name}", path.read_bytes())


def _add_modules(archive, kernel, module, more):
    """Our module and what it needs, and the order to load them in."""
    for wanted, listing in ((module, "order"), *((name, f"order-{name}") for name in more)):
        first = wanted if isinstance(wanted, Path) else find_module(kernel, wanted)
        if first is None:
            raise Problem(f"Linux {kernel.release} has no module {wanted}")
        order = load_order(kernel, first)
        for path in order:
            name = f"modules/{plain(path)}"
            if name not in archive.folders:
                archive.folders.add(name)
                archive.file(name, unsigned(path))
        archive.file(f"modules/{listing}",
                     " ".join(plain(path) for path in order).encode() + b"\n")


def plain(path):
    """A module's file name without what it is compressed by."""
    return f"{path.name.partition('.ko')[0]}.ko"


def load_order(kernel, path, seen=None):
    """A module and those it depends on, which come first; built-in ones left out."""
    seen = [] if seen is None else seen
    match = re.search(rb"\0depends=([^\0]*)\0", contents(path))
    for name in (match[1].decode().split(",") if match and match[1] else []):
        found = find_module(kernel, name)
        if found and found not in seen:
            load_order(kernel, found, seen)
    if path not in seen:
        seen.append(path)
    return seen


def find_module(kernel, name):
    """The file of a module, in which - and _ are the same; None: it is built in."""
    wanted = name.replace("_", "-")
    for folder in kernel.modules:
        for path in sorted(folder.rglob("*.ko*")):
            if path.name.partition(".ko")[0].replace("_", "-") == wanted:
                return path
    return None


def contents(path):
    """A module, uncompressed."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    return process.filtered(["zstd", "-dcq"], data, path) if path.suffix == ".zst" else data


def unsigned(path):
    """A module without its signature, whose check takes longer than all the rest.

    A kernel that insists on signatures would not load ours either.
    """
    data = contents(path)
    if not data.endswith(SIGNATURE):
        return data
    rest = len(data) - len(SIGNATURE)
    length = int.from_bytes(data[rest - 4:rest], "big")
    return data[:rest - 12 - length]

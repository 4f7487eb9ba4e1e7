# SPDX-License-Identifier: MIT
"""Kernels as files: a bzImage, as Debian's vmlinuz is one, or the ELF file inside it.

What is read of a bzImage is Linux's boot protocol for x86: the sector that begins it
says where its payload lies and where a line with its release.
"""

import bz2
import lzma
import re
import struct
import zlib

from pcmaster import process
from pcmaster.ui import Problem

ELF = b"\x7fELF"
ELF_HEAD, ELF64, X86_64 = 64, 2, 62
SECTOR = 512
SETUP_SECTORS, VERSION, FLAGS, PAYLOAD = 0x1f1, 0x20e, 0x236, 0x248
LONG_MODE = 1               # of the flags: the kernel is one of 64 bits
BANNER = re.compile(rb"Linux version (\d[^\s\0]*) ")
# The note by which QEMU starts an ELF file: owner Xen, type 18, an address of 4 or 8 bytes.
PVH = re.compile(rb"\x04\0\0\0[\x04\x08]\0\0\0\x12\0\0\0Xen\0")
GZIP = 31                   # zlib's word for: with gzip's head


class OtherCompression(Problem):
    """A kernel is compressed in a way that this does not know."""


def check(data, path):
    """Raises Problem for what is no kernel for x86-64."""
    if data[:4] == ELF and len(data) > ELF_HEAD:
        machine, = struct.unpack_from("<H", data, 18)
        fits = data[4] == ELF64 and machine == X86_64
    elif not is_bzimage(data):
        raise Problem(f"{path} is no kernel for x86: neither a bzImage nor an ELF file.")
    else:
        fits = data[FLAGS] & LONG_MODE
    if not fits:
        raise Problem(f"{path} is a kernel for another processor than x86-64.")


def is_bzimage(data):
    """Whether this begins as a compressed kernel for x86 does."""
    return (len(data) > 2 * SECTOR and data[0x1fe:0x200] == b"\x55\xaa"
            and data[0x202:0x206] == b"HdrS")


def release(data, path):
    """What uname -r says where this kernel runs."""
    if data[:4] == ELF:
        found = BANNER.search(data)
        text = found[1] if found else b""
    else:
        start = struct.unpack_from("<H", data, VERSION)[0] + SECTOR
        text = data[start:start + SECTOR].partition(b"\0")[0].partition(b" ")[0]
    if not text:
        raise Problem(f"{path} does not say which release of Linux it is.")
    return text.decode(errors="replace")


def starts_as_elf(data):
    """Whether QEMU can start this ELF file."""
    return PVH.search(data) is not None


def uncompressed(data, path):
    """The ELF file inside a bzImage; a file that is one already stays as it is."""
    if data[:4] == ELF:
        return data
    check(data, path)
    offset, length = struct.unpack_from("<II", data, PAYLOAD)
    start = ((data[SETUP_SECTORS] or 4) + 1) * SECTOR + offset
    payload = data[start:start + length]
    for magic, unpack in UNPACKED_BY.items():
        if payload.startswith(magic):
            return unpack(payload, path)
    raise OtherCompression(f"{path} is compressed in a way that this does not know.")


def _lzma(payload, _):
    return lzma.LZMADecompressor().decompress(payload)


def _gzip(payload, _):
    return zlib.decompressobj(GZIP).decompress(payload)


def _bzip2(payload, _):
    return bz2.BZ2Decompressor().decompress(payload)


def _zstd(payload, path):
    # The size of what comes out follows, which is no part of the frame.
    return process.filtered(["zstd", "-dcq"], payload[:-4], path)


UNPACKED_BY = {b"\xfd7zXZ\0": _lzma, b"\x5d\0\0": _lzma, b"\x1f\x8b": _gzip,
               b"BZh": _bzip2, b"\x28\xb5\x2f\xfd": _zstd}

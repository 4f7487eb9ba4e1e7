# SPDX-License-Identifier: MIT
"""Files that are built as kernels for x86 are, and folders as their headers are."""

import struct

from pcmaster import kernelimage, ownkernel

RELEASE = "6.1.0-9-test"


def bzimage(payload, release=RELEASE, flags=kernelimage.LONG_MODE):
    """A compressed kernel around a payload, which is compressed already."""
    head = bytearray(1536)
    head[0x1f1] = 2
    head[0x1fe:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    line = f"{release} (somebody@somewhere) #1 SMP".encode() + b"\0"
    struct.pack_into("<H", head, kernelimage.VERSION, 0x300)
    head[0x500:0x500 + len(line)] = line
    struct.pack_into("<H", head, kernelimage.FLAGS, flags)
    struct.pack_into("<II", head, kernelimage.PAYLOAD, 0, len(payload))
    return bytes(head) + payload


def elf(release=RELEASE, machine=kernelimage.X86_64, pvh=True):
    """As much of a vmlinux as is looked at."""
    head = bytearray(64)
    head[:5] = kernelimage.ELF + bytes([kernelimage.ELF64])
    struct.pack_into("<H", head, 18, machine)
    note = struct.pack("<III", 4, 8, 18) + b"Xen\0" + bytes(8)
    banner = f"Linux version %s (%s)\0Linux version {release} (me@here) #1 SMP\n".encode()
    return bytes(head) + (note if pvh else b"") + banner


def headers(folder, release=RELEASE, **settings):
    """A folder that modules could be built in; settings: in place of the usual ones."""
    settings = {**{name: "y" for name in ownkernel.NEEDED}, **settings}
    contents = {name: "" for name in ("Makefile", *ownkernel.PREPARED)}
    contents["include/generated/utsrelease.h"] = f'#define UTS_RELEASE "{release}"\n'
    contents["include/config/auto.conf"] = "".join(
        f"CONFIG_{name}={value}\n" for name, value in settings.items() if value)
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder

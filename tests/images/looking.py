# SPDX-License-Identifier: MIT
"""Looks at the drivers' images with two tools that share no code: binutils'
objdump and pefile."""

import functools
import os
import re
import subprocess
from pathlib import Path

import pefile

BUILD = Path(os.environ["PCMASTER_BUILD"])
OBJDUMP, NM = "x86_64-w64-mingw32-objdump", "x86_64-w64-mingw32-nm"
LIBRARIES = {"ntoskrnl.exe": "libntoskrnl.a", "HAL.dll": "libhal.a", "ks.sys": "libks.a"}
DOCUMENTED = Path(__file__).with_name("documented.txt")
FIELD = re.compile(r"^(\w+)\t+([0-9a-f]+)\b", re.MULTILINE)
DLL = re.compile(r"^\tDLL Name: (\S+)$")
IMPORT = re.compile(r"^\t[0-9a-f]+\t +\d+  (\w+)$")
SECTION = re.compile(r"^ +\d+ (\S+) +[0-9a-f]{8} .*\n +(.*)$", re.MULTILINE)


@functools.cache
def objdump(path):
    """What objdump prints of an image's headers and sections."""
    return subprocess.run([OBJDUMP, "-p", "-h", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def fields_by_objdump(path):
    """The optional header's fields, by objdump's names."""
    return {name: int(text, 16) for name, text in FIELD.findall(objdump(path))}


def sections_by_objdump(path):
    """Section -> its flags, in words."""
    return {name: set(flags.split(", ")) for name, flags
            in SECTION.findall(objdump(path))}


def imports_by_objdump(path):
    """(module, routine) of all imports."""
    found, module = [], None
    for line in objdump(path).splitlines():
        if DLL.match(line):
            module = DLL.match(line)[1]
        elif module and IMPORT.match(line):
            found.append((module, IMPORT.match(line)[1]))
    return found


@functools.cache
def parsed(path):
    """The image as pefile sees it."""
    return pefile.PE(str(path))


def imports_by_pefile(path):
    """The same by the other; None for one without a name."""
    return [(entry.dll.decode(), routine.name and routine.name.decode())
            for entry in getattr(parsed(path), "DIRECTORY_ENTRY_IMPORT", [])
            for routine in entry.imports]


@functools.cache
def documented():
    """Module -> its routines in documented.txt, in their order there."""
    found, routines = {}, None
    for line in DOCUMENTED.read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            routines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            routines += line.split()
    return found


def undocumented(path):
    """The imports that are in no document, as "module!routine"."""
    return [f"{module}!{name}" for module, name in imports_by_pefile(path)
            if name not in documented().get(module, [])]


def exported(library):
    """What one of mingw-w64's import libraries has."""
    path = subprocess.run(["x86_64-w64-mingw32-gcc", f"-print-file-name={library}"],
                          check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    listing = subprocess.run([NM, path], check=True, text=True, stderr=subprocess.DEVNULL,
                             stdout=subprocess.PIPE).stdout
    return set(re.findall(r" I __imp_(\S+)$", listing, re.MULTILINE))

# SPDX-License-Identifier: MIT
"""Reads .inf files, as the documents of Windows' driver kit describe them."""

import codecs
import re

from pcmaster.ui import Problem

SECTION = re.compile(r"\[\s*([^\]]+?)\s*\]")
TOKEN = re.compile(r"%([^%]*)%")
# A field: quoted text, in which "" is a quote, or anything but commas. There is
# one way to read it, so that no text takes long.
FIELD = re.compile(r'\s*((?:"(?:[^"]|"")*+"|[^",])*+)(?:,|$)')
MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
         (codecs.BOM_UTF8, "utf-8-sig"))
# Names in the registry have no case.
MESSAGES = r"interrupt management\messagesignaledinterruptproperties", "msisupported"
# The machine that Models sections may be for, the most exact first.
DECORATIONS = ("NTamd64", "NT", "")


class Inf:
    """An .inf: its sections' lines as (key, [field, ...]), %tokens% replaced."""

    def __init__(self, text):
        self._sections = {}
        lines = None
        for line in _lines(text):
            section = SECTION.fullmatch(line)
            if section:
                lines = self._sections.setdefault(section[1].lower(), [])
            elif lines is None:
                raise Problem(f"before the first section there is: {line}")
            else:
                lines.append(_entry(line))
        self._strings = {key.lower(): fields[0] for key, fields
                         in self._sections.get("strings", []) if key}

    def __contains__(self, name):
        return name.lower() in self._sections

    @property
    def names(self):
        """The sections' names, in small letters."""
        return list(self._sections)

    def section(self, name):
        """The lines of a section; none if it is not there."""
        return [(self._replace(key), [self._replace(field) for field in fields])
                for key, fields in self._sections.get(name.lower(), [])]

    def values(self, name, key):
        """The fields of all lines of a section that have that key."""
        return [field for found, fields in self.section(name) for field in fields
                if found.lower() == key.lower()]

    def models(self):
        """(description, install section, [hardware ID, ...]) for each device on x64."""
        found = []
        for _, (name, *targets) in self.section("Manufacturer"):
            for section in _model_sections(name, targets):
                if section in self:
                    found += [(key, fields[0], fields[1:])
                              for key, fields in self.section(section)]
                    break
        return found

    def hardware_ids(self):
        """What it is for, without repetition."""
        return list(dict.fromkeys(name for *_, ids in self.models() for name in ids if name))

    def asks_for_messages(self):
        """Whether any device is to have message-signalled interrupts."""
        return any(tuple(map(str.lower, fields[1:3])) == MESSAGES and _is_one(fields[4:])
                   for name in self._sections for _, fields in self.section(name))

    def _replace(self, text):
        """A text with its tokens; those that are no string, as dirids, stay."""
        def string(match):
            if not match[1]:
                return "%"
            return self._strings.get(match[1].lower(), match[0]).replace("%%", "%")
        return TOKEN.sub(string, text)


def read(path):
    """An .inf file; Problem if it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    encoding = next((name for mark, name in MARKS if raw.startswith(mark)), "utf-8")
    try:
        return Inf(raw.decode(encoding, errors="strict" if raw[:2] == b"\xff\xfe" else "replace"))
    except (UnicodeError, Problem) as error:
        raise Problem(f"{path} is no .inf file: {error}") from error


def _is_one(values):
    """Whether it is a single number, 1 in whatever writing."""
    return len(values) == 1 and re.fullmatch("0*1|0x0*1", values[0].lower()) is not None


def _model_sections(name, targets):
    """The Models section that serves x64 Windows 10, the most exact first."""
    def rank(target):
        decoration = target.partition(".")[0].lower()
        known = [each.lower() for each in DECORATIONS]
        return known.index(decoration) if decoration in known else None
    ranked = sorted((rank(target), -number, target) for number, target
                    in enumerate(targets) if rank(target) is not None)
    return [f"{name}.{target}" for *_, target in ranked] + [name]


def _lines(text):
    """The lines that mean something: without comments, continued ones joined."""
    joined = ""
    for line in text.splitlines():
        line = _without_comment(line).strip()
        if line.endswith("\\") and not SECTION.fullmatch(line):
            joined += line[:-1]
        elif joined + line:
            yield joined + line
            joined = ""
    if joined:
        yield joined


def _without_comment(line):
    quoted = False
    for at, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif letter == ";" and not quoted:
            return line[:at]
    return line


def _entry(line):
    """A line as (key, fields); the key is empty where there is no '='."""
    key, equals, rest = _split_key(line)
    return (_unquoted(key) if equals else ""), _fields(rest if equals else line)


def _split_key(line):
    """At the first '=' that is not quoted."""
    quoted = False
    for at, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif letter == "=" and not quoted:
            return line[:at], "=", line[at + 1:]
    return line, "", ""


def _fields(text):
    """What the commas part."""
    fields, at = [], 0
    while True:
        match = FIELD.match(text, at)
        if not match:
            return fields + [_unquoted(text[at:])]
        fields.append(_unquoted(match[1]))
        at = match.end()
        if not match[0].endswith(","):
            return fields


def _unquoted(text):
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text

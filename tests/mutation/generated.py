# SPDX-License-Identifier: MIT
"""Changes made by rule: every place in a C file where one operator applies."""

import re
from dataclasses import dataclass

# Comments, strings, characters, preprocessor lines: nothing is changed there.
INERT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
                   r"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.S | re.M)
# Name, what it looks for, what it puts there ("\1" for a group).
OPERATORS = (
    ("< to <=", r" < ", " <= "),
    ("<= to <", r" <= ", " < "),
    ("> to >=", r" > ", " >= "),
    (">= to >", r" >= ", " > "),
    ("== to !=", r" == ", " != "),
    ("!= to ==", r" != ", " == "),
    ("&& to ||", r" &&(?=\s)", " ||"),
    ("|| to &&", r" \|\|(?=\s)", " &&"),
    ("+ 1 gone", r" \+ 1\b(?!\.)", ""),
    ("- 1 gone", r" - 1\b(?!\.)", ""),
    ("+ to -", r" \+ (?!1\b)", " - "),
    ("- to +", r"(?<=[\w)\]]) - (?!1\b)", " + "),
    ("|= to =", r" \|= ", " = "),
    ("&= to =", r" &= ", " = "),
    ("+= to =", r" \+= ", " = "),
    ("-= to =", r" -= ", " = "),
    ("true to false", r"\btrue\b", "false"),
    ("false to true", r"\bfalse\b", "true"),
    ("! gone", r"(?<=[\s(])!(?=[\w(])", ""),
    ("call gone", r"(?<=[;{}]\n)[ ]+\w+\([^;{}]*\);\n", ""),
)


@dataclass(frozen=True)
class Site:
    """One place where an operator applies."""

    start: int      # in the file's text
    end: int
    new: str
    operator: str

    def applied(self, text):
        """The file's text with the change."""
        return text[:self.start] + self.new + text[self.end:]


def sites(text):
    """Every change that the operators make to a C file, in the file's order."""
    inert = [match.span() for match in INERT.finditer(text)]
    blank = _blanked(text, inert)
    found = []
    for name, pattern, new in OPERATORS:
        for match in re.finditer(pattern, blank):
            found.append(Site(match.start(), match.end(), new, name))
    return sorted(found, key=lambda site: (site.start, site.operator))


def _blanked(text, spans):
    """The text with those spans as tildes, of which no operator knows."""
    for start, end in spans:
        text = text[:start] + re.sub(r"[^\n]", "~", text[start:end]) + text[end:]
    return text

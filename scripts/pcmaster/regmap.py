# SPDX-License-Identifier: MIT
"""The device's register map, read from its one definition."""

import functools
import re

from pcmaster import CHECKOUT

HEADER = CHECKOUT / "hw/audio/pcmaster/pcmaster_regs.h"
DEFINITION = re.compile(r"^#define\s+PCM_(\w+?)(?:\((\w+)\))?[ \t]+(\S.*?)\s*(?:/\*.*)?$",
                        re.M)
ARITHMETIC = re.compile(r"[0-9a-fx+*<| ()]+")


@functools.cache
def definitions():
    """Name without PCM_ -> (parameter or "", text of the value)."""
    return {name: (parameter, text) for name, parameter, text
            in DEFINITION.findall(HEADER.read_text(encoding="utf-8"))}


def value(name, argument=0):
    """The value of PCM_name or PCM_name(argument)."""
    parameter, text = definitions()[name]
    if parameter:
        text = re.sub(rf"\b{parameter}\b", str(argument), text)
    text = re.sub(r"\b(0x[0-9a-f]+|\d+)u?(?:ll)?\b", r"\1", text)
    if not ARITHMETIC.fullmatch(text):
        raise ValueError(f"PCM_{name} is no plain number: {text}")
    return eval(text)  # pylint: disable=eval-used

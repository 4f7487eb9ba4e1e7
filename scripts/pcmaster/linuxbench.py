# SPDX-License-Identifier: MIT
"""What a second of playback costs in a Linux guest, pcmaster beside its peers.

The same aplay plays on each card in turn, in one boot. Processor time is that of
QEMU's threads while nobody asks the guest or traces QEMU; interrupts are the
guest's own count; register accesses are counted by QEMU's trace afterwards.
"""

import sys
import time

from pcmaster import benchguest, linuxcards
from pcmaster.figures import figure, show

PERIODS = ((1024, 4), (6000, 4))    # frames, and how many in the buffer
SETTLE = 0.5
TRACED = "virtio-sound-pci, traced"
OURS = ("pcmaster", "pcmaster, write-back", "pcmaster, write-back, mmap")
WRITTEN_BACK = OURS[1]
PEERS = [name for name in linuxcards.CARDS if name not in (*OURS, TRACED)]
IDLE = "idle"
CPU = ("total", "outside", "wakes")
SAME = 1.03     # what differs by less is the same: windows end within a period


def progress(text):
    """Shows on standard error that the bench is alive."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}\033[K")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def linux(options, table):
    """Rounds of every card and every period; then the tables."""
    with linuxcards.guest() as guest:
        for number in range(options.rounds):
            for setup in PERIODS:
                progress(f"round {number + 1} of {options.rounds}, period {setup[0]}")
                spend(guest, table, options.seconds, setup[0], IDLE)
                # Every other round runs backwards, so that a host that gets slower is so for all.
                for name in [*PEERS, *OURS][::-1 if number % 2 else 1]:
                    play(guest, table, options.seconds, setup, name)
                count(guest, table, options.seconds, setup, TRACED, PEERS[-1])
    progress("")
    for setup in PERIODS:
        show_costs(table, setup[0])
        show_targets(table, setup[0])


def card_of(name):
    """The card of a row, and what else aplay is told."""
    card = name.partition(",")[0]
    return card, ["-M"] if name.endswith("mmap") else []


def play(guest, table, seconds, setup, name):
    """One window of playback, and what the card did around it."""
    card, more = card_of(name)
    guest.write_back("write-back" in name)
    guest.start(card, *setup, *more)
    time.sleep(SETTLE)
    begin, first = guest.interrupts(card)
    spend(guest, table, seconds, setup[0], name)
    end, last = guest.interrupts(card)
    table.add((last - first) / (end - begin), setup[0], name, "interrupts")
    if name != PEERS[-1]:
        accesses(guest, table, seconds, setup[0], card, name)
    table.add(guest.stop(), setup[0], name, "xruns")


def count(guest, table, seconds, setup, card, name):
    """Only the accesses to a card, which stand for those of another row."""
    guest.start(card, *setup)
    time.sleep(SETTLE)
    accesses(guest, table, seconds, setup[0], card, name)
    guest.stop()


def accesses(guest, table, seconds, period, card, name):
    """Register accesses of a window."""
    found = guest.accesses(card, lambda: time.sleep(seconds))
    table.add(found / seconds, period, name, "accesses")


def spend(guest, table, seconds, period, name):
    """Processor time of a window, in ms for each second."""
    begin, first = time.monotonic(), benchguest.usage(guest.child.pid)
    time.sleep(seconds)
    last, end = benchguest.usage(guest.child.pid), time.monotonic()
    outside, wakes, vcpus = ((b - a) / (end - begin) for a, b in zip(first, last))
    for value, what in zip(((outside + vcpus) / 1e6, outside / 1e6, wakes), CPU):
        table.add(value, period, name, what)


def above_idle(table, period, name, what):
    """A median beyond that of the idle guest."""
    return table.median(period, name, what) - table.median(period, IDLE, what)


def best(table, period, what):
    """The least of all peers."""
    if what in CPU:
        return min(above_idle(table, period, name, what) for name in PEERS)
    return min(table.median(period, name, what) for name in PEERS)


def show_costs(table, period):
    """The table of one period."""
    rows = []
    for name in [*PEERS, *OURS]:
        row = [name]
        for what in ("total", "outside"):
            cost = above_idle(table, period, name, what)
            row += [figure(cost, 2), figure(cost / best(table, period, what), 2)]
        row += [figure(above_idle(table, period, name, "wakes"))]
        row += [figure(table.median(period, name, what), 1)
                for what in ("interrupts", "accesses")]
        rows.append(row + [str(sum(table.samples[(period, name, "xruns")]))])
    idle = [figure(table.median(period, IDLE, what), 2) for what in CPU[:2]]
    show(f"Linux {linuxcards.SERIES}, aplay, period {period}: ms of processor a second beyond "
         f"the idle guest's {idle[0]}, {idle[1]} of it outside the vCPU",
         ["device", "total", "of best peer", "outside", "of best peer", "wake-ups/s",
          "interrupts/s", "accesses/s", "xruns"], rows)


def targets(table, period):
    """(what is aimed at, our figure, the most that it may be) for a period."""
    return [
        ("register accesses/s", table.median(period, OURS[0], "accesses"),
         best(table, period, "accesses")),
        ("register accesses/s, written back", table.median(period, WRITTEN_BACK, "accesses"), 0),
        ("interrupts/s", table.median(period, WRITTEN_BACK, "interrupts"),
         best(table, period, "interrupts") * SAME),
        ("ms/s in all", above_idle(table, period, OURS[0], "total"),
         best(table, period, "total")),
        ("ms/s in all, written back", above_idle(table, period, WRITTEN_BACK, "total"),
         best(table, period, "total")),
        ("ms/s outside the vCPU, half of the best", above_idle(table, period, WRITTEN_BACK, "outside"),
         best(table, period, "outside") / 2)]


def show_targets(table, period):
    """Which targets are met."""
    show(f"targets, period {period}", ["target", "seen", "at most", ""], [
        [name, figure(seen, 2), figure(most, 2), "met" if seen <= most else "NOT met"]
        for name, seen, most in targets(table, period)])

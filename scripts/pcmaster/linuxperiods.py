# SPDX-License-Identifier: MIT
"""The smallest period at which a card plays cleanly for Linux's aplay.

Ten seconds in which every frame is another number are played with ever smaller
periods. What the card's back end has recorded must be these frames and silence
behind them, in the time that they take. Cards that play other things often do
not know it: an xrun that nobody reports is still one.
"""

from array import array
from dataclasses import dataclass

from pcmaster import linuxbench, linuxcards
from pcmaster.figures import figure, show

PERIODS = (1024, 512, 256, 128, 96, 64, 48)
IN_BUFFER = 4
SECONDS = 10
PLAYS = 3               # of each period; or --rounds, if that is less
FRAMES = SECONDS * linuxcards.RATE
FLUSHED = 12000         # frames of silence: more than the back end keeps to itself
WAV_HEADER = 44
EARLY, LATE = 0.05, 0.5     # seconds by which aplay may be
GIVE_UP = 4             # times as long as it should take
NAMES = [*linuxbench.PEERS, *linuxbench.OURS[:2]]
WORDS, SILENCE = "words", "silence"
AIM = 48                # frames: 1 ms


@dataclass(frozen=True)
class Verdict:
    """What became of one play; heard: frames from the first on that were right."""

    heard: int
    rest: int           # frames behind them that were not silent
    ring: int           # frames of the buffer
    early: bool = False
    late: bool = False
    xruns: int = 0

    @property
    def body(self):
        """Was all right but perhaps the end, which is what the buffer held last?"""
        lost = FRAMES - self.heard
        whole = not lost or lost <= self.ring and not self.rest
        return whole and not (self.early or self.late or self.xruns)

    @property
    def clean(self):
        """Was all right?"""
        return self.body and self.heard == FRAMES and not self.rest

    def __str__(self):
        if self.clean:
            return "clean"
        faults = [text for fault, text in (
            (self.late, "too slow"), (self.early, "too fast"),
            (self.xruns, f"{self.xruns} xruns"), (not self.heard, "nothing right")) if fault]
        if 0 < self.heard < FRAMES:
            faults.append(f"wrong from frame {self.heard} on" if self.rest
                          else f"the last {FRAMES - self.heard} frames lost")
        elif self.rest and self.heard:
            faults.append(f"{self.rest} old frames behind the end")
        return ", ".join(faults)


def words():
    """The frames, none of them silent and no two alike."""
    return array("I", ((n + 1) * 0x9e3779b1 & 0xffffffff for n in range(FRAMES))).tobytes()


def listen(heard, expected):
    """(frames that are right from the first on, frames behind them that are not silent)."""
    size = linuxcards.FRAME_BYTES
    quiet = (len(heard) - len(heard.lstrip(b"\0"))) // size * size
    frames = array("I", heard[quiet:len(heard) // size * size])
    due = array("I", expected)
    right = next((at for at, (one, other) in enumerate(zip(frames, due)) if one != other),
                 min(len(frames), len(due)))
    return right, len(frames) - right - frames[right:].count(0)


def judge(heard, expected, seconds, xruns, setup, rate):
    """The Verdict on what was heard, and on the seconds that aplay took."""
    due, ring = FRAMES / rate, setup[0] * setup[1]
    return Verdict(*listen(heard, expected), ring, seconds < due - ring / rate - EARLY,
                   seconds > due + LATE, xruns)


def aplay(guest, name, setup, file):
    """Plays a file to its end: (seconds that it took, xruns that it noticed)."""
    said = guest.ask(
        f"timed timeout -s KILL {GIVE_UP * SECONDS} aplay -q -D hw:{guest.numbers[name]},0 -t raw "
        f"-f S16_LE -c 2 -r {linuxcards.RATE} --period-size={setup[0]} "
        f"--buffer-size={setup[0] * setup[1]} /{file} 2>/complaints; grep -c underrun /complaints",
        may_fail=True)
    _, began, ended = said[-2].split()
    return float(ended) - float(began), int(said[-1])


def play(guest, name, setup, expected):
    """One play and its Verdict."""
    card = linuxbench.card_of(name)[0]
    guest.write_back("write-back" in name)
    path = linuxcards.recording(guest.folder, card)
    begin = max(path.stat().st_size if path.is_file() else 0, WAV_HEADER)
    seconds, xruns = aplay(guest, card, setup, WORDS)
    aplay(guest, card, (1024, 4), SILENCE)
    with open(path, "rb") as file:
        file.seek(begin)
        return judge(file.read(), expected, seconds, xruns, setup, linuxcards.CARDS[card].rate)


def descend(guest, name, plays, expected):
    """Smaller and smaller periods, until none of the plays has a body that is right."""
    found = {}
    for period in PERIODS:
        found[period] = [play(guest, name, (period, IN_BUFFER), expected) for _ in range(plays)]
        linuxbench.progress(f"{name}, period {period}: " + "; ".join(map(str, found[period])))
        if not any(verdict.body for verdict in found[period]):
            break
    return found


def smallest(found, good):
    """The smallest period above which, and at which, all plays were good; None: there is none."""
    least = None
    for period, verdicts in found.items():
        if not all(good(verdict) for verdict in verdicts):
            break
        least = period
    return least


def first_fault(found):
    """The first verdict that is not clean, and of which period."""
    for period, verdicts in found.items():
        for verdict in verdicts:
            if not verdict.clean:
                return f"{period}: {verdict}"
    return ""


def periods(options, table):
    """Every card in one boot, in the guest's own time and in real time; then the tables."""
    for realtime in (False, True):
        plays = min(options.rounds, PLAYS) if realtime else 1
        found = descend_all(table, plays, realtime)
        linuxbench.progress("")
        show_periods(found, plays, realtime)


def descend_all(table, plays, realtime):
    """The verdicts on all cards: name -> period -> list."""
    expected = words()
    files = {WORDS: expected, SILENCE: bytes(FLUSHED * linuxcards.FRAME_BYTES)}
    with linuxcards.guest(files, realtime) as guest:
        found = {name: descend(guest, name, plays, expected) for name in NAMES}
    for name, verdicts in found.items():
        for period, those in verdicts.items():
            for what in ("clean", "body"):
                table.add(sum(getattr(verdict, what) for verdict in those) / plays,
                          "real time" if realtime else "guest's time", name, period, what)
    return found


def show_periods(found, plays, realtime):
    """The table: clean plays, those of which only the end was wrong, and why."""
    rows = []
    for name, verdicts in found.items():
        cells = [figure(smallest(verdicts, lambda verdict: verdict.clean)),
                 figure(smallest(verdicts, lambda verdict: verdict.body))]
        cells += [f"{sum(v.clean for v in verdicts[period])}"
                  f"+{sum(v.body and not v.clean for v in verdicts[period])}"
                  if period in verdicts else "" for period in PERIODS]
        rows.append([name, *cells, first_fault(verdicts)])
    show(f"aplay of {SECONDS} s {'in real time' if realtime else 'in the time of the guest'}, {plays} of "
         f"each period of that many frames, {IN_BUFFER} in the buffer: clean ones + those of which "
         "only the end is wrong",
         ["device", "smallest clean", "but the end", *map(str, PERIODS), "the first fault"], rows)
    for name in linuxbench.OURS[:2]:
        least = smallest(found[name], lambda verdict: verdict.clean)
        print(f"target: {name} clean at {AIM} frames: {'met' if least == AIM else 'NOT met'}")
    print(flush=True)

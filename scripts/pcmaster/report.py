# SPDX-License-Identifier: MIT
"""The table that a person reads, and the files that a program reads."""

import dataclasses
import itertools
import json
import shutil
import sys
import textwrap

from pcmaster import CHECKOUT, boot, bugcheck, machine, process, tap
from pcmaster.qemu import SYSTEM
from pcmaster.ui import Colours, printable

COLUMNS = ("exercise", "request", "logical", "node", "verdict")
NARROWEST = 24      # of the request
RANGE = 23          # of a range of logical addresses


def table(points, stream=None):
    """Prints the results, long cells folded where a terminal is narrow."""
    stream = stream or sys.stdout
    rows = [_row(point) for point in points]
    widths = {name: max(len(name), *(len(row[name]) for row in rows))
              for name in COLUMNS}
    if stream.isatty():
        widths["logical"] = min(widths["logical"], RANGE)
        room = shutil.get_terminal_size().columns - 2 * (len(COLUMNS) - 1)
        others = sum(widths.values()) - widths["request"]
        widths["request"] = max(NARROWEST, min(widths["request"], room - others))
    colours = Colours(stream)
    _line(dict(zip(COLUMNS, COLUMNS)), widths, colours.dim, colours, stream)
    for point, row in zip(points, rows):
        _line(row, widths, colours.good if point.ok else colours.bad, colours, stream)


def _line(row, widths, colour, colours, stream):
    """Prints a row, on several lines if need be; the last column is coloured."""
    folded = [textwrap.wrap(row[name], widths[name], break_on_hyphens=False) or [""]
              for name in COLUMNS]
    for cells in itertools.zip_longest(*folded, fillvalue=""):
        *plain, last = cells
        text = "  ".join(f"{cell:{widths[name]}}" for name, cell in zip(COLUMNS, plain))
        print(f"{text}  {colour}{last}{colours.end}" if last else text.rstrip(),
              file=stream)


def _row(point):
    """A result as the texts of its columns."""
    row = {name: printable(str(point.details.get(name, ""))) for name in COLUMNS}
    row["exercise"] = printable(point.name)
    if not point.ok:
        row["verdict"] = f"FAILED {row['verdict']}".rstrip()
    elif point.skipped is not None:
        row["verdict"] = f"skipped: {printable(point.skipped)}"
    return row


def fault(point, verdict, about, stream=None):
    """Prints the device's diagnosis of a fault, and what the guest adds."""
    stream = stream or sys.stdout
    rows = [("fault", f"{point.name.partition('/')[2]}: {about}")]
    if verdict.violations:
        rows += verdict.violations[0].rows()
    rows += [("the IOMMU", f"denied {denial}") for denial in verdict.denials]
    victim = point.details.get("victim")
    if victim:
        rows.append(("overwritten", victim if isinstance(victim, str)
                     else ", ".join(f"{k} {v}" for k, v in victim.items())))
    print_rows(rows, stream)


def print_rows(pairs, stream=None):
    """Prints pairs of a name and a text, one below the other."""
    stream = stream or sys.stdout
    width = max(len(name) for name, _ in pairs)
    room = shutil.get_terminal_size((100, 24)).columns - width - 2
    for name, text in pairs:
        folded = textwrap.wrap(printable(str(text)), max(room, NARROWEST)) or [""]
        print(f"{name:{width}}  " + f"\n{'':{width}}  ".join(folded), file=stream)


def stopped(plan, outcome, fault=None):
    """Prints why the guest did not end well: its bug check, or its last words."""
    check = bugcheck.parse(outcome.lines)
    if check:
        rows = list(bugcheck.rows(check, machine.modules(plan)))
        if not fault:
            print()
        print_rows(([("fault", fault)] if fault else []) + rows)
    elif outcome.status != boot.HELD:
        print("\nthe console's last lines:\n" + outcome.tail())


def counts(results):
    """How many results held, failed and were skipped, as words."""
    skipped = sum(point.skipped is not None for point in results.points)
    failed = len(results.failed)
    held = len(results.points) - failed - skipped
    return f"{held} held, {failed} failed, {skipped} skipped"


def exercising(outcome, results, but=()):
    """Seconds of wall time from the plan to the last result but those named.

    None: nothing else was run, or the plan came at the end.
    """
    points = [point for point in results.points if point.name not in but]
    if not points or not _planned_first(results) or not outcome.times:
        return None
    return outcome.seconds_between(results.plan_line, points[-1].line)


def summary(complaints, line, stream=None):
    """Prints every complaint and the closing line."""
    stream = stream or sys.stdout
    colours = Colours(stream)
    print(file=stream)
    for complaint in complaints:
        print(f"{colours.bad}{printable(complaint)}{colours.end}", file=stream)
    print(line, file=stream)


def versions(programs, compiler="x86_64-w64-mingw32-gcc"):
    """The versions of everything that took part."""
    def first_line(*argv):
        return (process.output(argv) or "unknown").partition("\n")[0]
    return {
        "qemu": first_line(programs / SYSTEM, "--version"),
        "compiler": first_line("gcc", "--version"),
        "guest compiler": first_line(compiler, "--version"),
        "build": programs.name,
        "pcmaster": process.output(["git", "-C", CHECKOUT, "describe",
                                    "--always", "--dirty", "--tags"]),
    }


def keep(plan, outcome, results, verdict, comparison, programs, *, heard=None, words=None):
    """Writes results.tap and results.json into the out folder.

    heard: the comparison of what a sound card on the ISA bus has played.
    words: QEMU's command line, if it is not the one for the executive.
    """
    lines = tap.lines_of(outcome.lines)
    (plan.out / "results.tap").write_text("\n".join(lines) + "\n")
    report = {
        "held": not verdict.complaints,
        "complaints": verdict.complaints,
        "ended": outcome.ended,
        "seconds": round(outcome.seconds, 3),
        "exercise_seconds": _rounded(exercising(outcome, results, (tap.PLAY,))),
        "machine": dataclasses.asdict(plan.shape),
        "accelerator": plan.accel,
        "icount": plan.icount,
        "arguments": plan.keys,
        "versions": versions(programs),
        "exercises": [_exercise(point, took) for point, took
                      in zip(results.points, _each(outcome, results))],
        "violations": [dataclasses.asdict(v) for v in verdict.violations],
        "audio": _comparison(comparison),
        "card": _comparison(heard),
        "command": words or machine.command(programs, plan),
    }
    check = bugcheck.parse(outcome.lines)
    if check:
        report["bug_check"] = bugcheck.summary(check, machine.modules(plan))
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (plan.out / "results.json").write_text(text + "\n", encoding="utf-8")


def _comparison(comparison):
    """A recording's comparison as it is written down."""
    return comparison and {**dataclasses.asdict(comparison), "exact": comparison.exact}


def _planned_first(results):
    """Whether the plan came before all results."""
    return results.plan_line is not None and (
        not results.points or results.plan_line < results.points[0].line)


def _rounded(seconds):
    """To a tenth of a millisecond; None stays None."""
    return None if seconds is None else round(seconds, 4)


def _each(outcome, results):
    """The seconds of wall time that each result took."""
    lines = [results.plan_line, *(point.line for point in results.points)]
    if not _planned_first(results) or not outcome.times:
        return [None] * len(results.points)
    return list(itertools.starmap(outcome.seconds_between, itertools.pairwise(lines)))


def _exercise(point, took):
    """A result with its details; the keys that every one has come first."""
    result = "skipped" if point.skipped is not None else "ok" if point.ok else "not ok"
    return {"name": point.name, "result": result, "seconds": _rounded(took),
            **point.details}

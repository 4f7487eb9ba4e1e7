# SPDX-License-Identifier: MIT
"""scripts/run: boots the guest, runs the exercises, plays a WAV, judges it all."""

import argparse
import contextlib
import dataclasses
import fcntl
import os
from fnmatch import fnmatchcase
from pathlib import Path

from pcmaster import (boot, card, driver, judge, linuxrun, machine, pe, prepare, report, shape,
                      sound, tap, wav)
from pcmaster.cache import need_space, remove
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, Problem, command

DEFAULT_WAV = Path("/usr/share/sounds/alsa/Front_Center.wav")
POLICIES = ("abort", "wrap", "record")
# Faults that an IOMMU makes nothing of: the policies under which they are about
# memory that is not the card's own, and mistakes that always are.
ASTRAY = {"limit": ("wrap",), "end-of-range": ("wrap",), "use-after-free": POLICIES}
ALWAYS_ASTRAY = ("device-before", "device-behind", "device-evidence")
PLATFORMS = ("win7", "win8", "win10")
GUESTS = ("executive", "linux")
# Options that are about the executive or our Windows driver.
NOT_FOR_LINUX = ("fault", "policy", "driver", "hardware_id", "no_verify", "list")
OUTPUTS = ("console.log", "qemu.log", "device.log", "played.wav", "play.pcm",
           card.RECORDING, "card.pcm",
           "results.tap", "results.json", "driver.ids", "recorded.raw", "kernel.log")
OUT_MIB = 16
MORE = """\
environment:
  QEMU_SRC=DIR        build this QEMU tree (10.0 or later) instead of Debian's;
                      the tree is only read
  QEMU_SERIES=N.M     build Debian's QEMU of this series: 10.0 (default) or 10.2
  PCMASTER_CACHE=DIR  where builds are kept (default: ~/.cache/pcmaster)
  PCMASTER_BUILD=DIR  a meson build folder whose guest images are used as they are

exit status: 0 everything held (with --fault: the device caught it), 1 something
did not, 2 it could not be run: a message says what to do, 130 interrupted
"""


def parse(argv=None):
    """The options, checked against each other."""
    parser = argparse.ArgumentParser(
        prog="run", epilog=MORE, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Boots a guest with the pcmaster device, runs the exercises, "
        "plays a WAV\nand compares the recording sample by sample.")
    add = parser.add_argument
    add("file", metavar="FILE.wav", nargs="?", type=Path,
        help="what to play: PCM, 8 or 16 bits, 1 or 2 channels (default: a "
        "recording that alsa-utils brings)")
    add("--exercise", metavar="GLOB", help="run only the exercises whose names "
        "match; * and ? are wild; 'play' is the WAV's")
    add("--fault", metavar="NAME", help="run a driver that makes this mistake, and "
        "show what the device or the guest's verifier says of it")
    add("--policy", choices=POLICIES, help="what the device does about the fault: "
        "nothing is transferred (default), the transfer goes where a card without "
        "checks would send it, or it is carried out and logged")
    add("--platform", choices=PLATFORMS, default=PLATFORMS[-1],
        help="whose DMA interface the guest offers: Windows 7's, without version 3 and "
        "AllocateCommonBufferEx, Windows 8's, or Windows 10's (default)")
    add("--no-verify", action="store_true", help="let pass what the driver does "
        "against the rules of DMA, as far as the guest can go on")
    add("--guest", choices=GUESTS, default=GUESTS[0],
        help="what runs in the machine: the NT-compatible executive with our Windows driver "
        "(default), or Debian's Linux with ALSA's programs and our module")
    add("--shell", action="store_true",
        help="with --guest linux: a shell in that guest, with the card ready")
    add("--kernel", metavar="VMLINUZ", type=Path,
        help="with --guest linux: your own kernel, and --headers")
    add("--headers", metavar="DIR", type=Path,
        help="the folder that modules for that kernel are built in, such as "
        "/lib/modules/VERSION/build")
    add("--list", action="store_true", help="list the exercises and the faults")
    add("--realtime", action="store_true", help="play at normal speed")
    add("--audiodev", metavar="SPEC", help="play to this QEMU back end, such as "
        "alsa or pa, to listen; implies --realtime, and nothing is compared")
    add("--accel", choices=("tcg", "kvm"), default="tcg",
        help="how the guest's processors run (default: tcg); kvm needs --realtime")
    add("--driver", metavar="FILE.sys", type=Path,
        help="load this driver instead of ours, for the devices that the .inf of the same "
        "name beside it lists; if pcmaster is none of them it is started and removed, and "
        "what it says is shown. edu.sys is one that comes with this")
    add("--hardware-id", metavar="ID", action="append", default=[],
        help=r"a device that --driver is for, such as 'PCI\VEN_8086&DEV_2415', in place "
        "of what the .inf says; may be given several times")
    add("--device", metavar="SPEC", action="append", default=[],
        help="add this QEMU device to the machine, such as edu or AC97; may be given "
        "several times")
    add("--out", metavar="DIR", type=Path, default=Path("out"),
        help="where to keep logs, the recording and results (default: out)")
    add("--verbose", action="store_true", help="show the guest's console, and keep "
        "every register access in device.log")
    shape.add_options(parser)
    options = parser.parse_args(argv)
    options.shape = shape.from_options(parser, options)
    options.realtime = options.realtime or options.audiodev is not None
    _check(parser, options)
    return options


def _check(parser, options):
    """Ends with a usage message if options do not go together."""
    _check_guest(parser, options)
    if options.fault and (options.file or options.exercise or options.audiodev):
        parser.error("--fault runs one mistake: it takes no FILE.wav, "
                     "--exercise or --audiodev")
    if options.fault and options.platform != PLATFORMS[-1]:
        parser.error("--fault needs the interface of Windows 10")
    if options.policy and not options.fault:
        parser.error("--policy goes with --fault")
    if options.hardware_id and not options.driver:
        parser.error("--hardware-id goes with --driver")
    if options.accel == "kvm" and not options.realtime:
        parser.error("--accel kvm goes with --realtime: only tcg can run the "
                     "guest's time as fast as it is computed")
    glob = _glob(options)
    if "[" in glob or any(letter.isspace() for letter in glob):
        parser.error("--exercise knows the wild cards * and ?, and no spaces")


def _check_guest(parser, options):
    """The same for the options of one guest."""
    linux = options.guest == "linux"
    for name in NOT_FOR_LINUX if linux else ("shell", "kernel", "headers"):
        if getattr(options, name):
            parser.error(f"--{name.replace('_', '-')} goes with --guest "
                         f"{GUESTS[0] if linux else 'linux'}")
    if bool(options.kernel) != bool(options.headers):
        parser.error("--kernel and --headers go together")
    if linux and options.platform != PLATFORMS[-1]:
        parser.error(f"--platform goes with --guest {GUESTS[0]}")


def _glob(options):
    """Which exercises; an empty one matches none."""
    return "*" if options.exercise is None else options.exercise


def main(argv=None):
    """The command line of scripts/run; returns the exit status."""
    options = parse(argv)
    if options.guest == "linux":
        if options.accel == "kvm":
            machine.check_kvm()
        return linuxrun.main(options, out_folder, DEFAULT_WAV)
    plays = not options.fault and not options.list and (
        options.file or fnmatchcase(tap.PLAY, _glob(options)))
    if options.driver and not driver.comes_with_this(options.driver):
        pe.check(options.driver)
    sound = wav.read(options.file or DEFAULT_WAV) if options.file else None
    if options.accel == "kvm":
        machine.check_kvm()
    _, programs, guest = prepare.everything()
    if options.list:
        return listing(guest)
    if options.driver:
        options.driver = driver.path_of(options.driver, guest)
        ids = driver.ids_for(options.driver, options.hardware_id)
        if not driver.is_ours(ids):
            return run_other(programs, guest, ids, options)
    if plays and not sound:
        sound = wav.read(DEFAULT_WAV)
    if options.audiodev:
        machine.check_audiodev(programs, options.audiodev)
    if options.fault:
        options.shape = shape_for(options, judge.fault(guest, options.fault))
    plan = make_plan(programs, options, guest, sound)
    with out_folder(plan):
        if options.fault:
            return run_fault(programs, guest, plan, options)
        return run_exercises(programs, guest, plan, options)


def listing(guest):
    """Prints the exercises and the faults; returns the exit status."""
    exercises = guest.exercises + [{"name": tap.PLAY, "about": "Plays the WAV"}]
    width = max(len(e["name"]) for e in exercises + guest.faults + guest.mistakes)
    for title, entries in (("exercises", exercises),
                           ("faults that the device catches", guest.faults),
                           ("faults that the guest's verifier stops", guest.mistakes)):
        print(f"{title}:")
        for entry in entries:
            print(f"  {entry['name']:{width}}  {entry['about']}")
    return EXIT_HELD


def shape_for(options, entry):
    """The machine for a fault: what only an IOMMU can stop needs one."""
    if entry["rule"] != "iommu":
        policy = options.policy or POLICIES[0]
        astray = policy in ASTRAY.get(entry["name"], ())
        if options.shape.iommu and (astray or entry["name"] in ALWAYS_ASTRAY):
            raise Problem(f"--fault {entry['name']}{f' --policy {policy}' * astray} is about "
                          "memory that is not the card's own: leave out --iommu, which "
                          "denies it that")
        return options.shape
    if options.shape.board not in shape.WITH_IOMMU:
        raise Problem(f"--fault {entry['name']} needs --machine q35: the other has "
                      "no IOMMU")
    return dataclasses.replace(options.shape, iommu=True)


def make_plan(programs, options, guest, sound):
    """What to boot; Problem if a fault or a glob names nothing."""
    found = []
    if options.fault:
        keys = {"exercise": "none", "fault": options.fault}
        if judge.fault(guest, options.fault) in guest.faults:
            keys["policy"] = options.policy or POLICIES[0]
        elif options.policy:
            raise Problem(f"--policy: the guest's verifier, not the device, stops "
                          f"{options.fault}")
        image = guest.images["faulty.sys"]
    else:
        glob = _glob(options)
        found = judge.exercises(guest, glob)
        if not found and not sound:
            raise Problem(f"no exercise matches '{glob}'; --list names them all")
        keys = {"exercise": glob if found else "none"}
        image = guest.images["driver.sys"]
    keys["memory"] = options.shape.memory
    keys["iommu"] = int(options.shape.iommu)
    plan = plan_of(programs, options, guest, options.driver or image, keys, sound)
    return dataclasses.replace(plan, card=card.sound_for(options.file or DEFAULT_WAV, found))


def plan_of(programs, options, guest, image, keys, sound=None):
    """What to boot with these options, this driver and these keys."""
    out = options.out.absolute()
    return machine.Plan(
        images=guest.images, driver=image, out=out, wav=sound, realtime=options.realtime,
        keys={**keys, "platform": options.platform,
              "verify": "off" if options.no_verify else "on"},
        accel=options.accel, audiodev=options.audiodev, verbose=options.verbose,
        shape=options.shape,
        devices=tuple(machine.placed(programs, spec, options.shape) for spec in options.device))


@contextlib.contextmanager
def out_folder(plan):
    """An out folder of our own for the run, free of an older run's files."""
    try:
        plan.out.mkdir(parents=True, exist_ok=True)
        folder = os.open(plan.out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Problem(f"--out: {error}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sound = len(plan.wav.data) >> 20 if plan.wav else 0
        need_space(plan.out, OUT_MIB + 2 * sound, "the run")
        for name in OUTPUTS:
            remove(plan.out / name)
        if plan.wav:
            (plan.out / "play.pcm").write_bytes(plan.wav.data)
        if plan.card:
            (plan.out / "card.pcm").write_bytes(plan.card)
        yield
    except BlockingIOError as error:
        raise Problem(f"another run is writing to {plan.out}; --out names "
                      "another folder") from error
    finally:
        remove(plan.out / "play.pcm")
        remove(plan.out / "card.pcm")
        os.close(folder)


def run_other(programs, guest, ids, options):
    """Runs a driver of other devices than pcmaster; returns the exit status."""
    if options.fault or options.exercise or options.file:
        raise Problem(f"{options.driver} is not for pcmaster: it takes no FILE.wav, "
                      "--exercise or --fault")
    plan = plan_of(programs, options, guest, options.driver,
                   driver.keys_for(options.driver))
    plan = dataclasses.replace(plan, ids=plan.out / "driver.ids")
    with out_folder(plan):
        plan.ids.write_text("\n".join(ids) + "\n", encoding="ascii")
        return driver.run(programs, plan, options)


def run_exercises(programs, guest, plan, options):
    """Runs the exercises and plays; prints the table; returns the status."""
    outcome = boot.run(programs, plan)
    driver.could_start(options, outcome)
    results = tap.parse(outcome.lines)
    comparison = recorded(plan, results)
    due = judge.exercises(guest, plan.keys["exercise"])
    heard = card.compare(plan, results.points)
    verdict = judge.judge(plan, outcome, results, (comparison, heard),
                          due + [tap.PLAY] * bool(plan.wav))
    report.keep(plan, outcome, results, verdict, comparison, programs, heard=heard)
    if results.points:
        report.table(results.points)
    report.stopped(plan, outcome)
    line = report.counts(results)
    if comparison:
        line += f"; audio: {comparison}"
    if heard:
        line += f"; ISA card: {heard}"
    took = report.exercising(outcome, results, (tap.PLAY,))
    exercising = "" if took is None else f", {took:.2f} s of it exercises"
    report.summary(verdict.complaints, f"{line}; {outcome.seconds:.1f} s{exercising}; "
                   f"kept in {options.out}/")
    return EXIT_FAILED if verdict.complaints else EXIT_HELD


def run_fault(programs, guest, plan, options):
    """Runs a faulty driver; prints the diagnosis; returns the status."""
    outcome = boot.run(programs, plan)
    driver.could_start(options, outcome)
    results = tap.parse(outcome.lines)
    entry = judge.fault(guest, options.fault)
    if entry in guest.mistakes:
        verdict = judge.judge_mistake(outcome, entry)
        how = "stopped by the verifier"
    else:
        verdict = judge.judge_fault(plan, outcome, results, entry)
        how = f"caught under policy {plan.keys['policy']}"
    report.keep(plan, outcome, results, verdict, None, programs)
    if results.points and entry in guest.faults:
        report.fault(results.points[0], verdict, entry["about"])
    report.stopped(plan, outcome, f"{entry['name']}: {entry['about']}")
    report.summary(verdict.complaints, "not caught" if verdict.complaints else how)
    return EXIT_FAILED if verdict.complaints else EXIT_HELD


def recorded(plan, results):
    """The recording compared with what was to be played; None if nothing was recorded."""
    if not plan.wav or plan.audiodev:
        return None
    expected = plan.wav.on_two_channels()
    try:
        heard = wav.read(plan.out / "played.wav")
        unheard = ()
        if any(point.details.get("pins") for point in results.points):
            through = sound.Heard(heard)
            unheard = sound.judge(through, results.points)
            heard = dataclasses.replace(heard, data=through.rest(sound.lead(expected)))
        return dataclasses.replace(wav.compare(expected, heard), unheard=unheard)
    except Problem:
        return wav.Comparison(plan.wav.frames, 0, None)


if __name__ == "__main__":
    command(main)

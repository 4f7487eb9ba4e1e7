# SPDX-License-Identifier: MIT
"""scripts/run --guest linux: Debian's kernel, ALSA's programs, our module."""

import dataclasses
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from pcmaster import (boot, initramfs, iommu, judge, kernel, linuxguest, linuxshell, machine,
                      ownkernel, prepare, report, tap, wav)
from pcmaster.cache import remove
from pcmaster.qemu import SYSTEM
from pcmaster.shape import Shape
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, Problem

# Two nanoseconds for each instruction: a period of 1 ms is half a million of them.
ICOUNT = "shift=1,sleep=off"
TSC_HZ = 10 ** 9        # of QEMU's processors in that mode, whatever the shift
# What else would differ from run to run: the clock, and numbers drawn at random.
REPEATABLE = ["-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1"]
# What a guest of a minute's life can do without; see docs/linux.md. clearcpuid=112 is rep_good:
# TCG's string instructions are slower than loops when it counts each repetition.
ARGUMENTS = """
    console=ttyS0 quiet panic=-1 no_timer_check nolapic_timer nokaslr mitigations=off audit=0
    init_on_alloc=0 percpu_alloc=page clearcpuid=112
    cryptomgr.notests initcall_blacklist=load_system_certificate_list,cubictcp_register
    swiotlb=1024 dhash_entries=4096 ihash_entries=4096 mhash_entries=4096
    mphash_entries=4096 thash_entries=1024 uhash_entries=1024
""".split()
# Devices of the board that nothing here uses, and that firmware and kernel look at for long.
WITHOUT = "smm=off,sata=off,smbus=off,i8042=off,vmport=off"
RECORDED_PORT, KERNEL_PORT = 0x300, 0x301     # 0x402 is SeaBIOS's
PERIOD, PERIODS = 1024, 4
PERIODS_REALTIME = 16       # so that other work of the host is no xrun
ALSA_FORMATS = {"u8": "U8", "s16": "S16_LE"}
# What no kernel log of a good run holds.
SPLATS = re.compile(r"WARNING:|BUG:|\bOops\b|Call Trace|general protection|UBSAN|KASAN|"
                    r"Kernel panic|soft lockup|hung_task|blocked for more than|"
                    r"DMA-API|DMAR: \[?DMA|nobody cared")
NEVER = re.compile(r"(?!)")
OURS = re.compile(r"snd-pcmaster|snd_pcmaster")
# What the kernel itself says when it takes in a module or a card.
TAINTS = re.compile(r"taint|module verification|loading out-of-tree module|enabling device")
EXERCISED = re.compile(TAINTS.pattern + r"|violation of \S+ by the exerciser|violations more")


@dataclass(frozen=True)
class Plan:
    """One boot of the Linux guest."""

    guest: linuxguest.LinuxGuest
    out: Path
    job: str                # what /init runs, by the shell
    files: dict = field(default_factory=dict)   # name in the guest -> contents
    wav: object = None
    card: bytes = None      # as machine.Plan has it: here is no such card
    realtime: bool = False
    accel: str = "tcg"
    audiodev: str = None
    verbose: bool = False
    shape: Shape = Shape()
    properties: str = "loopback=on"     # of the device
    devices: tuple = ()
    arguments: tuple = ()               # of the kernel, besides the usual ones
    more: tuple = ()                    # other words for QEMU
    keys: dict = field(default_factory=dict)

    @property
    def icount(self):
        """QEMU's -icount, or None where the guest's time is real time."""
        return None if self.realtime else ICOUNT


def command(programs, plan):
    """The words that start QEMU for a plan."""
    bridges, bus = plan.shape.device_bus()
    words = [programs / SYSTEM, *plan.shape.words(), "-M", WITHOUT, "-accel", machine.accelerator(plan),
             "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config"]
    if plan.icount:
        words += ["-icount", plan.icount, *REPEATABLE]
    words += ["-audiodev", machine.sound(plan), *bridges]
    if plan.properties is not None:
        words += ["-device", f"pcmaster,id=card0,bus={bus},audiodev=snd,{plan.properties}"]
    for more in plan.devices:
        words += ["-device", more]
    words += outputs(plan) + machine.log(plan) + list(plan.more)
    words += ["-kernel", plan.guest.vmlinux, "-initrd", plan.out / "initramfs",
              "-append", " ".join([*ARGUMENTS, *_measured(plan), *_iommu(plan),
                                   *plan.arguments])]
    return [str(word) for word in words]


def _measured(plan):
    """What the guest would find out of its own clock, and each processor of loops in a tick."""
    if not plan.icount:
        return []
    return [f"tsc_early_khz={TSC_HZ // 1000}", f"lpj={TSC_HZ // plan.guest.hz}"]


def _iommu(plan):
    return ["intel_iommu=on"] if plan.shape.iommu else []


def outputs(plan):
    """What comes out of the guest: its console, two files and its end."""
    words = ["-chardev", linuxshell.CONSOLE, "-serial", "chardev:console",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    for name, port in (("recorded.raw", RECORDED_PORT), ("kernel.log", KERNEL_PORT)):
        words += ["-chardev", f"file,id=port{port},path={machine.quoted(plan.out / name)}",
                  "-device", f"isa-debugcon,iobase={port:#x},chardev=port{port}"]
    return words


def write_initramfs(plan):
    """The guest's initramfs: what all have in common, then this run's own."""
    archive = initramfs.Archive()
    archive.file("job", plan.job.encode())
    for name, data in plan.files.items():
        archive.file(name, data)
    with open(plan.out / "initramfs", "wb") as file:
        file.write(plan.guest.base.read_bytes())
        file.write(archive.whole())


def prepared(kernel_image=None, headers=None, series=None, more=(), mistakes=False):
    """Builds what is missing: (cache, QEMU's folder, the executive's guest, LinuxGuest)."""
    cache, programs, guest = prepare.everything(more=kernel.PACKAGES)
    with cache.lock():
        chosen = (ownkernel.own(cache, kernel_image, headers) if kernel_image
                  else kernel.debian(cache, series or kernel.SERIES))
        linux = linuxguest.ensure(cache, chosen, guest.images["host"].parent, more, mistakes)
    return cache, programs, guest, linux


def run_plan(programs, plan):
    """Boots a plan and waits for its end."""
    write_initramfs(plan)
    try:
        return boot.run(programs, plan, command(programs, plan))
    finally:
        remove(plan.out / "initramfs")


def main(options, out_folder, default):
    """What scripts/run does for this guest; returns the exit status."""
    glob = "*" if options.exercise is None else options.exercise
    plays = options.file or fnmatchcase(tap.PLAY, glob)
    sound = wav.read(options.file) if options.file else None
    _, programs, guest, linux = prepared(options.kernel, options.headers)
    if plays and not sound:
        sound = wav.read(default)       # which a package brings that was just installed
    due = [] if options.shell else judge.exercises(guest, glob)
    if not due and not sound and not options.shell:
        raise Problem(f"no exercise matches '{glob}'; --list names them all")
    plan = make_plan(options, linux, sound, glob if due else None)
    with out_folder(plan):
        if options.shell:
            return shell(programs, plan)
        return run(programs, plan, options, due)


def make_plan(options, linux, sound, glob):
    """What to boot with these options."""
    return Plan(guest=linux, out=options.out.absolute(), job=job(options, sound, glob), wav=sound,
                files=sound_files(options, sound), realtime=options.realtime or options.shell,
                accel=options.accel, audiodev=options.audiodev, verbose=options.verbose,
                shape=options.shape, devices=tuple(options.device), keys={"exercise": glob})


def sound_files(options, sound):
    """The WAV in the guest, with a head that aplay surely reads."""
    return {} if sound is None else {"play.wav": sound.as_file()}


def job(options, sound, glob):
    """The commands of a run; glob: of the exercises, None: none of them."""
    if options.shell:
        return linuxshell.job(sound)
    periods = PERIODS_REALTIME if options.realtime else PERIODS
    return ("held=16\n" + (exercise(options.shape, glob) if glob else "")
            + (play(sound, periods) if sound else "") + END)


def exercise(shape, glob):
    """Runs the exercises that match."""
    iommu = " --iommu" if shape.iommu else ""
    return (f"pcmaster-exercises --exercise {shlex.quote(glob)} --memory {shape.memory}{iommu}"
            " || held=17\n")


END = f"""\
dmesg | pcmaster-host send {KERNEL_PORT:#x}
pcmaster-host exit $held
"""


def play(sound, periods=PERIODS):
    """Plays with aplay while arecord records, and hands the recording out."""
    frames = f"--period-size={PERIOD} --buffer-size={PERIOD * periods}"
    kind = f"-f {ALSA_FORMATS[sound.sample]} -c {sound.channels} -r {sound.rate}"
    rest = 3 * PERIOD * 1000000 // sound.rate
    return f"""\
arecord -q -D hw:0,0 -t raw {kind} {frames} /recorded & recorder=$!
until grep -q RUNNING /proc/asound/card0/pcm0c/sub0/status; do
    kill -0 $recorder || pcmaster-host exit 17
    usleep 1000
done
(until grep -q RUNNING /proc/asound/card0/pcm0p/sub0/status; do usleep 1000; done
echo playing) & watcher=$!
aplay -q -D hw:0,0 {frames} /play.wav || held=17
kill $watcher 2>/dev/null
usleep {rest}
kill -INT $recorder
wait $recorder
pcmaster-host send {RECORDED_PORT:#x} /recorded || held=17
"""


def run(programs, plan, options, due):
    """Runs, judges and reports; returns the exit status."""
    outcome = run_plan(programs, plan)
    results = tap.parse(outcome.lines)
    comparisons = compared(plan)
    complaints = log_complaints(plan, outcome, exercised=bool(due))
    complaints += [f"{name}: {comparison}" for name, comparison in comparisons.items()
                   if not comparison.exact]
    if due:
        verdict = judge.judge(plan, outcome, results, (), due, kernel_log(plan, outcome))
    else:
        verdict = judge.Verdict(judge.ended(outcome) + violations(plan), [])
    verdict.complaints.extend(complaints)
    report.keep(plan, outcome, results, verdict, comparisons.get("recorded"), programs,
                words=command(programs, plan))
    if results.points:
        report.table(results.points)
    if outcome.status != boot.HELD:
        print("\nthe console's last lines:\n" + outcome.tail())
    parts = [report.counts(results)] if due else []
    parts += [f"{name}: {comparison}" for name, comparison in comparisons.items()]
    parts.append(f"Linux {plan.guest.release}")
    report.summary(verdict.complaints, f"{'; '.join(parts)}; {outcome.seconds:.1f} s"
                   f"{_first_sample(outcome)}; kept in {options.out}/")
    return EXIT_FAILED if verdict.complaints else EXIT_HELD


def violations(plan):
    """What the device complains of, as sentences, where nothing provokes it."""
    log = judge.device_log(plan.out / "device.log")
    return log.broken + [f"the device reports a violation of {v.rule} at {v.fault}"
                         for v in log.violations[:judge.SHOWN]]


def _first_sample(outcome):
    """When the first sample was played, if that can be told."""
    for index, line in enumerate(outcome.lines):
        if line == "playing":
            return f", {outcome.times[index]:.1f} s to the first sample"
    return ""


def kernel_log(plan, outcome):
    """The lines of the guest's kernel log, or of its console if it got no further."""
    path = plan.out / "kernel.log"
    text = path.read_text(errors="replace") if path.is_file() else ""
    return text.splitlines() or outcome.lines


def log_complaints(plan, outcome, exercised=False):
    """What a kernel log of a good run does not hold, as sentences.

    exercised: exercises provoke violations and what an IOMMU denies, both of which the
    host compares with the device's log.
    """
    fine = EXERCISED if exercised else TAINTS
    judged = iommu.DENIED_BY_LINUX if exercised else NEVER
    found = [line for line in kernel_log(plan, outcome)
             if SPLATS.search(line) and not judged.search(line) or OURS.search(line) and not fine.search(line)]
    return [f"the guest's kernel: {line}" for line in found[:judge.SHOWN]]


def compared(plan):
    """What was played and what was recorded, each beside the input."""
    if not plan.wav:
        return {}
    expected = plan.wav.padded(PERIOD)
    results = {"recorded": found_in(expected, recording(plan))}
    if not plan.audiodev:
        results["played"] = _compared(expected.on_two_channels(), plan.out / "played.wav")
    return results


def _compared(expected, path):
    try:
        return wav.compare(expected, wav.read(path))
    except Problem:
        return wav.Comparison(expected.frames, 0, None)


def recording(plan):
    """What arecord heard, in the format of what was played."""
    path = plan.out / "recorded.raw"
    data = path.read_bytes() if path.is_file() else b""
    return dataclasses.replace(plan.wav, data=data)


def found_in(expected, heard):
    """Compares with a recording that has silence before and behind it."""
    silence = wav.silence(expected)
    size = expected.frame_bytes
    frames = [heard.data[at:at + size] for at in range(0, len(heard.data), size)]
    first = next((at for at, frame in enumerate(frames) if frame != silence), len(frames))
    wanted = expected.data
    lead = next((at for at in range(expected.frames)
                 if wanted[at * size:(at + 1) * size] != silence), expected.frames)
    start = first - lead
    if start < 0:
        return wav.Comparison(expected.frames, len(frames), None)
    rest = heard.data[(start + expected.frames) * size:]
    cut = dataclasses.replace(expected, data=heard.data[start * size:
                                                        (start + expected.frames) * size])
    if rest.replace(silence, b""):
        return wav.Comparison(expected.frames, len(frames) - start, None)
    return wav.compare(expected, cut)


def shell(programs, plan):
    """Runs the guest with the person's terminal as its console; returns the exit status."""
    write_initramfs(plan)
    try:
        return linuxshell.run(command(programs, plan))
    finally:
        remove(plan.out / "initramfs")

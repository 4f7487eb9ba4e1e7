# SPDX-License-Identifier: MIT
"""Fuzzes the device in QEMU's fuzz build (clang: libFuzzer, ASan, UBSan).

Two targets: QEMU's generic one, and our own that knows the register map
(tests/qtest/fuzz/pcmaster-fuzz.c). What a run begins with is the corpus in
tests/fuzz/corpus; what it finds new is dropped, unless --keep is given.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from pcmaster import CHECKOUT, debian, overlay, packages, process, qemu
from pcmaster.cache import (Cache, digest, is_configured, note_configured, program_id,
                            remove, write_whole)
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, Problem, Step, command

PROGRAM = "qemu-fuzz-x86_64"
DEVICES = "pcmaster-fuzz"       # the list of devices that are built
DEVICE_LIST = Path("configs/devices/x86_64-softmmu", f"{DEVICES}.mak")
DEVICE_CONFIG = b"CONFIG_I440FX=y\nCONFIG_Q35=y\nCONFIG_PCMASTER=y\n"
PACKAGES = ["clang", "libclang-rt-dev"]
CONFIGURE = f"""
    --cc=clang --cxx=clang++ --python=/usr/bin/python3
    --target-list=x86_64-softmmu --without-default-features
    --without-default-devices --with-devices-x86_64={DEVICES}
    --enable-fuzzing --enable-asan --enable-ubsan --enable-fdt=system
    --enable-trace-backends=log --firmwarepath=/usr/share/seabios:/usr/share/qemu
    --disable-docs --disable-install-blobs --disable-download
""".split()
CORPUS = CHECKOUT / "tests/fuzz/corpus"
INPUT_TIMEOUT = 25              # seconds that one input may take
OVERTIME = 120                  # a run that much too long is ended
FINDING = re.compile(r"^(==\d+== ?ERROR: .*|.*: runtime error: .*|ERROR:.*assertion failed.*"
                     r"|SUMMARY: .*)$", re.M)
ARTIFACT = re.compile(r"Test unit written to (\S+)")


@dataclass(frozen=True)
class Target:
    """A fuzz target of the program, and what it is started with."""

    name: str
    longest: int                # bytes of an input
    environment: dict = field(default_factory=dict)


TARGETS = {
    "generic": Target("generic-fuzz", 2048, {
        "QEMU_FUZZ_ARGS": "-machine q35 -nodefaults -audiodev none,id=snd -device "
                          "pcmaster,audiodev=snd,playback=4,capture=8,loopback=on,"
                          "guest-injection=on,addr-bits=40,boundary=1M",
        "QEMU_FUZZ_OBJECTS": "pcmaster"}),
    "registers": Target("pcmaster-registers", 768),
}


def prepare(cache):
    """Installs and builds what is missing; returns the fuzz program's folder."""
    with cache.lock():
        packages.ensure(cache, PACKAGES)
        return ensure(cache)


def ensure(cache):
    """The folder with the fuzz program, built first if need be (lock held)."""
    check_compiler()
    tree = qemu.find_tree(cache)
    build_key = digest(*CONFIGURE, DEVICE_CONFIG, program_id("clang"),
                       program_id("ninja"))
    programs = cache.path("qemu-fuzz", digest(tree.identity, build_key,
                                              *qemu.overlay_contents()))
    if not programs.is_dir():
        build(cache, tree, build_key, programs)
    return programs


def check_compiler():
    """Raises Problem unless clang can link with libFuzzer."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "empty.c")
        source.write_text("int LLVMFuzzerTestOneInput(const char *d, unsigned long n);\n"
                          "int LLVMFuzzerTestOneInput(const char *d, unsigned long n)\n"
                          "{ return d && n > 99; }\n")
        if process.output(["clang", "-fsanitize=fuzzer,address", source, "-o",
                           source.with_suffix("")]) is None:
            raise Problem("fuzzing needs clang with libFuzzer:\n"
                          "  apt-get install -y --no-install-recommends "
                          + " ".join(PACKAGES))


def build(cache, tree, build_key, programs):
    """Compiles the fuzz program and keeps it."""
    source, folder = tree.home / "source", tree.home / f"fuzz-{build_key}"
    if tree.origin:
        qemu.mirror(cache, tree.origin, source)
    overlay.apply(source, tree.origin)
    if not (source / DEVICE_LIST).is_file():
        write_whole(source / DEVICE_LIST, DEVICE_CONFIG)
    env = process.build_environment(debian.meson_path(cache))
    log = cache.log("qemu-fuzz")
    with Step("QEMU for fuzzing") as step:
        if not is_configured(folder):
            for old in tree.home.glob("fuzz-*"):
                remove(old)
            folder.mkdir()
            process.run_logged([source / "configure", *CONFIGURE], log, step,
                               cwd=folder, env=env)
            note_configured(folder)
        process.run_logged(["ninja", PROGRAM], log, step, cwd=folder, env=env)
    qemu.keep(cache, [folder / PROGRAM], programs)


def environment(target):
    """What the fuzz program is to find in its environment.

    Leaks are not looked for: QEMU never frees what lives as long as it does.
    """
    return dict(os.environ, **target.environment,
                ASAN_OPTIONS="detect_leaks=0",
                UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")


def fuzz(programs, key, seconds, out, keep=None, seed=0):
    """Runs one target for a time; returns what it found as lines of text."""
    target = TARGETS[key]
    folder = Path(keep) if keep else Path(out, f"{key}-corpus")
    folder.mkdir(parents=True, exist_ok=True)
    log = Path(out, f"{key}.log")
    words = [programs / PROGRAM, f"--fuzz-target={target.name}",
             f"-max_total_time={seconds}", f"-max_len={target.longest}",
             f"-timeout={INPUT_TIMEOUT}", f"-seed={seed}", "-print_final_stats=1",
             f"-artifact_prefix={out}/{key}-", folder, CORPUS / key]
    with Step(f"fuzzing {key} for {seconds} s") as step, open(log, "wb") as output:
        child = subprocess.Popen([str(word) for word in words], stdout=output,
                                 stderr=subprocess.STDOUT, env=environment(target),
                                 stdin=subprocess.DEVNULL)
        status = wait(child, seconds + OVERTIME, step)
    return judge(key, status, log.read_text(errors="replace"), programs)


def wait(child, seconds, step):
    """The exit status of a child, which is ended if it takes too long."""
    try:
        for _ in range(seconds):
            try:
                return child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                step.tick()
        raise Problem(f"the fuzzer did not end within {seconds} s")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def judge(key, status, text, programs):
    """What a run's output says: a list of lines, empty if nothing was found."""
    if status == 0 and runs(text) > 0:
        return []
    found = [match[0] for match in FINDING.finditer(text)]
    lines = [f"{key}: exit status {status} after {runs(text)} inputs", *found]
    artifact = ARTIFACT.search(text)
    if artifact:
        words = " ".join(f"{name}='{value}'" for name, value
                         in sorted(environment(TARGETS[key]).items())
                         if name not in os.environ or name.endswith("SAN_OPTIONS"))
        lines.append(f"again: {words} {programs / PROGRAM} "
                     f"--fuzz-target={TARGETS[key].name} {artifact[1]}")
    return lines


def runs(text):
    """How many inputs a run tried, by its closing figures."""
    match = re.search(r"^stat::number_of_executed_units:\s*(\d+)", text, re.M)
    return int(match[1]) if match else 0


def parse(argv=None):
    """The options of tests/fuzz/run."""
    parser = argparse.ArgumentParser(
        prog="fuzz", description="Fuzzes the device in a QEMU with ASan and UBSan. "
        "Exit status 0: nothing found; 1: something, and findings.json in the "
        "output folder says what and how to see it again.")
    parser.add_argument("--target", action="append", choices=TARGETS, default=[],
                        help="generic: QEMU's own; registers: ours; both if not given")
    parser.add_argument("--seconds", type=int, default=60,
                        help="for each target; default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="0: another each time")
    parser.add_argument("--out", type=Path, help="folder for logs and findings; "
                        "default: fuzz-findings in the cache")
    parser.add_argument("--keep", metavar="DIR", type=Path,
                        help="keep new inputs in DIR/TARGET")
    return parser.parse_args(argv)


def main(argv=None):
    """Builds, fuzzes and reports, as a TAP stream; returns the exit status."""
    options = parse(argv)
    cache = Cache()
    programs = prepare(cache)
    out = options.out or cache.path("fuzz-findings")
    out.mkdir(parents=True, exist_ok=True)
    keys = options.target or list(TARGETS)
    print(f"1..{len(keys)}", flush=True)
    findings = {}
    for number, key in enumerate(keys, 1):
        found = fuzz(programs, key, options.seconds, out,
                     options.keep and options.keep / key, options.seed)
        findings[key] = found
        print(f"{'not ' if found else ''}ok {number} - {key}")
        for line in found:
            print(f"# {line}", flush=True)
    write_whole(out / "findings.json", json.dumps(findings, indent=2).encode())
    return EXIT_FAILED if any(findings.values()) else EXIT_HELD


if __name__ == "__main__":
    command(main)

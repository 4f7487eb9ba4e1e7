# SPDX-License-Identifier: MIT
"""What happens to the card while it plays: pulled out, reloaded, migrated; mistakes."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from linux import loop, same
from pcmaster import boot, linuxrun, wav

UNBIND = "/sys/bus/pci/drivers/snd_pcmaster/unbind"
MODULE = "/modules/snd-pcmaster.ko"
ROUNDS = 20
# aplay of silence without end, which must end by itself when the card goes.
ENDLESS = "aplay -q -D hw:0,0 -f S16_LE -c 2 -r 48000 -t raw /dev/zero 2>/dev/null & player=$!\n"
IS_PLAYING = "grep -qs RUNNING /proc/asound/card0/pcm0p/sub0/status"
PLAYING = f"until {IS_PLAYING}; do usleep 1000; done\n"
# Reading the debug console's port tells which of the two QEMUs this is; 0xe9 is the default.
MOVED = "M"
# A loop keeps the guest, which else outruns the migration, busy until it is over.
MOVE = f"""\
({PLAYING}sleep 1
echo move
until [ "$(dd if=/dev/port bs=1 skip={linuxrun.RECORDED_PORT} count=1 2>/dev/null)" = {MOVED} ]; do
    :
done
{same("moved while it plays", IS_PLAYING)}) &
"""
RELOAD = f"""\
for round in $(seq {ROUNDS}); do
    {ENDLESS.strip()}
    {PLAYING.strip()}
    for device in /sys/bus/pci/drivers/snd_pcmaster/*:*; do
        echo "${{device##*/}}" > {UNBIND}
    done
    wait $player && held=17
    rmmod snd_pcmaster || held=17
    insmod {MODULE} || held=17
done
"""


def given_up(name):
    """aplay ends, and the card is not there any more."""
    return (f"wait $player && held=17\nuntil [ ! -e /proc/asound/card0 ]; do usleep 1000; done\n"
            f"echo 'ok - {name}'\n")


class EventTest(linux.LinuxCase):
    """Nothing hangs, nothing is left, and the card plays again."""

    def test_reload(self):
        self.boot(loop("before") + RELOAD + loop("after") +
                  same("reloaded", "[ $held = 16 ]"), shape=linux.TWO)

    def test_reload_iommu(self):
        self.boot(RELOAD + loop("after"), shape=linux.REMAPPED)

    def test_hot_plug(self):
        again = "until [ -e /dev/snd/pcmC0D0p ]; do usleep 1000; done\n"
        plan = self.plan((ENDLESS + PLAYING + "echo pull\n" + given_up("pulled out")
                          + "echo plug\n" + again) * 2
                         + loop("plugged in again", periods=linuxrun.PERIODS_REALTIME),
                         more=self.qmp_words(), realtime=True)
        outcome = self.with_qmp(plan, {
            "pull": lambda qmp: qmp.execute("device_del", id="card0"),
            "plug": lambda qmp: qmp.insist("device_add", driver="pcmaster", id="card0",
                                           bus="rp1", audiodev="snd", loopback=True)})
        self.look(plan, outcome)

    def test_migration(self):
        sound = wav.Wav(48000, 2, "s16", random.Random(6).randbytes(4 * 48000 * 20))
        state = self.folder / "state"
        plan = self.plan(MOVE + linuxrun.play(sound), wav=sound, more=self.qmp_words(),
                         files={"play.wav": sound.as_file()})

        def move(qmp):
            qmp.execute("migrate", uri=f"file:{state}")
            qmp.wait_for("query-migrate", "completed")
            qmp.execute("quit")

        first = self.with_qmp(plan, {"move": move})
        self.assertEqual(first.status, 0, first.lines)
        _, programs, _ = linux.prepared()
        linuxrun.write_initramfs(plan)
        words = linuxrun.command(programs, plan)
        words += ["-incoming", f"file:{state}", "-global", f"isa-debugcon.readback={ord(MOVED)}"]
        outcome = boot.run(programs, plan, words)
        self.look(plan, outcome)
        heard = linuxrun.found_in(sound.padded(linuxrun.PERIOD), linuxrun.recording(plan))
        self.assertTrue(heard.exact, heard)


def mistake(name, says, period=2048):
    """A module that makes a mistake: the stream fails, the log says why, nothing breaks."""
    return (f"rmmod snd_pcmaster; insmod /mistaken.ko mistake={name} || held=17\n"
            + loop(f"{name} ends the stream", error=1, period=period, periods=4, frames=400000)
            + "usleep 50000\n"
            + same(f"{name} is in the log", f"dmesg | grep -q '{says}'"))


LIMITED = "loopback=on,addr-bits=30,boundary=64K,policy=abort"
OWNER = "buffer: pcmC0D0[pc]0 (loop, pid"


class MistakeTest(linux.LinuxCase):
    """Mistakes that the device catches, with the buffer's owner."""

    def boot_mistakes(self, job, **more):
        """Boots with the module that makes them; what they log is due."""
        self.boot(job + f"rmmod snd_pcmaster; insmod {MODULE}\n" + loop("in the end"),
                  files={"mistaken.ko": linux.mistaken()}, log_may="violation of|stopped: cause|DMAR: .DMA",
                  **more)

    def test_without_iommu(self):
        self.boot_mistakes(
            mistake("mask", "violation of limit by stream .*buffer: position blocks")
            + mistake("boundary", f"violation of boundary by stream .*{OWNER}", period=8192)
            + mistake("overrun", "violation of window by stream")
            + mistake("freed", f"violation of window by stream .*{OWNER}"),
            properties=LIMITED, shape=linux.Shape(nodes=1, cpus=1, memory=2048))

    def test_with_iommu(self):
        self.boot_mistakes(
            mistake("overrun", "violation of window by stream")
            + mistake("freed", f"violation of window by stream .*{OWNER}"),
            properties="loopback=on", shape=linux.REMAPPED)

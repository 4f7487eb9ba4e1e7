/*
 * pcmaster qtests: a device that is busy in every way
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_BUSY_H
#define TESTS_PCMASTER_BUSY_H

#include "pcmaster-player.h"

#define BUSY_FILL       0x1000000
#define BUSY_LENGTH     (4 * MiB)
#define BUSY_LAST_WORD  (BUSY_FILL + BUSY_LENGTH - 8)

/*
 * Stream 0 plays, and will tell of a period after 10 ms, of which 5 ms have
 * passed; a command is under way, and will tell of its end.  Until it has
 * ended the word at BUSY_LAST_WORD is 0.
 */
static inline void dut_make_busy(Dut *d)
{
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER | PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), PCM_S_PERIOD | PCM_S_ERROR | PCM_S_DRAINED);
    dut_write(d, S0(PERIOD_FRAMES), 480);
    start_silence(d, 0);
    qtest_clock_step(d->qts, 5000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    qtest_writeq(d->qts, BUSY_LAST_WORD, 0);
    dut_command(d, PCM_EX_FILL, BUSY_FILL, BUSY_LENGTH, 1);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
}

#endif /* TESTS_PCMASTER_BUSY_H */

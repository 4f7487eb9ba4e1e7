/*
 * pcmaster: where the guest was when it rang a doorbell
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "exec/translation-block.h"
#include "hw/core/cpu.h"
#include "system/hw_accel.h"
#include "system/tcg.h"
#include "pcmaster.h"

/* What a target keeps of an instruction; no target needs more words. */
#define PCM_UNWIND_WORDS    8

/*
 * The program counter is out of date while a block of translated code runs.
 * It is looked up for the place in the host's code that made the access; the
 * CPU is left as it is, since a restored one would count instructions twice.
 */
static uint64_t translated_pc(CPUState *cpu)
{
    uint64_t data[PCM_UNWIND_WORDS];

    if (!cpu_unwind_state_data(cpu, cpu->mem_io_pc, data)) {
        return PCM_PC_UNKNOWN;
    }
    if (tcg_cflags_has(cpu, CF_PCREL)) {
        /* All that is known is the place in the page. */
        uint64_t page = (int64_t)qemu_target_page_mask();

        return (cpu->cc->get_pc(cpu) & page) | data[0];
    }
    return data[0];
}

uint64_t pcm_doorbell_pc(void)
{
    CPUState *cpu = current_cpu;

    if (!cpu) {
        return PCM_PC_UNKNOWN;
    }
    if (tcg_enabled()) {
        return translated_pc(cpu);
    }
    if (kvm_enabled()) {
        cpu_synchronize_state(cpu);
        return cpu->cc->get_pc(cpu);
    }
    return PCM_PC_UNKNOWN;
}

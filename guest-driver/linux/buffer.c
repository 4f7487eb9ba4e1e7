// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: what a buffer must be like, and windows, by which the device
 * knows what it was given
 */
#include "snd-pcmaster.h"

/* Whether only address bits vary from first to last that may: those of boundary. */
bool pcmaster_within(u64 first, u64 last, u64 boundary)
{
	u64 varying = first == last ? 0 : GENMASK_ULL(fls64(first ^ last) - 1, 0);

	return !(varying & ~boundary);
}

bool pcmaster_length_fits(struct pcmaster *chip, size_t bytes)
{
	return bytes && !(bytes % chip->grain) && !(chip->burst && bytes > chip->burst);
}

bool pcmaster_reaches(struct pcmaster *chip, u64 addr, u64 bytes)
{
	u64 last = addr + bytes - 1;

	return last >= addr && (chip->addr_bits == 64 || !(last >> chip->addr_bits));
}

/*
 * The DMA API promises that a buffer crosses no multiple of its size rounded up
 * to a power of two; what the device demands beyond that is only to be checked.
 */
bool pcmaster_fits(struct pcmaster *chip, u64 addr, size_t bytes)
{
	u64 last = addr + bytes - 1;

	return pcmaster_length_fits(chip, bytes) && pcmaster_reaches(chip, addr, bytes) &&
	       !(addr & (chip->align - 1)) && pcmaster_within(addr, last, chip->boundary);
}

void pcmaster_open_window(struct pcmaster *chip, unsigned int number, u64 first,
			  u64 last, u32 directions)
{
	unsigned int reg = PCM_WINDOW(number);

	pcmaster_wr64(chip, reg + PCM_W_FIRST, first);
	pcmaster_wr64(chip, reg + PCM_W_LAST, last);
	pcmaster_wr(chip, reg + PCM_W_CTRL, PCM_W_ENABLE | directions);
}

void pcmaster_close_window(struct pcmaster *chip, unsigned int number)
{
	pcmaster_wr(chip, PCM_WINDOW(number) + PCM_W_CTRL, 0);
}

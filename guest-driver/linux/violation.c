// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: the device's violation log in the kernel's, and whose buffer it was
 */
#include "snd-pcmaster.h"

#define LOG_INTERVAL	(5 * HZ)
#define LOG_BURST	10

static const char * const rules[] = {
	[PCM_RULE_LIMIT] = "limit",
	[PCM_RULE_BOUNDARY] = "boundary",
	[PCM_RULE_WINDOW] = "window",
	[PCM_RULE_NODE] = "node",
	[PCM_RULE_TARGET] = "target",
	[PCM_RULE_ALIGN] = "align",
	[PCM_RULE_GRAIN] = "grain",
	[PCM_RULE_BURST] = "burst",
	[PCM_RULE_IOMMU] = "iommu",
};

void pcmaster_init_log(struct pcmaster *chip)
{
	mutex_init(&chip->log_lock);
	spin_lock_init(&chip->owner_lock);
	INIT_LIST_HEAD(&chip->owners);
	ratelimit_state_init(&chip->log_limit, LOG_INTERVAL, LOG_BURST);
	/* It is for us to say how many were not shown. */
	ratelimit_set_flags(&chip->log_limit, RATELIMIT_MSG_ON_RELEASE);
}

/* Keeps who a buffer belongs to, until pcmaster_disown(). */
void pcmaster_own(struct pcmaster *chip, struct pcmaster_owner *owner, u64 first, u64 length,
		  const char *name)
{
	unsigned long flags;

	spin_lock_irqsave(&chip->owner_lock, flags);
	owner->first = first;
	owner->last = first + length - 1;
	owner->live = true;
	strscpy(owner->name, name, sizeof(owner->name));
	list_add(&owner->link, &chip->owners);
	spin_unlock_irqrestore(&chip->owner_lock, flags);
}

/* The buffer, if it had an owner, was freed; that is remembered for a while. */
void pcmaster_disown(struct pcmaster *chip, struct pcmaster_owner *owner)
{
	unsigned long flags;

	spin_lock_irqsave(&chip->owner_lock, flags);
	if (owner->live) {
		owner->live = false;
		list_del(&owner->link);
		chip->freed[chip->freed_count++ % PCMASTER_FREED] = *owner;
	}
	spin_unlock_irqrestore(&chip->owner_lock, flags);
}

static bool has(const struct pcmaster_owner *owner, u64 addr)
{
	return owner->first <= addr && addr <= owner->last;
}

/* Whose the memory is, or who had it last. */
static const struct pcmaster_owner *find_owner(struct pcmaster *chip, u64 addr)
{
	const struct pcmaster_owner *owner;
	unsigned int n;

	list_for_each_entry(owner, &chip->owners, link)
		if (has(owner, addr))
			return owner;
	for (n = 1; n <= min(chip->freed_count, PCMASTER_FREED + 0U); n++) {
		owner = &chip->freed[(chip->freed_count - n) % PCMASTER_FREED];
		if (has(owner, addr))
			return owner;
	}
	return NULL;
}

static void describe_owner(struct pcmaster *chip, u64 addr, char *text, size_t size)
{
	const struct pcmaster_owner *owner;
	unsigned long flags;

	spin_lock_irqsave(&chip->owner_lock, flags);
	owner = find_owner(chip, addr);
	if (owner)
		snprintf(text, size, "%s%s, 0x%llx to 0x%llx",
			 owner->live ? "" : "freed by ", owner->name,
			 owner->first, owner->last);
	else
		strscpy(text, "nobody's", size);
	spin_unlock_irqrestore(&chip->owner_lock, flags);
}

static bool may_be_shown(struct pcmaster *chip)
{
	if (!__ratelimit(&chip->log_limit)) {
		chip->not_shown++;
		return false;
	}
	if (chip->not_shown)
		dev_err(&chip->pci->dev, "%u violations more were not shown\n", chip->not_shown);
	chip->not_shown = 0;
	return true;
}

static void report(struct pcmaster *chip, const struct pcmaster_record *record)
{
	u32 rule = PCM_LOG_RULE(record->info), requester = PCM_LOG_REQUESTER(record->info);
	char owner[2 * PCMASTER_NAME_LEN + 32], who[24] = "the exerciser";

	if (rule >= PCM_RULE_COUNT || !may_be_shown(chip))
		return;
	if (requester < PCM_STREAM_COUNT)
		snprintf(who, sizeof(who), "stream %u", requester);
	describe_owner(chip, record->address, owner, sizeof(owner));
	dev_err(&chip->pci->dev,
		"violation of %s by %s: %s of %u bytes at 0x%llx, first bad byte 0x%llx, expected 0x%llx, actual 0x%llx; buffer: %s\n",
		rules[rule], who, record->info & PCM_LOG_WRITE ? "write" : "read",
		record->length, record->address, record->fault, record->expected,
		record->actual, owner);
}

/* Takes all records from the device.  May sleep. */
void pcmaster_take_log(struct pcmaster *chip)
{
	struct pcmaster_record *record;
	unsigned int n;
	u32 info;

	mutex_lock(&chip->log_lock);
	for (n = 0; n < PCMASTER_LOG_KEPT; n++) {
		info = pcmaster_rd(chip, PCM_LOG_INFO);
		if (!(info & PCM_LOG_VALID) || info == ~0U)
			break;
		record = &chip->log[chip->log_end++ % PCMASTER_LOG_KEPT];
		record->info = info;
		record->length = pcmaster_rd(chip, PCM_LOG_LENGTH);
		record->sequence = pcmaster_rd(chip, PCM_LOG_SEQUENCE);
		record->address = pcmaster_rd64(chip, PCM_LOG_ADDR);
		record->expected = pcmaster_rd64(chip, PCM_LOG_EXPECTED);
		record->actual = pcmaster_rd64(chip, PCM_LOG_ACTUAL);
		record->fault = pcmaster_rd64(chip, PCM_LOG_FAULT);
		record->landed = pcmaster_rd64(chip, PCM_LOG_LANDED);
		record->time = pcmaster_rd64(chip, PCM_LOG_TIME);
		pcmaster_wr(chip, PCM_LOG_CTRL, PCM_LOG_POP);
		report(chip, record);
	}
	mutex_unlock(&chip->log_lock);
}

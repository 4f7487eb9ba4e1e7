/*
 * The verifier's reports, and the switch that turns it off.
 *
 * scripts/pcmaster/bugcheck.py reads what is printed here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

/* What is asked for beyond a site's frames, for those that are hal.dll's. */
#define FRAMES_OF_OUR_OWN       4

BOOLEAN HalpVerifying = TRUE;

static const struct {
    ULONG Code;
    PCSTR Name, Text;
} Rules[] = {
#define HAL_RULE_ROW(rule, code, name, text) { code, name, text },
    HAL_RULES(HAL_RULE_ROW)
#undef HAL_RULE_ROW
};

static bool Same(const char *A, const char *B)
{
    while (*A && *A == *B) {
        A++;
        B++;
    }
    return *A == *B;
}

HAL_RULE HalpResultRule(const char *Name)
{
    HAL_RULE rule = HalRuleResultLimit;

    while (rule <= HalRuleResultContents && !Same(Rules[rule].Name, Name)) {
        rule++;
    }
    return rule <= HalRuleResultContents ? rule : HalRuleCount;
}

BOOLEAN HalpIsVerifying(void)
{
    return HalpVerifying;
}

BOOLEAN HalpInitializeVerifier(void)
{
    char value[4];

    if (IopBootOption("verify", value, sizeof(value))) {
        HalpVerifying = Same(value, "on");
        if (!HalpVerifying && !Same(value, "off")) {
            return FALSE;
        }
    }
    return HalpInitializeResults();
}

void HalpNoteSite(HAL_SITE *Site, PCSTR Routine)
{
    PVOID frames[HAL_SITE_FRAMES + FRAMES_OF_OUR_OWN];
    const char *ours, *name;
    ULONG offset, count;

    Site->Routine = Routine;
    Site->Count = 0;
    if (!HalpVerifying) {
        return;
    }
    LdrpDescribe((ULONG_PTR)HalpNoteSite, &ours, &offset);
    count = RtlCaptureStackBackTrace(0, RTL_NUMBER_OF(frames), frames, NULL);
    for (ULONG i = 0; i < count && Site->Count < HAL_SITE_FRAMES; i++) {
        if (LdrpDescribe((ULONG_PTR)frames[i], &name, &offset) &&
            name != ours) {
            Site->Frames[Site->Count++] = frames[i];
        }
    }
}

static void PrintSite(PCSTR What, const HAL_SITE *Site)
{
    const char *name;
    ULONG offset;

    DbgPrint("verifier: %s by %s at", What, Site->Routine);
    for (ULONG i = 0; i < Site->Count; i++) {
        if (LdrpDescribe((ULONG_PTR)Site->Frames[i], &name, &offset)) {
            DbgPrint(" %s+0x%x", name, offset);
        }
    }
    DbgPrint("\n");
}

static void PrintBuffer(const HAL_BUFFER *Buffer, bool Freed)
{
    bool known = !Freed && KeGetCurrentIrql() <= DISPATCH_LEVEL;
    ULONG node = !known ? MM_ANY_NODE_OK
                       : MiNodeOf((ULONGLONG)MmGetPhysicalAddress(
                                      Buffer->Address).QuadPart);

    DbgPrint("verifier: buffer logical 0x%llx length %zu %s virtual %p",
             Buffer->Logical, Buffer->Length,
             Buffer->Cached ? "cached" : "uncached", Buffer->Address);
    if (node != MM_ANY_NODE_OK) {
        DbgPrint(" node %u", node);
    }
    DbgPrint("\n");
    PrintSite("allocated", &Buffer->Allocated);
}

static void PrintGrant(const HAL_GRANT *Grant)
{
    DbgPrint("verifier: registers %u of %s mapped %llu flushed %llu\n",
             Grant->Count, Grant->Kind == HAL_LIST ? "a list" : "a channel",
             Grant->BytesMapped, Grant->BytesFlushed);
    PrintSite("granted", &Grant->Asked);
}

void HalpReport(const HAL_BREACH *Breach)
{
    DbgPrint("\nverifier: %s: %s (%s, 0x%x)\n", Breach->Routine,
             Rules[Breach->Rule].Text, Rules[Breach->Rule].Name,
             Rules[Breach->Rule].Code);
    if (Breach->Compared) {
        DbgPrint("verifier: expected 0x%llx\nverifier: actual 0x%llx\n",
                 Breach->Expected, Breach->Actual);
    }
    if (Breach->Changed) {
        DbgPrint("verifier: changed %u bytes\n", (ULONG)Breach->Changed);
    }
    if (Breach->Detail) {
        DbgPrint("verifier: detail %s\n", Breach->Detail);
    }
    if (Breach->Buffer) {
        PrintBuffer(Breach->Buffer, Breach->Freed != NULL);
    } else if (Breach->Grant) {
        PrintGrant(Breach->Grant);
    } else if (Breach->Allocated) {
        PrintSite("allocated", Breach->Allocated);
    } else if (Breach->Adapter) {
        PrintSite("adapter made", &Breach->Adapter->Made);
    }
    if (Breach->Freed) {
        PrintSite("freed", Breach->Freed);
    }
}

void HalpBreach(const HAL_BREACH *Breach)
{
    if (HalpVerifying) {
        HalpReport(Breach);
        KeBugCheckEx(DRIVER_VERIFIER_DMA_VIOLATION, Rules[Breach->Rule].Code,
                     (ULONG_PTR)Breach->Adapter,
                     (ULONG_PTR)(Breach->Buffer ? Breach->Buffer->Logical : 0),
                     (ULONG_PTR)Breach->Actual);
    }
}

static void WrongIrql(const HAL_ADAPTER *Adapter, PCSTR Routine, KIRQL Expected,
                      PCSTR Detail)
{
    HalpBreach(&(HAL_BREACH){
        .Rule = HalRuleIrql,
        .Routine = Routine,
        .Adapter = Adapter,
        .Compared = TRUE,
        .Expected = Expected,
        .Actual = KeGetCurrentIrql(),
        .Detail = Detail,
    });
}

void HalpRequirePassive(const HAL_ADAPTER *Adapter, PCSTR Routine)
{
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        WrongIrql(Adapter, Routine, PASSIVE_LEVEL,
                  "must be called at PASSIVE_LEVEL");
    }
}

void HalpRequireDispatch(const HAL_ADAPTER *Adapter, PCSTR Routine)
{
    if (KeGetCurrentIrql() != DISPATCH_LEVEL) {
        WrongIrql(Adapter, Routine, DISPATCH_LEVEL,
                  "must be called at DISPATCH_LEVEL");
    }
}

void HalpRequireAtMost(const HAL_ADAPTER *Adapter, PCSTR Routine, KIRQL Irql)
{
    if (KeGetCurrentIrql() > Irql) {
        WrongIrql(Adapter, Routine, Irql,
                  "called above the highest IRQL that it allows");
    }
}

void HalpRequireIrql(PCSTR Routine, KIRQL Highest)
{
    if (Highest == PASSIVE_LEVEL) {
        HalpRequirePassive(NULL, Routine);
    } else {
        HalpRequireAtMost(NULL, Routine, Highest);
    }
}

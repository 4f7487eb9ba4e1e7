/*
 * A pin's states, with power and without.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

/* When it is off nobody asks the stream for its position any more. */
static void SetRunning(PC_PIN *Pin, bool Running)
{
    KIRQL irql;

    KeAcquireSpinLock(&Pin->Lock, &irql);
    Pin->Running = Running;
    KeReleaseSpinLock(&Pin->Lock, irql);
}

/* One step up or down, with what goes with it. */
static NTSTATUS Step(PC_PIN *Pin, KSSTATE Next)
{
    KSSTATE before = Pin->State;
    NTSTATUS status;

    if (Next > before && Next != KSSTATE_ACQUIRE) {
        PcpServicePin(Pin);             /* the buffer is filled */
    }
    if (Next == KSSTATE_RUN) {
        SetRunning(Pin, true);
    }
    status = Pin->Stream->lpVtbl->SetState(Pin->Stream, Next);
    if (!NT_SUCCESS(status)) {
        SetRunning(Pin, before == KSSTATE_RUN);
        return status;
    }
    if (before == KSSTATE_RUN) {
        PcpServicePin(Pin);             /* what was played until now counts */
        SetRunning(Pin, false);
    }
    if (before == KSSTATE_STOP) {
        PcpRewindPin(Pin);
    }
    Pin->State = Next;
    return STATUS_SUCCESS;
}

static NTSTATUS Walk(PC_PIN *Pin, KSSTATE State)
{
    NTSTATUS status = STATUS_SUCCESS;

    while (Pin->State != State && NT_SUCCESS(status)) {
        status = Step(Pin, Pin->State < State ? Pin->State + 1
                                              : Pin->State - 1);
    }
    return status;
}

bool PcpIsPinPowered(const PC_PIN *Pin)
{
    return Pin->Filter->Device->PowerState == PowerDeviceD0;
}

NTSTATUS PcpSetPinState(PC_PIN *Pin, KSSTATE State)
{
    NTSTATUS status;

    if (State < KSSTATE_STOP || State > KSSTATE_RUN) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!PcpIsPinPowered(Pin)) {
        Pin->Wanted = State;
        status = STATUS_SUCCESS;
    } else {
        status = Walk(Pin, State);
        Pin->Wanted = Pin->State;
    }
    if (Pin->Wanted == KSSTATE_STOP) {
        PcpFlushPin(Pin, true);
    }
    return status;
}

/* A step down that fails must not keep the power: the rest is tried. */
void PcpWalkPinDown(PC_PIN *Pin)
{
    while (Pin->State != KSSTATE_STOP) {
        if (!NT_SUCCESS(Step(Pin, Pin->State - 1))) {
            SetRunning(Pin, false);
            Pin->State--;
        }
    }
}

void PcpSuspendPort(PC_PORT *Port)
{
    for (PLIST_ENTRY link = Port->Pins.Flink; link != &Port->Pins;
         link = link->Flink) {
        PC_PIN *pin = CONTAINING_RECORD(link, PC_PIN, Link);

        PcpWalkPinDown(pin);
    }
}

void PcpResumePort(PC_PORT *Port)
{
    for (PLIST_ENTRY link = Port->Pins.Flink; link != &Port->Pins;
         link = link->Flink) {
        PC_PIN *pin = CONTAINING_RECORD(link, PC_PIN, Link);

        if (!NT_SUCCESS(Walk(pin, pin->Wanted))) {
            DbgPrint("portcls: a stream stays in state %d, not %d, after its "
                     "power came back\n", pin->State, pin->Wanted);
            pin->Wanted = pin->State;
        }
    }
}

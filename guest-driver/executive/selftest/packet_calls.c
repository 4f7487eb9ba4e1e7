/* SPDX-License-Identifier: MIT */
/* selftest.sys: what a driver may do while its routine of packet DMA runs */
#include "packets.h"

#define REGISTERS                   5u
#define MANY                        1000u

/* All registers are there, and so is the adapter object. */
static void expect_all_free(struct packet *p)
{
    PVOID base = NULL;

    EXPECT_STATUS(packet_get_channel(p, REGISTERS, DMA_SYNCHRONOUS_CALLBACK, NULL, &base), STATUS_SUCCESS);
    EXPECT(base != NULL);
    p->call->FreeAdapterObject(p->adapter, DeallocateObject);
}

static void put_list(struct packet *p)
{
    p->call->PutScatterGatherList(p->adapter, p->list, TRUE);
    p->list = NULL;
}

/* --- the registers are given back before the routine returns -------------------- */

static void free_registers(struct packet *p)
{
    p->call->FreeMapRegisters(p->adapter, p->base, REGISTERS);
}

static void free_channel(struct packet *p)
{
    p->call->FreeAdapterChannel(p->adapter);
}

static void free_object(struct packet *p)
{
    p->call->FreeAdapterObject(p->adapter, DeallocateObject);
}

static void free_object_and_registers(struct packet *p)
{
    p->call->FreeAdapterObject(p->adapter, DeallocateObjectKeepRegisters);
    free_registers(p);
}

static const struct {
    void (*give_back)(struct packet *packet);
    IO_ALLOCATION_ACTION action;
    bool early;                         /* others are served before the routine returns */
} ways[] = {
    { free_registers, DeallocateObjectKeepRegisters, false },
    { free_registers, DeallocateObject, false },
    { free_registers, KeepObject, false },
    { free_channel, KeepObject, false },
    { free_channel, DeallocateObjectKeepRegisters, false },
    { free_object, KeepObject, false },
    { free_object_and_registers, DeallocateObjectKeepRegisters, true },
    { free_object_and_registers, KeepObject, true },
};

static ULONG way;

/* A list is asked for meanwhile, which waits for the adapter object. */
static void give_back_inside(struct packet *p)
{
    EXPECT_STATUS(packet_get_list(p->other, 0, PAGE_SIZE), STATUS_SUCCESS);
    EXPECT_EQUAL(p->other->calls, 0);
    ways[way].give_back(p);
    EXPECT_EQUAL(p->other->calls, ways[way].early);
}

static void given_back_inside(void)
{
    struct packet p, other;

    for (way = 0; way < RTL_NUMBER_OF(ways); way++) {
        if (!packet_open(&p, TRUE)) {
            return;
        }
        other = p;
        p.other = &other;
        p.inside = give_back_inside;
        p.action = ways[way].action;
        EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, REGISTERS, packet_take_base, &p),
                      STATUS_SUCCESS);
        EXPECT_EQUAL(p.calls, 1);
        EXPECT_EQUAL(other.calls, 1);
        put_list(&other);
        expect_all_free(&p);
        packet_close(&p);
    }
}

/* No registers: nothing is left to free when the object is. */
static void no_registers(void)
{
    struct packet p;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.action = DeallocateObjectKeepRegisters;
    EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, 0, packet_take_base, &p),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(p.calls, 1);
    EXPECT_STATUS(packet_get_channel(&p, 0, DMA_SYNCHRONOUS_CALLBACK, NULL, &p.base), STATUS_SUCCESS);
    p.call->FreeAdapterObject(p.adapter, DeallocateObjectKeepRegisters);
    expect_all_free(&p);
    packet_close(&p);
}

/* --- lists ------------------------------------------------------------------------ */

/* Waiting lists, each put back by its own routine: none is called from another's. */
static void many_waiting(void)
{
    struct packet p, lists;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.action = KeepObject;
    lists = p;
    lists.inside = put_list;
    EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, 1, packet_take_base, &p), STATUS_SUCCESS);
    for (ULONG i = 0; i < MANY; i++) {
        EXPECT_STATUS(packet_get_list(&lists, i, 3 * PAGE_SIZE - i), STATUS_SUCCESS);
    }
    EXPECT_EQUAL(lists.calls, 0);
    p.call->FreeAdapterChannel(p.adapter);
    EXPECT_EQUAL(lists.calls, MANY);
    lists.inside = NULL;
    expect_all_free(&p);
    packet_close(&p);
}

static void ask_again(struct packet *p)
{
    put_list(p);
    if (p->calls < REGISTERS) {
        EXPECT_STATUS(packet_get_list(p, p->calls, PAGE_SIZE), STATUS_SUCCESS);
    }
}

/* A routine may ask for the next list. */
static void next_from_routine(void)
{
    struct packet p;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.inside = ask_again;
    EXPECT_STATUS(packet_get_list(&p, 0, 4 * PAGE_SIZE), STATUS_SUCCESS);
    EXPECT_EQUAL(p.calls, REGISTERS);
    p.inside = NULL;
    expect_all_free(&p);
    packet_close(&p);
}

/* --- cancelling ----------------------------------------------------------------------- */

static void cancel_other(struct packet *p)
{
    EXPECT(!p->call->CancelAdapterChannel(p->adapter, p->pdo, p->context));
    EXPECT(p->call->CancelAdapterChannel(p->adapter, p->pdo, p->other->context));
    EXPECT(!p->call->CancelAdapterChannel(p->adapter, p->pdo, p->other->context));
}

/* A routine takes back the request behind its own, and cannot its own. */
static void cancelled_inside(void)
{
    struct packet p, first, second;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.action = KeepObject;
    EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, 1, packet_take_base, &p), STATUS_SUCCESS);
    first = p;
    first.action = DeallocateObject;
    first.inside = cancel_other;
    second = p;
    first.other = &second;
    EXPECT_STATUS(packet_get_channel(&first, 1, 0, packet_take_base, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(packet_get_channel(&second, 1, 0, packet_take_base, NULL), STATUS_SUCCESS);
    p.call->FreeAdapterChannel(p.adapter);
    EXPECT_EQUAL(first.calls, 2);
    EXPECT_EQUAL(second.calls, 1);
    /* Both contexts may be used once more. */
    EXPECT_STATUS(packet_get_channel(&second, 1, 0, packet_take_base, NULL), STATUS_SUCCESS);
    p.call->FreeAdapterChannel(p.adapter);
    expect_all_free(&first);
    packet_close(&p);
}

const struct check packet_call_checks[] = {
    { "packet/given-back-inside", given_back_inside },
    { "packet/no-registers", no_registers },
    { "packet/many-waiting", many_waiting },
    { "packet/next-from-routine", next_from_routine },
    { "packet/cancelled-inside", cancelled_inside },
    { NULL, NULL },
};

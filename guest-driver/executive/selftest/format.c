/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: what DbgPrint makes of its formats
 *
 * No routine gives the text back, so each line holds what is to come of a
 * format beside it: "format [expected] [actual]".  Whoever reads the console
 * compares the two.
 */
#include "selftest.h"

#define SHOW(expected, format, ...)                                         \
    EXPECT_STATUS(DbgPrint("format [" expected "] [" format "]\n", __VA_ARGS__), STATUS_SUCCESS)

static void integers(void)
{
    SHOW("42", "%d", 42);
    SHOW("-42", "%i", -42);
    SHOW("4294967254", "%u", -42);
    SHOW("ffffffd6", "%x", -42);
    SHOW("FFFFFFD6", "%X", -42);
    SHOW("52", "%o", 42);
    SHOW("0x2a", "%#x", 42);
    SHOW("   42", "%5d", 42);
    SHOW("42   ", "%-5d", 42);
    SHOW("00042", "%05d", 42);
    SHOW("-0042", "%05d", -42);
    SHOW("  042", "%5.3d", 42);
    SHOW("   42", "%*d", 5, 42);
    SHOW("0", "%d", 0);
    SHOW("-2147483648", "%d", (int)0x80000000);
}

static void sizes(void)
{
    SHOW("123456789abcdef0", "%llx", 0x123456789abcdef0ull);
    SHOW("123456789abcdef0", "%I64x", 0x123456789abcdef0ull);
    SHOW("123456789abcdef0", "%zx", (size_t)0x123456789abcdef0ull);
    SHOW("9abcdef0", "%lx", 0x9abcdef0ul);
    SHOW("-1", "%hd", 0xffff);
    SHOW("-9223372036854775808", "%lld", (LONGLONG)0x8000000000000000ull);
    SHOW("18446744073709551615", "%llu", ~0ull);
}

static void texts(void)
{
    UNICODE_STRING counted = text_of(L"counted");

    SHOW("text", "%s", "text");
    SHOW("   text", "%7s", "text");
    SHOW("text   ", "%-7s", "text");
    SHOW("te", "%.2s", "text");
    SHOW("te", "%.*s", 2, "text");
    SHOW("wide", "%S", L"wide");
    SHOW("wide", "%ws", L"wide");
    SHOW("wide", "%ls", L"wide");
    SHOW("counted", "%wZ", &counted);
    SHOW("(null)", "%s", (char *)NULL);
    SHOW("a", "%c", 'a');
    SHOW("%%", "%%%s", "");
    counted.Length = 6;
    SHOW("cou", "%wZ", &counted);
}

static void prints_ex(void)
{
    EXPECT_STATUS(DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "format [7 x] [%u %s]\n",
                             7, "x"), STATUS_SUCCESS);
}

/* From the highest IRQL too. */
static void any_irql(void)
{
    KIRQL irql = KfRaiseIrql(HIGH_LEVEL);

    SHOW("15", "%u", KeGetCurrentIrql());
    KeLowerIrql(irql);
}

const struct check format_checks[] = {
    { "format/integers", integers },
    { "format/sizes", sizes },
    { "format/texts", texts },
    { "format/ex", prints_ex },
    { "format/any-irql", any_irql },
    { NULL, NULL },
};

/* SPDX-License-Identifier: MIT */
/* selftest.sys: counted strings, and memory as C knows it */
#include "selftest.h"

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

/* Through these the compiler cannot do the work itself. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile fill)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

static void init(void)
{
    UNICODE_STRING string = text_of(L"abc");

    EXPECT(string.Length == 6 && string.MaximumLength == 8);
    string = text_of(L"");
    EXPECT(string.Length == 0 && string.MaximumLength == 2 && string.Buffer);
    string = text_of(NULL);
    EXPECT(string.Length == 0 && string.MaximumLength == 0 && !string.Buffer);
}

static void copy_string(void)
{
    UNICODE_STRING source = text_of(L"abcdef");
    WCHAR buffer[5] = { 1, 1, 1, 1, 1 };
    UNICODE_STRING target = { .Length = 2, .MaximumLength = 8, .Buffer = buffer };

    RtlCopyUnicodeString(&target, &source);
    EXPECT_EQUAL(target.Length, 8);
    EXPECT(buffer[0] == L'a' && buffer[3] == L'd' && buffer[4] == 1);
    source = text_of(L"xy");
    RtlCopyUnicodeString(&target, &source);
    EXPECT_EQUAL(target.Length, 4);
    EXPECT(buffer[0] == L'x' && buffer[1] == L'y');
    EXPECT_EQUAL(target.MaximumLength, 8);
    RtlCopyUnicodeString(&target, NULL);
    EXPECT_EQUAL(target.Length, 0);
}

static bool equal(const WCHAR *a, const WCHAR *b, BOOLEAN any_case)
{
    UNICODE_STRING one = text_of(a), other = text_of(b);

    return RtlEqualUnicodeString(&one, &other, any_case);
}

static void equality(void)
{
    EXPECT(equal(L"Device", L"Device", FALSE));
    EXPECT(!equal(L"Device", L"device", FALSE));
    EXPECT(equal(L"Device", L"dEVICE", TRUE));
    EXPECT(!equal(L"Device", L"Devices", TRUE));
    EXPECT(!equal(L"Device", L"Devicf", TRUE));
    EXPECT(equal(L"", L"", FALSE));
    EXPECT(!equal(L"[", L"{", TRUE));
    EXPECT_EQUAL(RtlUpcaseUnicodeChar(L'a'), L'A');
    EXPECT_EQUAL(RtlUpcaseUnicodeChar(L'z'), L'Z');
    EXPECT_EQUAL(RtlUpcaseUnicodeChar(L'Z'), L'Z');
    EXPECT_EQUAL(RtlUpcaseUnicodeChar(L'{'), L'{');
    EXPECT_EQUAL(RtlUpcaseUnicodeChar(L'`'), L'`');
}

static void compare_memory(void)
{
    EXPECT_EQUAL(RtlCompareMemory("abcd", "abxd", 4), 2);
    EXPECT_EQUAL(RtlCompareMemory("abcd", "abcd", 4), 4);
    EXPECT_EQUAL(RtlCompareMemory("abcd", "xbcd", 4), 0);
    EXPECT_EQUAL(RtlCompareMemory("abcd", "xbcd", 0), 0);
    EXPECT_EQUAL(compare("abc", "abd", 2), 0);
    EXPECT(compare("abc", "abd", 3) < 0);
    EXPECT(compare("\xff", "\x01", 1) > 0);
}

static bool counts_up(const UCHAR *data, UCHAR first, ULONG length)
{
    for (ULONG i = 0; i < length; i++) {
        if (data[i] != (UCHAR)(first + i)) {
            return false;
        }
    }
    return true;
}

static void moves(void)
{
    UCHAR data[64], other[64];

    for (ULONG i = 0; i < sizeof(data); i++) {
        data[i] = (UCHAR)i;
    }
    EXPECT(copy(other, data, sizeof(other)) == other);
    EXPECT(counts_up(other, 0, 64));
    EXPECT(move(data + 5, data, 50) == data + 5);
    EXPECT(counts_up(data + 5, 0, 50) && counts_up(data, 0, 5) && counts_up(data + 55, 55, 9));
    EXPECT(move(other, other + 5, 50) == other);
    EXPECT(counts_up(other, 5, 50) && counts_up(other + 50, 50, 14));
    EXPECT(fill(data + 1, 0x1ab, 3) == data + 1);
    EXPECT(data[0] == 0 && data[1] == 0xab && data[3] == 0xab && data[4] == 4);
    move(other, other, 64);
    copy(other, data, 0);
    EXPECT(counts_up(other, 5, 50));
}

const struct check string_checks[] = {
    { "string/init", init },
    { "string/copy", copy_string },
    { "string/equal", equality },
    { "memory/compare", compare_memory },
    { "memory/move", moves },
    { NULL, NULL },
};

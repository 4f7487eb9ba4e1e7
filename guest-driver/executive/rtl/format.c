/*
 * Text formatting for DbgPrint.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

typedef struct _OUTPUT {
    char *Next;
    char *End;                  /* where the terminator goes at the latest */
} OUTPUT;

typedef struct _CONVERSION {
    bool Left, Zero, Alternate;
    int Width;
    int Precision;              /* -1: not given */
    int Size;                   /* bytes of an integer argument */
    bool Wide;
} CONVERSION;

static void Put(OUTPUT *Out, char Character)
{
    if (Out->Next < Out->End) {
        *Out->Next++ = Character;
    }
}

static void Pad(OUTPUT *Out, char Character, int Count)
{
    while (Count-- > 0) {
        Put(Out, Character);
    }
}

static void PutText(OUTPUT *Out, const CONVERSION *Conversion,
                    const char *Text, const WCHAR *WideText, int Length)
{
    int pad = Conversion->Width - Length;

    Pad(Out, ' ', Conversion->Left ? 0 : pad);
    for (int i = 0; i < Length; i++) {
        Put(Out, Text ? Text[i] : (WideText[i] < 128 ? (char)WideText[i] : '?'));
    }
    Pad(Out, ' ', Conversion->Left ? pad : 0);
}

static void PutString(OUTPUT *Out, const CONVERSION *Conversion,
                      const char *Text, const WCHAR *WideText)
{
    int length = 0;

    if (!Text && !WideText) {
        Text = "(null)";
    }
    while ((Conversion->Precision < 0 || length < Conversion->Precision) &&
           (Text ? Text[length] != 0 : WideText[length] != 0)) {
        length++;
    }
    PutText(Out, Conversion, Text, WideText, length);
}

static void PutUnicode(OUTPUT *Out, const CONVERSION *Conversion,
                       const UNICODE_STRING *String)
{
    if (!String || !String->Buffer) {
        PutString(Out, Conversion, NULL, NULL);
    } else {
        PutText(Out, Conversion, NULL, String->Buffer, String->Length / 2);
    }
}

static void PutNumber(OUTPUT *Out, const CONVERSION *Conversion,
                      ULONGLONG Value, char Sign, unsigned Base, bool Upper)
{
    const char *digits = Upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[32];
    int length = 0, total, zeros;
    const char *prefix = Conversion->Alternate && Base == 16 && Value ? "0x"
                                                                      : "";
    do {
        text[length++] = digits[Value % Base];
        Value /= Base;
    } while (Value);
    zeros = Conversion->Precision - length;
    zeros = zeros > 0 ? zeros : 0;
    total = length + zeros + (Sign != 0) + (*prefix ? 2 : 0);
    if (Conversion->Zero && !Conversion->Left && Conversion->Width > total) {
        zeros += Conversion->Width - total;
        total = Conversion->Width;
    }
    Pad(Out, ' ', Conversion->Left ? 0 : Conversion->Width - total);
    Pad(Out, Sign, Sign != 0);
    for (; *prefix; prefix++) {
        Put(Out, *prefix);
    }
    Pad(Out, '0', zeros);
    while (length) {
        Put(Out, text[--length]);
    }
    Pad(Out, ' ', Conversion->Left ? Conversion->Width - total : 0);
}

static const char *ParseNumber(const char *Format, va_list *Arguments,
                               int *Number)
{
    *Number = 0;
    if (*Format == '*') {
        *Number = va_arg(*Arguments, int);
        return Format + 1;
    }
    while (*Format >= '0' && *Format <= '9' && *Number < 4096) {
        *Number = *Number * 10 + (*Format++ - '0');
    }
    return Format;
}

static const char *ParseSize(const char *Format, CONVERSION *Conversion)
{
    Conversion->Size = 4;
    for (;; Format++) {
        if (Format[0] == 'I' && Format[1] == '6' && Format[2] == '4') {
            Conversion->Size = 8;
            Format += 2;
        } else if (Format[0] == 'l' && Format[1] == 'l') {
            Conversion->Size = 8;
            Format++;
        } else if (*Format == 'z') {
            Conversion->Size = 8;
        } else if (*Format == 'h') {
            Conversion->Size = Conversion->Size == 2 ? 1 : 2;
        } else if (*Format == 'l' || *Format == 'w') {
            Conversion->Wide = true;
        } else {
            return Format;
        }
    }
}

static const char *ParseConversion(const char *Format, va_list *Arguments,
                                   CONVERSION *Conversion)
{
    *Conversion = (CONVERSION){ .Precision = -1 };
    for (;; Format++) {
        if (*Format == '-') {
            Conversion->Left = true;
        } else if (*Format == '0') {
            Conversion->Zero = true;
        } else if (*Format == '#') {
            Conversion->Alternate = true;
        } else {
            break;
        }
    }
    Format = ParseNumber(Format, Arguments, &Conversion->Width);
    if (*Format == '.') {
        Format = ParseNumber(Format + 1, Arguments, &Conversion->Precision);
    }
    return ParseSize(Format, Conversion);
}

/* As large as the conversion's size says: LLP64, so l is 32 bits. */
static ULONGLONG IntegerArgument(va_list *Arguments,
                                 const CONVERSION *Conversion, bool Signed)
{
    ULONGLONG value = Conversion->Size == 8 ? va_arg(*Arguments, ULONGLONG)
                                            : va_arg(*Arguments, ULONG);
    int unused = 64 - 8 * Conversion->Size;

    value <<= unused;
    return Signed ? (ULONGLONG)((LONGLONG)value >> unused) : value >> unused;
}

static void PutInteger(OUTPUT *Out, va_list *Arguments,
                       const CONVERSION *Conversion, char Type)
{
    bool is_signed = Type == 'd' || Type == 'i';
    unsigned base = is_signed || Type == 'u' ? 10 : Type == 'o' ? 8 : 16;
    ULONGLONG value = IntegerArgument(Arguments, Conversion, is_signed);
    bool negative = is_signed && (LONGLONG)value < 0;

    PutNumber(Out, Conversion, negative ? 0 - value : value,
              negative ? '-' : 0, base, Type == 'X');
}

static void Convert(OUTPUT *Out, va_list *Arguments, CONVERSION *Conversion,
                    char Type)
{
    char character;

    switch (Type) {
    case 'c':
        character = (char)va_arg(*Arguments, int);
        PutText(Out, Conversion, &character, NULL, 1);
        break;
    case 's':
        if (!Conversion->Wide) {
            PutString(Out, Conversion, va_arg(*Arguments, const char *), NULL);
            break;
        }
        /* fall through */
    case 'S':
        PutString(Out, Conversion, NULL, va_arg(*Arguments, const WCHAR *));
        break;
    case 'Z':
        PutUnicode(Out, Conversion,
                   va_arg(*Arguments, const UNICODE_STRING *));
        break;
    case 'p':
        Conversion->Precision = 16;
        PutNumber(Out, Conversion, va_arg(*Arguments, ULONGLONG), 0, 16,
                  false);
        break;
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
        PutInteger(Out, Arguments, Conversion, Type);
        break;
    default:
        Put(Out, Type);
        break;
    }
}

size_t RtlpFormat(char *Buffer, size_t Size, const char *Format,
                  va_list Arguments)
{
    OUTPUT out = { Buffer, Buffer + Size - 1 };
    CONVERSION conversion;
    va_list arguments;

    va_copy(arguments, Arguments);
    for (; *Format; Format++) {
        if (*Format != '%') {
            Put(&out, *Format);
            continue;
        }
        Format = ParseConversion(Format + 1, &arguments, &conversion);
        if (!*Format) {
            break;
        }
        Convert(&out, &arguments, &conversion, *Format);
    }
    va_end(arguments);
    *out.Next = 0;
    return (size_t)(out.Next - Buffer);
}

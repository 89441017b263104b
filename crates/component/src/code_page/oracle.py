"""Says what Python and the C library make of bytes and characters in code pages.

Takes lines `PAGE CODEC` or `PAGE iconv:NAME`, and gives a line `PAGE BYTES CHARACTER BACK` for each character of one or
two bytes: the bytes, the character, and the bytes that the character becomes, in hexadecimal. With BYTES at the end of a
line, it gives one such line, for all of them at once; the text is in UTF-8 then.
"""

import ctypes
import sys


class Codec:
    def __init__(self, name):
        self.name = name

    def decode(self, code):
        try:
            return code.decode(self.name)
        except UnicodeError:
            return None

    def encode(self, text):
        try:
            return text.encode(self.name)
        except UnicodeError:
            return b""


class Iconv:
    libc = ctypes.CDLL(None)
    libc.iconv_open.restype = ctypes.c_void_p
    libc.iconv.restype = ctypes.c_size_t
    libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4

    def __init__(self, name):
        self.reader = self.open(b"UTF-32LE", name.encode())
        self.writer = self.open(name.encode(), b"UTF-32LE")

    def open(self, to, source):
        handle = self.libc.iconv_open(to, source)
        if handle == ctypes.c_void_p(-1).value:
            sys.exit(f"the C library does not know {source} or {to}: install its gconv modules")
        return handle

    def convert(self, handle, data):
        self.libc.iconv(handle, None, None, None, None)
        size = 8 * len(data) + 64
        source, room = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(size)
        at, to = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_void_p(ctypes.addressof(room))
        left, free = ctypes.c_size_t(len(data)), ctypes.c_size_t(size)
        pointers = [ctypes.byref(value) for value in (at, left, to, free)]
        for source_pointers in (pointers[:2], [None, None]):
            if self.libc.iconv(handle, *source_pointers, *pointers[2:]) == ctypes.c_size_t(-1).value:
                return None
        return room.raw[: size - free.value]

    def decode(self, code):
        data = self.convert(self.reader, code)
        return None if data is None else data.decode("utf-32-le", "replace")

    def encode(self, text):
        return self.convert(self.writer, text.encode("utf-32-le")) or b""


def table(page, name, codec):
    single = [bytes([byte]) for byte in range(256)]
    known = [codec.decode(code) for code in single]
    # What is of one byte begins no code of two. No set has trail bytes below 0x21.
    double = [bytes([lead, trail]) for lead in range(256) if not known[lead] for trail in range(0x21, 0xFF)]
    if name.startswith("iconv:IBM9"):
        double = [b"\x0e" + code + b"\x0f" for code in double if min(code) >= 0x40]
    for code in single + double:
        text = known[code[0]] if len(code) == 1 else codec.decode(code)
        if text and len(text) == 1:
            print(page, code.hex(), f"{ord(text):x}", codec.encode(text).hex() or "-")


def main():
    for line in sys.stdin:
        page, name, *data = line.split()
        codec = Iconv(name.removeprefix("iconv:")) if name.startswith("iconv:") else Codec(name)
        if data:
            text = codec.decode(bytes.fromhex(data[0])) or ""
            print(page, data[0], text.encode().hex() or "-", codec.encode(text).hex() or "-")
        else:
            table(page, name, codec)


main()

#!/usr/bin/env python3
"""Writes the tables of code pages anew.

usage: generate.py UCM INDEXES

UCM is a folder with the mapping files (*.ucm) of the repository unicode-org/icu-data, which were read off the systems
that the pages are from. INDEXES is one with the index-*.txt of the repository whatwg/encoding: what a page shares with
them is not written down here, but taken from the crate encoding_rs.
"""

import collections
import pathlib
import re
import sys
import unicodedata

HERE = pathlib.Path(__file__).parent

ROW = re.compile(r"<U([0-9A-Fa-f]+)> *((?:\\x[0-9A-Fa-f]{2})+) *\|([0-3])")

# A run shorter than this is written as its characters.
RUN = 5


def read_ucm(path):
    """Codes to characters, first those that go both ways, then those that are only decoded."""
    both, decoded = {}, {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if row := ROW.match(line):
            code = int(row[2].replace("\\x", ""), 16)
            if row[3] in "03":
                (both if row[3] == "0" else decoded)[code] = chr(int(row[1], 16))
    return both, decoded


def read_index(folder, name):
    lines = (folder / f"index-{name}.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t")[:2] for line in lines if line.strip() and not line.startswith("#"))
    return {int(pointer): chr(int(char, 16)) for pointer, char in rows}


def read_bases(folder):
    """The sets of double bytes to copy from: trail bytes, and codes to characters."""
    bases = {}
    for name, index, width, low, gap, above in [
        ("sjis", "jis0208", 188, 0x40, 0x3F, 0x41),
        ("gbk", "gb18030", 190, 0x40, 0x3F, 0x41),
        ("uhc", "euc-kr", 190, 0x41, 190, 0),
        ("big5", "big5", 157, 0x40, 0x3F, 0x62),
    ]:
        codes = {}
        for pointer, char in read_index(folder, index).items():
            row, column = divmod(pointer, width)
            lead = row + 0x81
            if name == "sjis" and lead > 0x9F:
                lead += 0x40
            if lead <= 0xFE:
                codes[lead << 8 | column + (low if column < gap else above)] = char
        bases[name] = codes
    return bases


TRAILS = {
    "sjis": [(0x40, 0x7E), (0x80, 0xFC)],
    "gbk": [(0x40, 0x7E), (0x80, 0xFE)],
    "uhc": [(0x41, 0x5A), (0x61, 0x7A), (0x81, 0xFE)],
    "big5": [(0x40, 0x7E), (0xA1, 0xFE)],
}


def trails_of(codes):
    """The ranges of the second byte."""
    used = sorted({code & 0xFF for code in codes if code > 0xFF})
    ranges = []
    for byte in used:
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1] = (ranges[-1][0], byte)
        else:
            ranges.append((byte, byte))
    return ranges


def following(code, trails):
    """The next code: within a lead byte first."""
    if code < 0x100:
        return code + 1
    lead, trail = code >> 8, code & 0xFF
    for first, last in trails:
        if trail < first:
            return lead << 8 | first
        if trail < last:
            return code + 1
    return lead + 1 << 8 | trails[0][0]


def plain(char):
    """Whether a character can stand in a text that people read."""
    return (
        unicodedata.category(char)[0] in "LNPS"
        and unicodedata.bidirectional(char) not in ("R", "AL", "AN")
        and unicodedata.normalize("NFC", char) == char
        and char != "\ufffd"
    )


class Writer:
    def __init__(self, bases):
        self.bases = bases
        self.written = {}
        self.places = {name: {} for name in bases}
        for name, codes in bases.items():
            for code, char in sorted(codes.items()):
                self.places[name].setdefault(char, code)

    def run(self, codes, code, trails, step):
        """The codes from here on as long as `step` finds the next one."""
        last, length = code, 1
        while step(codes.get(following(last, trails))):
            last, length = following(last, trails), length + 1
        return last, length

    def arithmetic(self, codes, code, trails):
        expected = ord(codes[code])

        def step(char):
            nonlocal expected
            expected += 1
            return char == chr(expected)

        return *self.run(codes, code, trails, step), f"U+{ord(codes[code]):04X}"

    def copies(self, codes, code, trails):
        for name, places in self.places.items():
            start = place = places.get(codes[code])
            if start is None or code < 0x100:
                continue

            def step(char):
                nonlocal place
                place = following(place, TRAILS[name])
                return char is not None and char == self.bases[name].get(place)

            yield *self.run(codes, code, trails, step), f"{name} {start:04X}"

    def lines(self, codes, trails, mark):
        """A line for each run and each row of characters."""
        done, text = None, ""
        show = lambda code: f"{mark}{code:02X}" if code < 0x100 else f"{mark}{code:04X}"
        for code in sorted(codes):
            if done is not None and code <= done:
                continue
            runs = [self.arithmetic(codes, code, trails), *self.copies(codes, code, trails)]
            last, length, what = max(runs, key=lambda run: run[1])
            if length >= RUN or not plain(codes[code]):
                if not plain(codes[code]) and length < RUN:
                    last, length, what = runs[0]
                if text:
                    yield text
                text = ""
                yield f"{show(code)}-{show(last).removeprefix(mark)} {what}"
                done = last
                continue
            if text and (following(done, trails) != code or len(text) > 100):
                yield text
                text = ""
            text = (text or f"{show(code)} ") + codes[code]
            done = code
        if text:
            yield text

    def page(self, number, both, decoded):
        trails = trails_of({**both, **decoded})
        yield f"[{number}]"
        if trails:
            yield "trails " + " ".join(f"{first:02X}-{last:02X}" for first, last in trails)
        if twin := self.twin(number, both, decoded):
            yield f"double {twin}"
            both = {code: char for code, char in both.items() if code < 0x100}
            decoded = {code: char for code, char in decoded.items() if code < 0x100}
        yield from self.lines(both, trails, "")
        yield from self.lines(decoded, trails, "<")

    def twin(self, number, *parts):
        """An earlier page with the same double bytes."""
        double = [sorted(item for item in part.items() if item[0] > 0xFF) for part in parts]
        for twin, written in self.written.items():
            if double[0] and double == written:
                return twin
        self.written[number] = double
        return None


SINGLE = """37 437 500 708 720 737 775 850 852 855 857 858 860 861 862 863 864 865 866 869 870 874 875 1026 1047
1140 1141 1142 1143 1144 1145 1146 1147 1148 1149 1250 1251 1252 1253 1254 1255 1256 1257 1258 10000 10004 10005 10006
10007 10010 10017 10021 10029 10079 10081 10082 20105 20106 20107 20108 20127 20269 20273 20277 20278 20280 20284 20285
20290 20297 20420 20423 20424 20833 20838 20866 20871 20880 20905 20924 21025 21027 21866 28591 28592 28593 28594 28595
28596 28597 28598 28599 28605""".split()

# Europa 3, of which there is no mapping file: ASCII, letters of the West as in page 437, Greek, and signs.
EUROPA = dict(
    zip(
        [*range(0x01, 0x20), *range(0x80, 0x100)],
        "ΆΈΉΊΌΎ°◘○◙♂♀♪♬☼▶◀↕‼¶§£Ώ↑↓→←Ë↔▲▼"
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùΑÖÜøαØάΒáíóúñÑβΓγΔδΕεέΖζΗηή│ªÁÂÀΘθ║╗╝ΙΪ┐└º¡¿─΄ãÃ╚╔ιίϊ═ΐΚκΛÊλΜμÍΝν┘┌ΞξΟοόÓßÔΠõÕπΡρÚΣςσΤτΥΫυύϋΰΦφΧχΨ·ψΩωώ",
    )
)
EUROPA |= {code: chr(code) for code in [0, *range(0x20, 0x80)]}

DOUBLE = "932 936 949 950 1361 10001 10002 10003 10008 20000 20001 20002 20003 20004 20005 20261 20932".split()

# Those of IBM's mainframes, by the numbers of the mapping files.
HOST = {
    50930: "ibm-930_P120-1999",
    50931: "ibm-931_P120-1999",
    50933: "ibm-933_P110-1999",
    50935: "ibm-935_P110-1999",
    50937: "ibm-937_P110-1999",
    50939: "ibm-939_P120-1999",
}


def main():
    ucm, indexes = map(pathlib.Path, sys.argv[1:])
    writer = Writer(read_bases(indexes))
    windows = lambda number: f"windows-{number}-2000"
    for name, pages in [
        ("single", {number: windows(number) for number in SINGLE}),
        ("double", {**{number: windows(number) for number in DOUBLE}, 51932: "windows-51932-2006"}),
        ("host", HOST),
    ]:
        lines = []
        for number, source in pages.items():
            lines += writer.page(number, *read_ucm(ucm / f"{source}.ucm"))
        if name == "single":
            lines += writer.page(29001, EUROPA, {})
        (HERE / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

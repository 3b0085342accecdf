#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether Linux 6.1 takes the stack of the BPF object: it adds up, along each chain of calls, what every function uses,
rounded up to 32 bytes, and refuses more than 512 bytes or 8 functions (check_max_stack_depth()). Later kernels are
more generous, so that loading it here does not tell.

Usage: stack_depth.py OBJECT"""
import functools
import re
import struct
import sys
from pathlib import Path

MOST_BYTES, MOST_FUNCTIONS, UNIT = 512, 8, 32
SYMTAB, REL, STT_FUNC, STT_SECTION = 2, 9, 2, 3
FRAME_POINTER, CALL, LOAD_64, ADD_CONSTANT, MOVE = 10, 0x85, 0x18, 0x07, 0xbf
PSEUDO_CALL = 1
LOAD, STORE_CONSTANT, STORE = 1, 2, 3  # classes


class Object:
    """An ELF file for BPF: functions by section, and the relocations that name them."""

    def __init__(self, data: bytes):
        self.data = data
        start, = struct.unpack_from("<Q", data, 0x28)
        size, count, names = struct.unpack_from("<HHH", data, 0x3a)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * size) for i in range(count)]
        self.section_names = [self.text(names, section[0]) for section in self.sections]
        self.symbols = self.read_symbols()
        self.functions: dict[int, list[tuple[int, int, str]]] = {}  # section: start, size, name
        for name, kind, section, value, length in self.symbols:
            if kind == STT_FUNC:
                self.functions.setdefault(section, []).append((value, length, name))
        self.relocations = {}
        for section in self.sections:
            if section[1] == REL:
                for at in range(section[4], section[4] + section[5], 16):
                    offset, info = struct.unpack_from("<QQ", data, at)
                    self.relocations[section[7], offset] = self.symbols[info >> 32]

    def text(self, section: int, offset: int) -> str:
        start = self.sections[section][4] + offset
        return self.data[start:self.data.index(b"\0", start)].decode()

    def read_symbols(self) -> list[tuple]:
        table = next(section for section in self.sections if section[1] == SYMTAB)
        symbols = []
        for at in range(table[4], table[4] + table[5], 24):
            name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
            symbols.append((self.text(table[6], name), info & 15, section, value, size))
        return symbols

    def function_at(self, section: int, offset: int) -> str:
        return next(name for start, size, name in self.functions[section] if start <= offset < start + size)

    def named(self, section: int, at: int, offset: int) -> str | None:
        """The function that the instruction at `at` is relocated to, with `offset` if that names a section only."""
        symbol = self.relocations.get((section, at))
        if symbol is None or self.section_names[symbol[2]] in ("", ".maps", ".rodata", ".data", ".bss"):
            return None
        return self.function_at(symbol[2], offset) if symbol[1] == STT_SECTION else symbol[0]


def look_through(elf: Object, section: int, start: int, size: int) -> tuple[int, set[str]]:
    """How many bytes of stack a function uses, and which functions it calls or hands over to be called back."""
    base = elf.sections[section][4]
    lowest, called, pointers = 0, set(), set()
    at = start
    while at < start + size:
        code, registers, offset, constant = struct.unpack_from("<BBhi", elf.data, base + at)
        to, source, kind = registers & 15, registers >> 4, code & 7
        if (kind == LOAD and source == FRAME_POINTER) or (kind in (STORE, STORE_CONSTANT) and to == FRAME_POINTER):
            lowest = min(lowest, offset)
        if code == ADD_CONSTANT and to in pointers:
            lowest = min(lowest, constant)
        if code == MOVE and source == FRAME_POINTER:
            pointers.add(to)
        elif kind not in (STORE, STORE_CONSTANT):
            pointers.discard(to)
        if code == CALL and source == PSEUDO_CALL:
            called.add(elf.named(section, at, (constant + 1) * 8) or elf.function_at(section, at + 8 + constant * 8))
        elif code == LOAD_64:
            if function := elf.named(section, at, constant):
                called.add(function)
            at += 8
        at += 8
    return -lowest, called


def main(path: str) -> int:
    elf = Object(Path(path).read_bytes())
    functions = {name: look_through(elf, section, start, size)
                 for section, found in elf.functions.items() for start, size, name in found}

    @functools.cache
    def deepest(name: str) -> tuple[int, tuple[str, ...]]:
        used, called = functions[name]
        below = max((deepest(each) for each in called), default=(0, ()))
        rounded = -(-max(used, 1) // UNIT) * UNIT
        return rounded + below[0], (f"{name} {rounded}", *below[1])

    bad = False
    programs = [name for section, found in elf.functions.items() for _, _, name in found
                if re.match(r"tc|xdp|syscall", elf.section_names[section])]
    for program in programs:
        used, chain = deepest(program)
        refused = used > MOST_BYTES or len(chain) > MOST_FUNCTIONS
        print(f"{'refused: ' if refused else ''}{used} of {MOST_BYTES} bytes: {', '.join(chain)}")
        bad |= refused
    if not programs:
        print("no programs found")
    return 1 if bad or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

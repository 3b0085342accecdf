#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a packet that this host routes costs, unmarked, with mark services configured.

Usage: routed_marks.py DIRECTORY-OF-THE-PROGRAMS [ROUNDS]

Each case is a network namespace with a limpetd of its own. A round runs every case once: XDP live frames
(BPF_PROG_TEST_RUN) are passed to the stack at one interface, routed, and dropped as they leave at another. The medians
of all rounds are shown, and what they are of that without marks.
"""
import ctypes
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PACKETS = 20000
LIBC = ctypes.CDLL(None, use_errno=True)
SCATTER = 0x9E3779B1  # odd: marks without a pattern


def marks(count, scattered):
    return [(number * SCATTER) % 2**32 if scattered else number for number in range(1, count + 1)]


NO_LIMPETD = None
A_RULE = "a rule"
CASES = {
    "no limpetd": NO_LIMPETD,
    "no limpetd, any rule": A_RULE,  # the kernel's own price: without one it skips the rules altogether
    "no marks": [],
    "1 mark": marks(1, False),
    "100 marks, 1 to 100": marks(100, False),
    "100 marks, scattered": marks(100, True),
    "1000 marks, 1 to 1000": marks(1000, False),
    "1000 marks, scattered": marks(1000, True),
}


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 144)
    result = LIBC.syscall(321, command, buffer, 144)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result, buffer.raw


def load_source(frame):
    """An XDP program that writes Ethernet and IP header anew, since frames are used again, and passes the packet."""

    def op(code, to=0, source=0, offset=0, value=0):
        return struct.pack("<BBhi", code, to | source << 4, offset, value)

    writes = b"".join(op(0x62, 2, 0, at, struct.unpack_from("<i", frame, at)[0]) for at in range(0, 28, 4))
    program = op(0x61, 2, 1, 0) + op(0x61, 3, 1, 4) + op(0xBF, 4, 2) + op(0x07, 4, 0, 0, 34)
    program += op(0x2D, 4, 3, len(writes) // 8) + writes + op(0xB7, 0, 0, 0, 2) + op(0x95)
    code = ctypes.create_string_buffer(program, len(program))
    licence = ctypes.create_string_buffer(b"GPL")
    return bpf(5, struct.pack("<IIQQ", 6, len(program) // 8, ctypes.addressof(code), ctypes.addressof(licence)))[0]


def run(program, frame, interface):
    data = ctypes.create_string_buffer(frame, len(frame))
    context = ctypes.create_string_buffer(struct.pack("<IIIIII", 0, len(frame), 0, interface, 0, 0))
    live_frames = 2
    attributes = struct.pack("<IIIIQQIIIIQQIII", program, 0, len(frame), 0, ctypes.addressof(data), 0, PACKETS, 0, 24, 0,
                             ctypes.addressof(context), 0, live_frames, 0, 64)
    return struct.unpack_from("<I", bpf(10, attributes)[1], 36)[0]


def udp_frame(to_mac):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, socket.inet_aton("10.1.0.9"),
                         socket.inet_aton("10.2.0.9"))
    total = sum(struct.unpack(">10H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    header = header[:10] + struct.pack(">H", ~total & 0xFFFF) + header[12:]
    return to_mac + bytes.fromhex("020000000008") + b"\x08\x00" + header + struct.pack(">HHHH", 1000, 9, 26, 0) + bytes(18)


def shell(command, **options):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL, **options)


def forwarded():
    with open("/proc/net/snmp", encoding="ascii") as file:
        return int(file.read().split("\n")[1].split()[6])


class Case:
    def __init__(self, programs, services):
        if LIBC.unshare(0x40000000 | 0x00020000) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        shell("""mount --make-rprivate /; mount -t sysfs none /sys; ip link set lo up
            ip link add in0 type veth peer name far0; ip link set in0 up; ip link set far0 up
            ip link add out0 type veth peer name far1; ip link set out0 up; ip link set far1 up
            ip addr add 10.1.0.1/24 dev in0; ip addr add 10.2.0.1/24 dev out0
            ip neigh add 10.2.0.9 lladdr 02:00:00:00:00:09 dev out0 nud permanent
            sysctl -qw net.ipv4.ip_forward=1; ethtool -K far0 gro on; ethtool -K in0 gro on
            for one in all default in0; do sysctl -qw net.ipv4.conf.$one.rp_filter=0; done""")
        if services == A_RULE:
            shell("ip rule add fwmark 77 lookup 100")
        elif services is not NO_LIMPETD:
            self.start(programs, services)
        # Behind whatever else is at the interface: nobody is charged for the way to the far end.
        shell("""tc qdisc add dev out0 clsact 2>/dev/null || true
            tc filter add dev out0 egress bpf da bytecode "1,6 0 0 2" """)
        with open("/sys/class/net/in0/address", encoding="ascii") as file:
            self.frame = udp_frame(bytes.fromhex(file.read().strip().replace(":", "")))
        self.program = load_source(self.frame)
        self.interface = socket.if_nametoindex("in0")
        self.measure()

    @staticmethod
    def start(programs, services):
        directory = tempfile.mkdtemp(prefix="routed-marks-")
        os.environ["LIMPET_RUN_DIR"] = directory + "/run"
        subprocess.Popen([programs + "/limpetd", "--run-dir", directory + "/run", "--state-dir", directory + "/state"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while subprocess.run([programs + "/limpetadm", "-L"], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until:
                raise RuntimeError("limpetd has not come up")
            time.sleep(0.05)
        rules = "".join(f"-A -f {mark} -s rr\n" for mark in services)
        subprocess.run([programs + "/limpetadm", "-R", "--atomic"], input=rules, text=True, check=True)

    def measure(self):
        before = forwarded()
        nanoseconds = run(self.program, self.frame, self.interface)
        if forwarded() - before < PACKETS:
            raise RuntimeError("not all packets were routed")
        return nanoseconds


def in_a_child(programs, services):
    """A case in a process of its own, ready; and how to have it measure."""
    ask_read, ask = os.pipe()
    answer, answer_write = os.pipe()
    if os.fork() == 0:
        os.close(ask)
        os.setpgid(0, 0)
        case = Case(programs, services)
        os.write(answer_write, struct.pack("<I", 0))
        while os.read(ask_read, 1):
            os.write(answer_write, struct.pack("<I", case.measure()))
        if services not in (NO_LIMPETD, A_RULE):
            subprocess.run([programs + "/limpet", "unload"], check=False)
            shutil.rmtree(os.path.dirname(os.environ["LIMPET_RUN_DIR"]), ignore_errors=True)
        os._exit(0)
    os.close(ask_read)
    os.close(answer_write)

    def hear():
        word = os.read(answer, 4)
        if len(word) != 4:
            sys.exit("a case failed")
        return struct.unpack("<I", word)[0]

    def measure():
        os.write(ask, b"x")
        return hear()

    hear()
    return measure


def main():
    programs = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    cases = {name: in_a_child(programs, services) for name, services in CASES.items()}
    times = {name: [] for name in cases}
    for _ in range(rounds):
        for name, measure in cases.items():
            times[name].append(measure())
    floor = statistics.median(times["no marks"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:24} {median:7.0f} ns  {median / floor:5.2f}")


if __name__ == "__main__":
    main()

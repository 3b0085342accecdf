# SPDX-License-Identifier: Apache-2.0
"""A program that speaks generic netlink by itself and knows nothing of limpetd: does what its input says on one socket,
a line for a line. The test runs it by `limpet run`."""
import errno
import os
import select
import socket
import struct
import sys
import threading

CONTROLLER, GET_FAMILY, FAMILY_ID, FAMILY_NAME = 16, 3, 1, 2
GET_INFO = 15
REQUEST, ACK = 1, 4
ERROR = 2

netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
netlink.bind((0, 0))
port = netlink.getsockname()[0]
numbers = {}


def attribute(kind: int, value: bytes) -> bytes:
    padding = b"\0" * (-len(value) % 4)
    return struct.pack("HH", 4 + len(value), kind) + value + padding


def send(family: int, command: int, attributes: bytes, flags: int) -> None:
    body = struct.pack("BBH", command, 1, 0) + attributes
    netlink.sendto(struct.pack("IHHII", 16 + len(body), family, flags, 1, port) + body, (0, 0))


def receive(sock=None) -> bytes:
    """What is behind the header of an answer, which must seem to come from the kernel."""
    answer, sender = (sock or netlink).recvfrom(65536)
    assert sender == (0, 0), sender
    (kind,) = struct.unpack_from("H", answer, 4)
    if kind == ERROR:
        (error,) = struct.unpack_from("i", answer, 16)
        raise OSError(-error, os.strerror(-error))
    return answer[20:]


def family(name: str) -> str:
    send(CONTROLLER, GET_FAMILY, attribute(FAMILY_NAME, name.encode() + b"\0"), REQUEST)
    rest = receive()
    while rest:
        length, kind = struct.unpack_from("HH", rest)
        if kind == FAMILY_ID:
            (numbers[name],) = struct.unpack_from("H", rest, 4)
        rest = rest[(length + 3) // 4 * 4:]
    return "found"


def version(body: bytes) -> str:
    (number,) = struct.unpack_from("I", body, 4)
    return f"{number:#x}"


def info(sock=None) -> str:
    send(numbers["IPVS"], GET_INFO, b"", REQUEST)
    return version(receive(sock))


def buffers() -> str:
    """Answers are whole in a buffer that just holds them, as long as they are said to be, and read in any way."""
    length = 36
    ways = [lambda size: netlink.recv(size), lambda size: netlink.recvfrom(size)[0],
            lambda size: netlink.recvmsg(size)[0], lambda size: os.read(netlink.fileno(), size)]
    for way in ways:
        for size in (length, 65536):
            send(numbers["IPVS"], GET_INFO, b"", REQUEST)
            parts = bytearray(1), bytearray(9)
            said = netlink.recvmsg_into(parts, 0, socket.MSG_PEEK | socket.MSG_TRUNC)
            answer = way(size)
            assert (said[0], said[2] & socket.MSG_TRUNC, len(answer)) == (length, socket.MSG_TRUNC, length), said
            assert b"".join(parts) == answer[:10] and version(answer[20:]) == "0x10201"
    return "whole"


def forgotten() -> str:
    """A program that closes what it does not know."""
    keep = netlink.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, 1024)
    return info()


def dropped() -> str:
    """One that has given up its rights, and what it has got with them before."""
    os.setegid(65534)
    os.seteuid(65534)
    try:
        return info()
    finally:
        os.seteuid(0)
        os.setegid(0)


def capped() -> str:
    """A socket whose refusals quote nothing."""
    global netlink, port
    netlink.close()
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    netlink.setsockopt(270, 10, 1)  # SOL_NETLINK, NETLINK_CAP_ACK
    netlink.bind((0, 0))
    port = netlink.getsockname()[0]
    return f"{family('IPVS')} {info(netlink)}"


def threads() -> str:
    """Many at once, each with a socket of its own."""
    outcomes = []

    def work():
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as own:
            own.bind((0, 0))
            own_port = own.getsockname()[0]
            for sequence in range(50):
                message = struct.pack("IHHIIBBH", 20, numbers["IPVS"], REQUEST, sequence, own_port, GET_INFO, 1, 0)
                own.sendto(message, (0, 0))
                answer = own.recv(4096)
                assert struct.unpack_from("II", answer, 8) == (sequence, own_port)
                outcomes.append(version(answer[20:]))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return f"{len(outcomes)} {set(outcomes)}"


def ready() -> str:
    """Whether poll sees the answer."""
    send(numbers["IPVS"], GET_INFO, b"", REQUEST)
    seen = select.select([netlink], [], [], 5)[0] == [netlink]
    receive()
    return "ready" if seen else "nothing"


def child() -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0 if info() == "0x10201" else 1)
    return f"exit {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"


def copy() -> str:
    """Answers come to a copy of the descriptor as well."""
    with netlink.dup() as twin:
        return info(twin)


for line in sys.stdin:
    verb, *words = line.split()
    try:
        outcome = globals()[verb](*words)
    except OSError as error:
        outcome = errno.errorcode[error.errno]
    print(outcome, flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Frames as they are on the wire: to write odd ones and to see what arrives."""
import socket
import struct
import time
from dataclasses import dataclass

from namespaces import Host

ETH_P_ALL, ETH_P_IP, PACKET_OUTGOING = 0x0003, 0x0800, 4
SYN = 0x02


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def mac_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def tcp_frame(to_mac: str, from_mac: str, source: str, source_port: int, to: str, port: int, flags=SYN,
              ttl=64) -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton(to)
    tcp = struct.pack("!HHIIBBHHH", source_port, port, 1000, 0, 0x50, flags, 65535, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(addresses + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, ttl, 6, 0) + addresses
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return mac_bytes(to_mac) + mac_bytes(from_mac) + struct.pack("!H", ETH_P_IP) + ip + tcp


@dataclass
class Packet:
    """An IPv4 packet with the ports of TCP or UDP."""

    to_mac: bytes
    ttl: int
    protocol: int
    source: str
    to: str
    source_port: int
    port: int
    flags: int  # of TCP; 0 for others


def parse(frame: bytes) -> Packet | None:
    if len(frame) < 38 or frame[12:14] != struct.pack("!H", ETH_P_IP):
        return None
    ttl, protocol = frame[22], frame[23]
    l4 = frame[14 + (frame[14] & 15) * 4:]
    source_port, port = struct.unpack("!HH", l4[:4])
    return Packet(frame[:6], ttl, protocol, socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), source_port,
                  port, l4[13] if protocol == 6 and len(l4) > 13 else 0)


class Wire:
    """One end of a host's cable: sends frames as they are, and sees all that come in from now on."""

    def __init__(self, host: Host, device="eth0"):
        with host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((device, ETH_P_ALL))

    def send(self, frame: bytes) -> None:
        self.socket.send(frame)

    def first(self, wanted, seconds=3.0) -> Packet | None:
        """The first incoming packet that is wanted; None when the time is up."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame, address = self.socket.recvfrom(2048)
            except TimeoutError:
                return None
            packet = parse(frame) if address[2] != PACKET_OUTGOING else None
            if packet and wanted(packet):
                return packet
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Refusals:
    """Sees the ICMP port-unreachable messages that a host is sent."""

    def __init__(self, host: Host):
        self.socket = host.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    def first_from(self, address: str, seconds=3.0) -> bool:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                packet, (sender, _) = self.socket.recvfrom(2048)
            except TimeoutError:
                return False
            if sender == address and packet[20:22] == bytes((3, 3)):
                return True
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

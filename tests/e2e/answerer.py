#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""answerer.py NAME PORT...: a real server for the scenarios, which says its name.

TCP: a line `who` is answered with the name, as often as it is asked; `download N` with N lines of the name, one each
10 ms; `burst N` with a line of N bytes, as fast as it goes. On port 22 the server speaks first, as sshd does. UDP:
every datagram is answered with the name, from the address that was asked. A connection stays until the client closes
it.
"""
import asyncio
import socket
import sys

IP_PKTINFO = 8  # linux/in.h; Python's socket module names it from 3.14 on
PKTINFO_SIZE = 12  # ifindex, the address to answer from, the address of the header


async def converse(name: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        if writer.get_extra_info("sockname")[1] == 22:
            writer.write(name)
        while line := await reader.readline():
            word, _, count = line.decode().strip().partition(" ")
            if word == "who":
                writer.write(name)
            elif word == "download":
                for _ in range(int(count)):
                    writer.write(name)
                    await writer.drain()
                    await asyncio.sleep(0.01)
            elif word == "burst":
                writer.write(b"x" * int(count) + b"\n")
                await writer.drain()
    except OSError:
        pass  # the client reset the connection
    finally:
        writer.close()


def answer_datagram(name: bytes, udp: socket.socket) -> None:
    _, ancillary, _, client = udp.recvmsg(2048, socket.CMSG_SPACE(PKTINFO_SIZE))
    asked = next(data[8:12] for level, kind, data in ancillary if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO))
    source = b"\0\0\0\0" + asked + b"\0\0\0\0"
    udp.sendmsg([name], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, client)


async def serve(name: bytes, ports: list[int]) -> None:
    loop = asyncio.get_running_loop()
    servers = []
    for port in ports:
        servers.append(await asyncio.start_server(lambda r, w: converse(name, r, w), "0.0.0.0", port, backlog=1024))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        udp.bind(("0.0.0.0", port))
        loop.add_reader(udp, answer_datagram, name, udp)
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    try:
        asyncio.run(serve(sys.argv[1].encode() + b"\n", [int(port) for port in sys.argv[2:]]))
    except KeyboardInterrupt:
        pass

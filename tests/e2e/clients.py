# SPDX-License-Identifier: Apache-2.0
"""What clients do: ask who answers, hold a connection, send a datagram."""
import socket
import time

from namespaces import Host
from topology import VIP

IP_BIND_ADDRESS_NO_PORT = 24  # <linux/in.h>; Python's socket has it from 3.12 on


class Connection:
    """A TCP connection from one host, to be closed in good order: close() returns when the last packet has passed."""

    def __init__(self, host: Host, port: int, to=VIP, source="", source_port=0, timeout=3.0):
        self.port = port
        self.socket = host.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not source_port:
            # bind() would draw one by lot, at times one whose flow the director still has. connect() counts on.
            self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        try:
            self.socket.bind((source, source_port))
            self.socket.connect((to, port))
        except BaseException:
            self.socket.close()
            raise
        self.lines = self.socket.makefile("rb")
        self.greeting = self.line() if port == 22 else None

    def line(self) -> str:
        return self.lines.readline().decode().strip()

    def say(self, words: str) -> None:
        self.socket.sendall(words.encode() + b"\n")

    def who(self) -> str:
        """The name of the server at the other end."""
        self.say("who")
        return self.line()

    def is_silent(self, seconds: float) -> bool:
        """Asks, and says whether nothing at all came back: neither an answer nor a reset."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.say("who")
            self.socket.recv(1, socket.MSG_PEEK)
            return False
        except TimeoutError:
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(before)

    def close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while self.lines.read(4096):
                pass
        except OSError:
            pass
        self.abandon()

    def abandon(self) -> None:
        self.lines.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(host: Host, port=80, **where) -> str:
    """One request on a connection of its own: the server's name, or "refused", "silent", "reset", "unreachable"."""
    try:
        with Connection(host, port, **where) as connection:
            return connection.greeting or connection.who() or "closed"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"
    except OSError as error:
        return f"unreachable ({error.strerror})"


def ask_udp(host: Host, port=80, to=VIP, source="", source_port=0, timeout=1.0) -> str:
    with host.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(timeout)
        udp.bind((source, source_port))
        udp.connect((to, port))
        try:
            udp.send(b"who\n")
            return udp.recv(100).decode().strip()
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silent"


def eventually(condition, what="", seconds=5.0):
    """Waits until the condition holds and returns its value; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            what = what() if callable(what) else what
            raise AssertionError(f"not within {seconds} s: {what or condition.__name__}")
        time.sleep(0.02)

# SPDX-License-Identifier: Apache-2.0
"""A host of the test network: one network namespace, entered by its name."""
import ctypes
import os
import re
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(descriptor: int) -> None:
    # os.setns came with Python 3.12; Debian 12 has 3.11.
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    def __init__(self, prefix: str, name: str):
        self.name = name
        self.namespace = f"{prefix}-{name}"
        self.path = NAMESPACES / self.namespace
        self._started: list[subprocess.Popen] = []

    def command(self, *words) -> list[str]:
        """The words of a command line that runs in this host's network. Only the network differs: the mounts stay, so
        that /sys/fs/bpf is the machine's own (`ip netns exec` would hide it behind a fresh /sys)."""
        return ["nsenter", f"--net={self.path}", "--", *map(str, words)]

    def run(self, *words, check=True, timeout=20, **options) -> subprocess.CompletedProcess:
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}")
        return done

    def start(self, *words, **options) -> subprocess.Popen:
        """Starts a program that runs on in this host, until stop() or the end of the network."""
        process = subprocess.Popen(self.command(*words), **options)
        self._started.append(process)
        return process

    @contextmanager
    def inside(self):
        """This thread, inside the host's network: sockets made here stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(home)
            os.close(there)
            os.close(home)

    def socket(self, *arguments) -> socket.socket:
        with self.inside():
            return socket.socket(*arguments)

    def ip(self, *lines: str) -> None:
        """Lines of `ip`, carried out in one batch."""
        done = subprocess.run(["ip", "-n", self.namespace, "-b", "-"], input="\n".join(lines) + "\n",
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {done.stderr}" + "\n".join(lines))

    def sysctl(self, *settings: str) -> None:
        """As sysctl(8) takes them: "net.ipv4.ip_forward=1"."""
        with self.inside():
            for setting in settings:
                name, value = setting.split("=")
                Path("/proc/sys", *name.split(".")).write_text(f"{value}\n")

    def mac(self, device="eth0") -> str:
        return re.search(r"link/ether (\S+)", self.run("ip", "link", "show", "dev", device).stdout)[1]

    def stop(self) -> None:
        """Ends what runs in this host: what was started here, then whatever that left behind."""
        for process in self._started:
            process.poll() is None and process.terminate()
        for process in self._started:
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._started.clear()
        left = subprocess.run(["ip", "netns", "pids", self.namespace], capture_output=True, text=True).stdout.split()
        for pid in left:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended by itself

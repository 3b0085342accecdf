# SPDX-License-Identifier: Apache-2.0
"""The subject: a limpetd in a host, its command lines, and what it has put into that host."""
import functools
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from clients import eventually
from namespaces import Host
from netfilter import forget_rules

# Each scenario has tables of its own, and large ones take a while to make. Those of test_tutorial.py are as delivered.
SMALL_TABLES = ("--max-services", "8192", "--max-destinations", "16384", "--max-flows", "65536",
                "--max-templates", "65536")
# What this machine's own files say about net.ipv4.vs.* is none of a scenario's business: limpetd does not see them.
SYSCTL_DIRECTORIES = [Path(f"/{name}/sysctl.d") for name in ("etc", "run", "usr/local/lib", "usr/lib", "lib")]
SYSCTL_FILE = Path("/etc/sysctl.conf")
WITHOUT_SETTINGS = ["unshare", "--mount", "sh", "-ec",
                    'for each in $0; do if [ -d "$each" ]; then mount -t tmpfs none "$each"; else mount --bind /dev/null '
                    '"$each"; fi; done; exec "$@"']
TCP_TIMEOUTS = 9 * 4  # where they begin in struct limpet_config
LISTING_HEAD = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""


class Director:
    def __init__(self, host: Host, programs: Path, directory: Path, door="auto", options=SMALL_TABLES):
        self.host, self.programs, self.door = host, programs, door
        self.run_directory, self.state_directory = directory / "run", directory / "state"
        self.log = directory / "limpetd.log"
        self.options = [*options]  # more of limpetd's, from the next start on
        self.environment = {**os.environ, "LIMPET_RUN_DIR": str(self.run_directory)}
        for path in (self.run_directory, self.state_directory):
            path.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self.process: subprocess.Popen | None = None

    # The daemon

    def start(self, *wrapper) -> None:
        self.launch(*wrapper)
        self.eventually_ready()

    def launch(self, *wrapper) -> None:
        """Starts limpetd and does not wait for it."""
        self.log_before = self.log.stat().st_size
        with self.log.open("a") as log:
            options = ["--run-dir", self.run_directory, "--state-dir", self.state_directory, "--door", self.door]
            self.process = self.host.start(*without_settings(), *wrapper, self.programs / "limpetd", *options, *self.options, stdout=log,
                                           stderr=log, env=self.environment)

    def eventually_ready(self) -> None:
        deadline = time.monotonic() + 20
        while not re.search(r"\bready\b", self.log_since_start()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"limpetd (exit {self.process.poll()}) did not get ready:\n{self.log.read_text()}")
            time.sleep(0.01)

    def log_since_start(self) -> str:
        return self.log.read_bytes()[self.log_before:].decode()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=10)

    def kill(self) -> None:
        """kill -9: no chance to say goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart_daemon(self) -> None:
        self.stop()
        self.start()

    def unload(self) -> None:
        self.limpet("unload")
        if self.process and self.process.poll() is None:
            self.process.wait(timeout=10)

    def lose_kernel_state(self) -> None:
        """What a reboot does: kill -9, and nothing is left but the state directory."""
        if self.process.poll() is None:
            self.kill()
        self.unload()
        shutil.rmtree(self.run_directory)
        self.run_directory.mkdir()

    # What it has in the kernel

    def table(self, name: str) -> Path:
        return self.run_directory / "bpf" / name

    def kernel_objects(self) -> tuple[set[int], set[int]]:
        """The ids of the pinned tables, and of the programs that use them."""
        pins = [path for path in (self.run_directory / "bpf").iterdir() if "." not in path.name]  # those are the kernel's
        tables = {_bpftool("map", "show", "pinned", pin)["id"] for pin in pins}
        programs = {program["id"] for program in _bpftool("prog", "show") if tables & set(program.get("map_ids", []))}
        return tables, programs

    def configuration(self) -> bytearray:
        """The data plane's own, struct limpet_config."""
        value = _bpftool("map", "lookup", "pinned", self.table("config"), "key", "0", "0", "0", "0")["value"]
        return bytearray(int(byte, 16) for byte in value)

    def set_configuration(self, value: bytes) -> None:
        _bpftool("map", "update", "pinned", self.table("config"), "key", "0", "0", "0", "0", "value",
                 *map(str, value))

    def shorten_tcp_timeouts(self, seconds: int, states: Iterable[int]) -> None:
        """Of these states (enum limpet_tcp_state), until limpetd sets them again: so that a test need not wait."""
        value = self.configuration()
        for state in states:
            struct.pack_into("<I", value, TCP_TIMEOUTS + 4 * state, seconds)
        self.set_configuration(value)

    # The command lines

    def command(self, program: str, words: str, host: Host | None = None, **options) -> subprocess.CompletedProcess:
        return (host or self.host).run(self.programs / program, *shlex.split(words), check=False,
                                       env=self.environment, **options)

    def adm(self, *commands: str) -> str:
        """limpetadm, once for each command, which must succeed; returns what the last one printed."""
        printed = ""
        for words in commands:
            done = self.command("limpetadm", words)
            assert done.returncode == 0, f"limpetadm {words}: exit {done.returncode}: {done.stderr}"
            printed = done.stdout
        return printed

    def limpet(self, words: str) -> str:
        done = self.command("limpet", words)
        assert done.returncode == 0, f"limpet {words}: exit {done.returncode}: {done.stderr}"
        return done.stdout

    def everything_listed(self) -> str:
        return "".join(self.command("limpetadm", words).stdout for words in ("-Ln", "-Lnc"))

    # What the listings say

    def connections(self, about="") -> list[list[str]]:
        """The rows of -Lnc that hold the text: protocol, expire, state, source, virtual, destination."""
        return [line.split() for line in self.adm("-Lnc").splitlines()[2:] if about in line]

    def state_of(self, client: str) -> str | None:
        """The state of the connection of this client address and port; None when there is none."""
        rows = self.connections(f" {client} ")
        assert len(rows) < 2, rows
        return rows[0][2] if rows else None

    def counts(self, server: str, service="") -> tuple[int, int]:
        """ActiveConn and InActConn of a server's address and port."""
        rows = [line.split() for line in self.adm(f"-Ln {service}").splitlines() if f"-> {server} " in line]
        assert len(rows) == 1, rows
        return int(rows[0][4]), int(rows[0][5])

    def eventually_counts(self, server: str, active: int, inactive: int, service="") -> None:
        eventually(lambda: self.counts(server, service) == (active, inactive),
                   f"{server}: {active} active, {inactive} inactive")

    def eventually_add_up(self, seconds=20.0) -> None:
        """Counts are those of the entries: ActiveConn and InActConn of the connections to each server, PersistConn of
        its templates. Ended entries are counted until the sweeper has been there."""
        eventually(lambda: self._listed_counts() == self._counted_connections(),
                   lambda: f"counts add up: {self._listed_counts()} listed, {self._counted_connections()} counted", seconds)

    def _listed_counts(self) -> dict[str, int]:
        """Connections and templates of each server's address, over all services."""
        counts: dict[str, int] = {}
        for line in self.adm("-Ln --persistent-conn").splitlines()[3:]:
            row = line.split()
            if row[0] == "->":
                server = row[1].rpartition(":")[0]
                counts[server] = counts.get(server, 0) + sum(map(int, row[3:6]))
        return {server: count for server, count in counts.items() if count}

    def _counted_connections(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for row in self.connections():
            server = row[5].rpartition(":")[0]
            counts[server] = counts.get(server, 0) + 1
        return counts


@contextmanager
def running(host: Host, programs: Path, directory: Path, door: str, options=SMALL_TABLES):
    """A fresh limpetd, ready. Afterwards everything is unloaded, and nothing of it may be left on the host."""
    before = footprint(host, directory)
    subject = Director(host, programs, directory, door, options)
    try:
        subject.start()
        yield subject
    finally:
        subject.unload()
        forget_rules(host)
        host.sysctl("net.ipv4.ip_forward=0")
        after = footprint(host, directory)
        shutil.rmtree(directory)
    for what, was in before.items():
        assert after[what] == was, f"limpet unload left something in the director's {what}"


def footprint(host: Host, directory: Path) -> dict[str, str]:
    """All that a director could leave behind in its host and its directories, to be compared before and after."""
    show = lambda *words: host.run(*words).stdout
    return {
        "links and XDP programs": show("ip", "-d", "-o", "link"),
        "addresses": re.sub(r"(valid|preferred)_lft \S+", "", show("ip", "-o", "addr")),
        "qdiscs": show("tc", "qdisc", "show"),
        "rules": show("ip", "-4", "rule") + show("ip", "-6", "rule"),
        "routes": show("ip", "-4", "route", "show", "table", "all") + show("ip", "-6", "route", "show", "table", "all"),
        "managed neighbours": "\n".join(line for line in show("ip", "neigh", "show", "nud", "all").splitlines()
                                        if "managed" in line),
        "nft ruleset": show("nft", "list", "ruleset"),
        "sysctls": _sysctls(host),
        "BPF file systems": _pins(directory),
    }


@functools.cache
def without_settings() -> list[str]:
    """Before the words of limpetd's command line; nothing where there are no such settings."""
    files = [file for directory in SYSCTL_DIRECTORIES for file in directory.glob("*.conf")] + [SYSCTL_FILE]
    if not any(re.search(r"^\s*-?\s*net[./]ipv4[./]vs[./]", file.read_text(errors="replace"), re.MULTILINE)
               for file in files if file.is_file()):
        return []
    places = [place for place in (*SYSCTL_DIRECTORIES, SYSCTL_FILE) if place.exists()]
    return [*WITHOUT_SETTINGS, " ".join(map(str, dict.fromkeys(place.resolve() for place in places)))]


def still_in_the_kernel(objects: tuple[set[int], set[int]]) -> bool:
    """Whether any of these tables or programs exists. The kernel frees them some moments after their last user."""
    there = [{entry["id"] for entry in _bpftool(kind, "show")} for kind in ("map", "prog")]
    return any(ids & kind for ids, kind in zip(objects, there))


def _bpftool(*words):
    """What bpftool prints; lists are asked for again when one of them went away under its feet."""
    for _ in range(20):
        done = subprocess.run(["bpftool", "-j", *map(str, words)], capture_output=True, text=True)
        if done.returncode == 0:
            return json.loads(done.stdout or "null")
    raise AssertionError(f"bpftool {' '.join(map(str, words))}: {done.stdout}{done.stderr}")


def _sysctls(host: Host) -> str:
    with host.inside():
        files = [path for family in ("ipv4", "ipv6") for path in Path(f"/proc/sys/net/{family}/conf").glob("*/*")
                 if path.name != "stable_secret"]  # cannot be read before it is set
        files.append(Path("/proc/sys/net/ipv4/ip_forward"))
        readable = [path for path in sorted(files) if path.stat().st_mode & 0o444]
        return "\n".join(f"{path} = {path.read_text().strip()}" for path in readable)


def _pins(directory: Path) -> str:
    """Mounts of bpffs below the directory and what is pinned in them; other directors may run on this machine."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.split()[2] == "bpf"]
    ours = [mount for mount in mounts if Path(mount).is_relative_to(directory)]
    return "\n".join(sorted(ours + [str(path) for mount in ours for path in Path(mount).rglob("*")]))

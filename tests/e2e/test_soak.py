# SPDX-License-Identifier: Apache-2.0
"""Everything at once for a while: traffic, random commands, kills, restarts, interfaces that go and come. Afterwards
the counts add up, no persistent client has seen two servers without a reason, and nothing has leaked.

`--soak SECONDS` makes it longer, `--seed N` repeats a run's choices (each run prints its own)."""
import random
import threading
import time
from pathlib import Path

from clients import Connection, ask, ask_udp, eventually
from director import still_in_the_kernel
from load import Load
from netfilter import mark_ports
from topology import CLIENT2, MORE_CLIENTS, ROUTER_LAN, SERVERS

ADDRESSES = {address: name for name, address in SERVERS.items()}
# Persistent, on every form: a port, a mark, every other port. And one that is not.
STICKY = {80: "-t 192.168.2.11:80", 8080: "-f 10", 22: "-t 192.168.2.11:0"}
METHODS = {80: "-g", 8080: "-m", 22: "-g", 443: "-m"}
SERVICES = {**STICKY, 443: "-t 192.168.2.11:443"}
UDP = "-u 192.168.2.11:80"
SETTLED = 1.5  # seconds after a disturbance in which its consequences may still show
ENDING = range(2, 11)  # every TCP state but ESTABLISHED: over in seconds, so that there is always something to sweep


class Disturbances:
    """What has been done to the network and to servers: the excuse for a request that failed, or went elsewhere."""

    def __init__(self):
        self.lock = threading.Lock()
        self.windows: list[tuple[float, float]] = []
        self.removed: dict[tuple[int, str], list[float]] = {}

    def excuse(self, began: float, ended: float) -> bool:
        return any(began <= until + SETTLED and since <= ended for since, until in self.windows)

    def removals(self, port: int, server: str) -> list[float]:
        return self.removed.get((port, server), [])


class Chaos:
    """One random thing after the other; each returns what it did, for the record that a failed run shows."""

    def __init__(self, director, network, seed: int):
        self.director, self.network, self.random = director, network, random.Random(seed)
        self.disturbed = Disturbances()
        self.servers = {port: set(SERVERS.values()) for port in SERVICES}
        self.done: list[str] = []
        self.actions = [(self.kill, 6), (self.kill_in_the_middle, 4), (self.restart, 2), (self.weigh, 8),
                        (self.change_scheduler, 4), (self.take_server_out_or_in, 5), (self.zero, 2), (self.list, 4),
                        (self.refused, 2), (self.flap, 1), (self.come_and_go, 1), (self.reload, 1)]

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        actions, weights = zip(*self.actions)
        while time.monotonic() < until:
            action = self.random.choices(actions, weights)[0]
            began = time.monotonic()
            what = action()
            self.done.append(f"{began:.2f} {action.__name__} {what or ''}")
            time.sleep(self.random.uniform(0, 0.3))

    def _disturbing(self, action) -> None:
        began = time.monotonic()
        window = [began, began + 3600]
        with self.disturbed.lock:
            self.disturbed.windows.append(window)
        action()
        window[1] = time.monotonic()

    def _port(self) -> int:
        return self.random.choice(list(SERVICES))

    def kill(self):
        self.director.kill()
        self.director.start()

    def kill_in_the_middle(self):
        self.director.kill()
        for _ in range(self.random.randint(1, 3)):
            self.director.launch()
            time.sleep(self.random.uniform(0, 0.5))
            self.director.kill()
        self.director.start()

    def restart(self):
        assert self.director.stop() == 0
        self.director.start()

    def weigh(self):
        port = self._port()
        server, weight = self.random.choice(sorted(self.servers[port])), self.random.choice([1, 1, 3, 100])
        self.director.adm(f"-e {SERVICES[port]} -r {server} {METHODS[port]} -w {weight}")
        return f"{port} {server} {weight}"

    def change_scheduler(self):
        port, scheduler = self._port(), self.random.choice(["rr", "wrr", "lc", "wlc", "sed", "nq", "fo"])
        self.director.adm(f"-E {SERVICES[port]} -s {scheduler}" + (" -p 600" if port in STICKY else ""))
        return f"{port} {scheduler}"

    def take_server_out_or_in(self):
        port = self._port()
        if len(self.servers[port]) < len(SERVERS):
            return f"{port} + {self._take_in(port)}"
        server = self.random.choice(sorted(self.servers[port]))
        # Its connections are dropped from now on, its clients get another.
        self._disturbing(lambda: self.director.adm(f"-d {SERVICES[port]} -r {server}"))
        with self.disturbed.lock:
            self.disturbed.removed.setdefault((port, ADDRESSES[server]), []).append(time.monotonic())
        self.servers[port].remove(server)
        return f"{port} - {server}"

    def take_all_servers_in(self) -> None:
        while any(len(there) < len(SERVERS) for there in self.servers.values()):
            port = next(port for port, there in self.servers.items() if len(there) < len(SERVERS))
            self._take_in(port)

    def _take_in(self, port: int) -> str:
        server = min(set(SERVERS.values()) - self.servers[port])
        self.director.adm(f"-a {SERVICES[port]} -r {server} {METHODS[port]}")
        self.servers[port].add(server)
        return server

    def zero(self):
        self.director.adm("-Z")

    def list(self):
        assert len(self.director.adm("-Sn").splitlines()) >= len(SERVICES)
        self.director.adm("-Ln --stats", "-Ln --rate", "-Lnc")

    def refused(self):
        for words in ("-A -t 192.168.2.11:80 -s rr", "-d -f 10 -r 192.168.2.99", "-a -t 192.168.2.99:1 -r 192.168.2.20"):
            assert self.director.command("limpetadm", words).returncode != 0

    def flap(self):
        host = self.network.director

        def down_and_up():
            host.ip("link set eth0 down")
            time.sleep(0.1)
            host.ip("link set eth0 up", f"route replace default via {ROUTER_LAN}")
            eventually(lambda: ask(self.network.client2, 443, timeout=0.5) in SERVERS, "the link is back", seconds=20)

        self._disturbing(down_and_up)

    def come_and_go(self):
        port = self.network.plug(self.network.director, "wan", "eth1")
        self.network.director.ip("link set eth1 up")
        time.sleep(self.random.uniform(0, 0.5))
        self.network.switch.ip(f"link del {port}")

    def reload(self):
        """Out of the kernel and in again: connections are lost, services and templates are not."""
        self._disturbing(lambda: (self.director.unload(), self.director.start(),
                                  self.director.shorten_tcp_timeouts(3, ENDING)))


def daemon_state(director) -> dict[str, int]:
    """Of this limpetd: open descriptors, threads, kB of memory of its own."""
    process = Path("/proc", str(director.process.pid))
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return {"descriptors": len(list((process / "fd").iterdir())), "threads": int(status["Threads"]),
            "kB": int(status["RssAnon"].split()[0])}


def work_hard(director, rounds: int) -> None:
    for _ in range(rounds):
        director.adm("-A -t 192.168.2.11:9 -s rr", "-a -t 192.168.2.11:9 -r 192.168.2.20 -g",
                     "-e -t 192.168.2.11:9 -r 192.168.2.20 -g -w 2", "-Lnc", "-Ln --stats", "-D -t 192.168.2.11:9")


def wandering(load: Load, disturbed: Disturbances) -> list[str]:
    """Clients that saw two servers although the first was there all the time."""
    wrong, last = [], {}
    for answer in sorted(load.answers, key=lambda a: a.began):
        if answer.failed:
            continue
        key = (answer.client, answer.port)
        before = last.get(key)
        if before and before.server != answer.server:
            removed = disturbed.removals(answer.port, before.server)
            if not any(before.began - SETTLED <= when <= answer.ended + SETTLED for when in removed):
                wrong.append(f"{before} then {answer}")
        last[key] = answer
    return wrong


def test_everything_at_once(director, network, pytestconfig):
    seconds = pytestconfig.getoption("soak")
    seed = pytestconfig.getoption("seed") or random.randrange(1 << 32)
    print(f"\nsoak: {seconds} s, --seed {seed}")
    network.servers_answer_either_way()
    mark_ports("iptables", network.director, 10, 8080)
    for port, service in SERVICES.items():
        director.adm(f"-A {service} -s rr" + (" -p 600" if port in STICKY else ""))
        for server in SERVERS.values():
            director.adm(f"-a {service} -r {server} {METHODS[port]}")
    director.adm(f"-A {UDP} -s rr", "--set 0 3 3", *(f"-a {UDP} -r {server} -g" for server in SERVERS.values()))
    director.shorten_tcp_timeouts(3, ENDING)
    director.restart_daemon()
    before = daemon_state(director)
    tables, programs = director.kernel_objects()

    chaos = Chaos(director, network, seed)
    sticky = Load(network.client1, MORE_CLIENTS, list(STICKY), threads=2, pause=0.02)
    others = Load(network.client2, [CLIENT2], [443], threads=1, pause=0.02)
    udp = Load(network.client2, [CLIENT2], [80], threads=1, pause=0.02, asking=ask_udp)
    try:
        with sticky, others, udp:
            chaos.run(seconds)
    finally:
        print(f"{len(chaos.done)} actions, {sum(len(load.answers) for load in (sticky, others, udp))} requests")
        print("\n".join(chaos.done))
    for load in (sticky, others, udp):
        assert len(load.answers) > 10
        unexcused = [a for a in load.failures() if not chaos.disturbed.excuse(a.began, a.ended)]
        assert not unexcused
    assert not wandering(sticky, chaos.disturbed)

    # Quiet: what has ended is swept, what is left adds up.
    chaos.take_all_servers_in()
    director.adm("-Z")
    with Connection(network.client1, 80) as one, Connection(network.client2, 443) as two:
        assert one.who() in SERVERS and two.who() in SERVERS
        director.eventually_add_up(seconds=30)
        assert_statistics_add_up(director)

    director.restart_daemon()
    eventually_no_more_than(before, director, kilobytes=8000)
    work_hard(director, 10)
    before = daemon_state(director)
    work_hard(director, 30)
    eventually_no_more_than(before, director, kilobytes=1000)
    eventually(lambda: [len(ids) for ids in director.kernel_objects()] == [len(tables), len(programs)],
               "as many tables and programs as before")
    objects = director.kernel_objects()
    director.unload()
    eventually(lambda: not still_in_the_kernel(objects), "programs and tables are gone")


def eventually_no_more_than(before: dict[str, int], director, kilobytes: int) -> None:
    """The connection of a client that has just ended, or a snapshot being written, may be open for a moment yet."""
    allowed = {**before, "kB": before["kB"] + kilobytes}

    def is_so() -> bool:
        now = daemon_state(director)
        return all(now[what] <= allowed[what] for what in allowed)

    eventually(is_so, lambda: f"limpetd holds {daemon_state(director)}, allowed are {allowed}")


def assert_statistics_add_up(director) -> None:
    """A service's connections, packets and bytes are its servers' together."""
    rows = [line.split() for line in director.adm("-Ln --stats --exact").splitlines()[3:]]
    service, sums = "", {}
    for row in rows:
        if row[0] == "->":
            sums[service] = [a - b for a, b in zip(sums[service], map(int, row[2:]))]
        else:
            service = f"{row[0]} {row[1]}"
            sums[service] = [int(word) for word in row[2:]]
    assert len(sums) == len(SERVICES) + 1 and not any(any(rest) for rest in sums.values()), rows

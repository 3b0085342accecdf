#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tour of scripts/quickstart: the three forms of persistence, shown with real servers and real clients."""
import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE / "tests/e2e"))

from director import running  # noqa: E402
from real_servers import SITE, RealServers  # noqa: E402
from topology import Topology  # noqa: E402

MAP = """
  client1 10.1.0.1 ─┐                     ┌─ director 192.168.2.10, with the virtual address 192.168.2.11
                    ├─ wan ─ router ─ lan ┼─ server1  192.168.2.20   nginx on 80 and 443, sshd on 22
  client2 10.1.0.2 ─┘                     └─ server2  192.168.2.30   nginx on 80 and 443, sshd on 22
"""

GOING_ON = """
Going on with a real interface: on the director, as root,

    {bin}/limpetd --run-dir /run/limpet --state-dir /var/lib/limpet --door auto &
    ip addr add 192.0.2.10/32 dev eth0                        # the virtual address, one of yours
    {bin}/limpetadm -A -t 192.0.2.10:0 -s rr -p 600
    {bin}/limpetadm -a -t 192.0.2.10:0 -r 192.0.2.21 -g       # your servers, on the director's own network
    {bin}/limpetadm -a -t 192.0.2.10:0 -r 192.0.2.22 -g
    {bin}/limpetadm -Ln

and on each server, which for -g holds the virtual address too, but must not answer ARP for it:

    sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
    ip addr add 192.0.2.10/32 dev lo

{bin}/limpet status says how limpetd is doing. Stopping limpetd leaves the director forwarding;
{bin}/limpet unload takes everything out again. To play in a network like the one above: tests/e2e/topology.py
"""


def bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


class Tour:
    def __init__(self, network: Topology, servers: RealServers):
        self.network, self.servers, self.director = network, servers, None
        self.surprises: list[str] = []

    def chapter(self, title: str, text: str) -> None:
        print(f"\n\n{bold(title)}\n\n{text}\n")

    def command(self, words: str) -> None:
        print(f"    director# limpetadm {words}")
        for line in self.director.adm(words).splitlines():
            print(f"    {line}")

    def host_command(self, words: str) -> None:
        print(f"    director# {words}")
        self.network.director.run(*words.split())

    def ask(self, client, *expected: tuple[str, str]) -> None:
        """Asks by each protocol in turn, and shows who answered."""
        kinds = {"http": (self.servers.http, f"curl http://{SITE}/"),
                 "https": (self.servers.https, f"curl https://{SITE}/"),
                 "ssh": (self.servers.ssh, "ssh root@192.168.2.11")}
        for kind, server in expected:
            question, shown = kinds[kind]
            answered = question(client)
            print(f"    {client.name}$ {shown:32} → {bold(answered)}")
            if answered != server:
                self.surprises.append(f"{client.name}, {kind}: {answered} answered, {server} was expected")

    def client_connections(self) -> None:
        self.chapter("1. Persistent client connections: one server for everything a client does", """\
The virtual service has port 0, that is every port. A client is given a server with its first connection and keeps
it, for -p 360 seconds by default. -g: requests pass the director, answers go straight to the client.""")
        self.command("-A -t 192.168.2.11:0 -s rr -p")
        self.command("-a -t 192.168.2.11:0 -r 192.168.2.20 -g")
        self.command("-a -t 192.168.2.11:0 -r 192.168.2.30 -g")
        print()
        for client, server in ((self.network.client1, "server2"), (self.network.client2, "server1")):
            self.ask(client, *((kind, server) for kind in ("http", "https", "ssh", "http")))
        print("\n  Four connections to each server, all closed by now (InActConn):\n")
        self.command("-Ln")
        print("\n  And what makes them stay, one template for each client (port 0), with the time it has left:\n")
        self.command("-Lnc")

    def port_connections(self) -> None:
        self.chapter("2. Persistent port connections: each port for itself", """\
Two services, the web on server1 and ssh on server2. -m: the director rewrites addresses both ways, so that answers
come back through it; the servers' default route is the director now.""")
        self.network.servers_answer_through("director")
        self.command("-A -t 192.168.2.11:80 -s rr -p")
        self.command("-A -t 192.168.2.11:22 -s rr -p")
        self.command("-a -t 192.168.2.11:80 -r 192.168.2.20 -m")
        self.command("-a -t 192.168.2.11:22 -r 192.168.2.30 -m")
        print()
        for client in (self.network.client1, self.network.client2):
            self.ask(client, ("http", "server1"), ("ssh", "server2"), ("http", "server1"))
        print()
        self.command("-Ln")
        self.network.servers_answer_through("router")

    def firewall_marks(self) -> None:
        self.chapter("3. Firewall marks: your own rules say which ports belong together", """\
iptables (or nft) marks what comes for ports 80 and 443 with 10, and the service is the mark: a shop whose basket is
filled by http and paid by https stays on one server, and ssh is not part of it.""")
        for port in (80, 443):
            self.host_command("iptables -t mangle -A PREROUTING -d 192.168.2.11 -p tcp "
                              f"--dport {port} -j MARK --set-mark 10")
        self.command("-A -f 10 -s rr -p 1800")
        self.command("-a -f 10 -r 192.168.2.20 -g")
        self.command("-a -f 10 -r 192.168.2.30 -g")
        print()
        for client, server in ((self.network.client1, "server2"), (self.network.client2, "server1")):
            self.ask(client, *((kind, server) for kind in ("http", "https", "http", "https")))
        print()
        self.command("-Ln")
        self.chapter("4. The same without -p: it is persistence that does it", """\
The mark alone puts the ports into one service; every connection of a client goes to the next server.""")
        self.command("-E -f 10 -s rr")
        print()
        self.ask(self.network.client1, *(("http", "server2"), ("https", "server1")) * 2)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--programs", type=Path, default=TREE / "build/bin")
    arguments.add_argument("--door", choices=["auto", "tc"], default="auto")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    work = Path(f"/run/limpet-tour-{os.getpid()}")
    work.mkdir(mode=0o755)
    try:
        with Topology("limpet-tour") as network, RealServers(network, work / "real") as servers:
            tour = Tour(network, servers)
            print(bold("The network, made of namespaces") + "\n" + MAP)
            print("  curl trusts an authority that openssl has just made, and ssh knows both servers' host keys.")
            for part in (tour.client_connections, tour.port_connections, tour.firewall_marks):
                # A fresh limpetd for each part: in one, the clients would stay where the last part had put them.
                with running(network.director, options.programs, work / "director", options.door) as tour.director:
                    part()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if tour.surprises:
        print("\nNot as expected:\n  " + "\n  ".join(tour.surprises))
        return 1
    print("\n\n" + bold("Every request reached the server it should. ") + "All of it has been taken away again."
          + GOING_ON.format(bin=options.programs))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

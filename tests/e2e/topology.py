#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The network in which Limpet is tested and shown: clients behind a router, a director and three real servers.

    client1 10.1.0.1 (and .101 to .124) ─┐                        ┌─ director 192.168.2.10, VIP 192.168.2.11
    client2 10.1.0.2 ────────────────────┤ wan            lan     ├─ server1  192.168.2.20
                                   .254 router 192.168.2.1 ───────┼─ server2  192.168.2.30
                                                                  └─ server3  192.168.2.40

Each host is a network namespace of its own, and the two bridges stand in one more (`switch`), so that the machine's
own network is not touched. Run as a program it opens the network and keeps it until Ctrl-C, to try things by hand.
"""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from namespaces import NAMESPACES, Host

VIP = "192.168.2.11"
DIRECTOR, SECOND_DIRECTOR, ROUTER_LAN = "192.168.2.10", "192.168.2.9", "192.168.2.1"
SERVERS = {"server1": "192.168.2.20", "server2": "192.168.2.30", "server3": "192.168.2.40"}
CLIENT1, CLIENT2, ROUTER_WAN = "10.1.0.1", "10.1.0.2", "10.1.0.254"
MORE_CLIENTS = [f"10.1.0.{n}" for n in range(101, 125)]  # all of them on client1
BY_DIRECTOR = 100  # a routing table of the servers
ANSWERER = Path(__file__).with_name("answerer.py")


class Topology:
    def __init__(self, prefix="limpet-e2e"):
        self.prefix = f"{prefix}-{os.getpid()}"
        self.switch, self.router, self.director = (Host(self.prefix, n) for n in ("switch", "router", "director"))
        self.client1, self.client2 = Host(self.prefix, "client1"), Host(self.prefix, "client2")
        self.servers = [Host(self.prefix, name) for name in SERVERS]
        self.server1, self.server2, self.server3 = self.servers
        self.answering_either_way = False
        self.hosts = [self.client1, self.client2, self.router, self.director, *self.servers]

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _build(self) -> None:
        remove_abandoned(self.prefix)
        for host in (self.switch, *self.hosts):
            subprocess.run(["ip", "netns", "add", host.namespace], check=True)
        self.switch.ip(*(f"link add {bridge} type bridge mcast_snooping 0" for bridge in ("wan", "lan")),
                       "link set wan up", "link set lan up")
        for host, bridge in ((self.client1, "wan"), (self.client2, "wan"), (self.router, "wan")):
            self.plug(host, bridge, "eth0")
        self.plug(self.router, "lan", "eth1")
        for host in (self.director, *self.servers):
            self.plug(host, "lan", "eth0")
        self._configure_clients()
        self._configure_router()
        self._configure_director(self.director, DIRECTOR)
        self.director.ip(f"addr add {VIP}/32 dev eth0")
        for host in self.servers:
            self._configure_server(host)
        self.servers_answer_through("router")

    def plug(self, host: Host, bridge: str, device: str) -> str:
        """A cable between the host and the bridge; the name of the bridge's end."""
        port = f"{host.name}-{bridge}"
        self.switch.ip(f"link add {port} type veth peer name {device} netns {host.namespace}",
                       f"link set {port} master {bridge} up")
        return port

    def _configure_clients(self) -> None:
        for host, addresses in ((self.client1, [CLIENT1, *MORE_CLIENTS]), (self.client2, [CLIENT2])):
            # No TIME_WAIT: scenarios use the same source ports again and again.
            host.sysctl("net.ipv4.tcp_max_tw_buckets=0")
            host.ip("link set lo up", *(f"addr add {a}/24 dev eth0" for a in addresses), "link set eth0 up",
                    f"route add default via {ROUTER_WAN}")

    def _configure_router(self) -> None:
        # Answers of the direct-routing set-up pass here with the VIP as source, which lives on another host.
        self.router.sysctl("net.ipv4.ip_forward=1")
        self.router.ip("link set lo up", f"addr add {ROUTER_WAN}/24 dev eth0", f"addr add {ROUTER_LAN}/24 dev eth1",
                       "link set eth0 up", "link set eth1 up")
        for device in ("all", "eth0", "eth1"):
            self.router.sysctl(f"net.ipv4.conf.{device}.send_redirects=0", f"net.ipv4.conf.{device}.rp_filter=0")

    def add_second_director(self) -> Host:
        """Like the director, at 192.168.2.9, without the VIP."""
        host = Host(self.prefix, "director2")
        subprocess.run(["ip", "netns", "add", host.namespace], check=True)
        self.hosts.append(host)
        self.plug(host, "lan", "eth0")
        self._configure_director(host, SECOND_DIRECTOR)
        return host

    def _configure_director(self, host: Host, address: str) -> None:
        # As plain a host as can be: what Limpet needs beyond that is for Limpet to arrange.
        host.sysctl("net.ipv4.ip_forward=0", "net.ipv6.conf.eth0.accept_dad=0")
        for device in ("all", "eth0"):
            host.sysctl(f"net.ipv4.conf.{device}.send_redirects=0", f"net.ipv4.conf.{device}.rp_filter=0")
        host.ip("link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up",
                f"route add default via {ROUTER_LAN}")

    def _configure_server(self, host: Host) -> None:
        # The VIP on lo, and no word about it by ARP: what every LVS direct-routing server is given.
        host.sysctl("net.ipv6.conf.eth0.accept_dad=0")
        for device in ("all", "lo", "eth0"):
            host.sysctl(f"net.ipv4.conf.{device}.arp_ignore=1", f"net.ipv4.conf.{device}.arp_announce=2",
                        f"net.ipv4.conf.{device}.rp_filter=0")
        host.ip("link set lo up", f"addr add {VIP}/32 dev lo", f"addr add {SERVERS[host.name]}/24 dev eth0",
                "link set eth0 up")

    def servers_answer_through(self, gateway: str) -> None:
        """"router": directly to the clients (-g); "director": back the way the request came (-m)."""
        via = {"router": ROUTER_LAN, "director": DIRECTOR}[gateway]
        for host in self.servers:
            host.ip(f"route replace default via {via}")
            if self.answering_either_way:
                host.ip(f"rule del lookup {BY_DIRECTOR}", f"route flush table {BY_DIRECTOR}")
        self.answering_either_way = False

    def servers_answer_either_way(self) -> None:
        """Answers from the VIP directly to the clients (-g), those from a server's own address by the director (-m)."""
        self.servers_answer_through("router")
        for host in self.servers:
            host.ip(f"rule add from {SERVERS[host.name]} to 10.1.0.0/24 lookup {BY_DIRECTOR}",
                    f"route replace default via {DIRECTOR} table {BY_DIRECTOR}")
        self.answering_either_way = True

    def start_answerers(self) -> None:
        """Small servers that say their own name, TCP and UDP, on the ports the scenarios use."""
        started = [(h, h.start(sys.executable, ANSWERER, h.name, 22, 80, 443, 8080, stdout=subprocess.PIPE, text=True))
                   for h in self.servers]
        for host, process in started:
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"the answerer of {host.name} did not start")

    def close(self) -> None:
        for host in (*self.hosts, self.switch):
            if host.path.exists():
                host.stop()
                subprocess.run(["ip", "netns", "del", host.namespace], check=False)


def remove_abandoned(prefix: str) -> None:
    """Namespaces of an earlier run that was killed: ours by their prefix, and the process that made them is gone."""
    kind = prefix.rsplit("-", 1)[0]
    for path in NAMESPACES.glob(f"{kind}-*") if NAMESPACES.is_dir() else []:
        name = re.fullmatch(f"({re.escape(kind)}-(\\d+))-([a-z0-9]+)", path.name)
        if name and not Path("/proc", name[2]).exists():
            Host(name[1], name[3]).stop()
            subprocess.run(["ip", "netns", "del", path.name], check=False)


def main() -> None:
    with Topology("limpet-try") as network:
        network.start_answerers()
        print(__doc__)
        for host in network.hosts:
            print(f"  {host.name:9} nsenter --net={host.path} bash")
        print("\nThe servers answer on 22, 80, 443 and 8080 (say `who`). Ctrl-C takes everything away again.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()

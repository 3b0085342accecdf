# SPDX-License-Identifier: Apache-2.0
"""A director is also a host, and not every frame on its wire is meant for it."""
import itertools
import subprocess
import sys

import pytest

from clients import ask, eventually
from netfilter import mark_with_iptables
from packets import SYN, Wire, tcp_frame
from test_persistence import ONE, TWO, commands
from topology import ANSWERER, DIRECTOR, VIP


@pytest.fixture
def local_services(network):
    """The director's own servers, on all of its addresses."""
    process = network.director.start(sys.executable, ANSWERER, "director", 22, 8081, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield
    process.terminate()
    process.communicate()


@pytest.mark.parametrize("service", ["-t 192.168.2.11:80", "-t 192.168.2.11:80 -p", "-f 10"])
def test_the_directors_own_services_stay_reachable(director, network, local_services, service):
    mark_with_iptables("iptables", network.director, 10, "-d", VIP, "-p", "tcp", "--dport", "80")
    director.adm(*commands(service.removesuffix(" -p"), *(["-p"] if service.endswith("-p") else [])))
    assert ask(network.client1, 80) == TWO
    assert [ask(network.client1, port, to=DIRECTOR) for port in (22, 8081)] == ["director"] * 2
    assert [ask(network.client2, port, to=VIP) for port in (22, 8081)] == ["director"] * 2
    assert ask(network.server1, 22, to=DIRECTOR) == "director"
    network.client1.run("ping", "-c1", "-W2", VIP)
    network.client1.run("ping", "-c1", "-W2", DIRECTOR)
    assert not director.connections(":8081 ")


def test_the_directors_own_requests_are_answered(director, network):
    network.servers_answer_through("director")
    director.adm(*commands("-t 192.168.2.11:80", method="-m"))
    assert ask(network.director, 80, to="192.168.2.20") == ONE
    assert ask(network.director, 8080, to="192.168.2.30") == TWO
    assert ask(network.client1) == TWO


def test_a_frame_for_another_mac_is_left_alone(director, network):
    director.adm(*commands("-t 192.168.2.11:80"))
    stranger, router = "02:00:00:00:99:99", network.router.mac("eth1")
    server = bytes.fromhex(network.server2.mac().replace(":", ""))
    with Wire(network.router, "eth1") as wire, Wire(network.server2) as seen:
        # The bridge does not know the stranger, so it floods the frame and the director gets to see it, too.
        wire.send(tcp_frame(stranger, router, "10.1.0.200", 1001, VIP, 80))
        wire.send(tcp_frame(network.director.mac(), router, "10.1.0.200", 1002, VIP, 80))
        forwarded = seen.first(lambda p: p.source == "10.1.0.200" and p.flags & SYN and p.to_mac == server)
    assert forwarded.source_port == 1002
    assert [row[3] for row in director.connections()] == ["10.1.0.200:1002"]


def test_a_vip_that_is_not_here_is_not_served(director, network):
    """As on a VRRP backup: the same services, but the address is with the other director."""
    director.adm(*commands("-t 192.168.2.11:80"))
    assert ask(network.client1) == TWO
    network.director.ip(f"addr del {VIP}/32 dev eth0")
    try:
        ports = itertools.count(1001)

        def left_alone():
            port = next(ports)
            with Wire(network.router, "eth1") as wire:
                wire.send(tcp_frame(network.director.mac(), network.router.mac("eth1"), "10.1.0.200", port, VIP, 80))
            network.client1.run("ping", "-c1", "-W2", DIRECTOR)  # what was sent before has been looked at by now
            return not director.connections(f"10.1.0.200:{port} ")

        eventually(left_alone, "a request for an address that has gone is left alone", seconds=2)
        assert left_alone()
    finally:
        network.director.ip(f"addr add {VIP}/32 dev eth0")
    eventually(lambda: ask(network.client1, timeout=0.5) in (ONE, TWO), "the VIP is served again")


def test_segments_without_a_connection_are_answered_by_the_directors_stack(director, network):
    director.adm(*commands("-t 192.168.2.11:80"))
    ack, reset = 0x10, 0x04
    with Wire(network.router, "eth1") as wire:
        wire.send(tcp_frame(network.director.mac(), network.router.mac("eth1"), "10.1.0.200", 1003, VIP, 80, flags=ack))
        answer = wire.first(lambda p: p.source == VIP and p.port == 1003)
    assert answer.flags & reset
    assert director.connections() == []

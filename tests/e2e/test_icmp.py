# SPDX-License-Identifier: Apache-2.0
"""ICMP errors about connections through the director: they reach the one whose packet was in error."""
import socket

import pytest

from clients import Connection, ask_udp
from packets import Refusals
from test_forwarding import METHODS, set_up
from test_persistence import TWO
from topology import CLIENT1, VIP

NARROW, BURST = 1400, 300_000


@pytest.fixture
def narrow_way(network):
    """The clients' cable takes packets of 1400 bytes only, and nobody has told the ends: their MSS says 1460."""
    network.router.ip(f"link set eth0 mtu {NARROW}")
    yield
    network.router.ip("link set eth0 mtu 1500")
    for server in network.servers:
        server.ip("route flush cache")  # what they have learned about the way


@METHODS
def test_path_mtu_discovery_reaches_the_real_server(director, network, narrow_way, method):
    set_up(director, network, method)
    way = lambda: network.server2.run("ip", "route", "get", CLIENT1).stdout
    with Connection(network.client1, 80, timeout=5) as connection:
        assert connection.who() == TWO
        assert f"mtu {NARROW}" not in way()
        connection.say(f"burst {BURST}")
        assert len(connection.line()) == BURST
        assert f"mtu {NARROW}" in way(), "the server has been told by the router"


def test_a_masqueraded_servers_port_unreachable_comes_from_the_vip(director, network):
    network.servers_answer_through("director")
    director.adm("-A -u 192.168.2.11:9 -s rr", "-a -u 192.168.2.11:9 -r 192.168.2.20:10009 -m")
    with Refusals(network.client1) as refusals:
        assert ask_udp(network.client1, 9, source_port=9001) == "refused", "the client knows its own packet in it"
        assert refusals.first_from(VIP)
    assert [row[2] for row in director.connections()] == ["UDP"], "the error has not ended the connection"


@METHODS
def test_a_server_whose_answer_comes_too_late_is_told_so(director, network, method):
    network.servers_answer_through("director" if method == "-m" else "router")
    director.adm("-A -u 192.168.2.11:7000 -s rr", f"-a -u 192.168.2.11:7000 -r 192.168.2.30 {method}")
    with network.server2.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(3)
        server.bind((VIP if method == "-g" else "192.168.2.30", 7000))
        with network.client1.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((CLIENT1, 9001))
            client.sendto(b"request\n", (VIP, 7000))
            assert server.recvfrom(100) == (b"request\n", (CLIENT1, 9001))
        server.connect((CLIENT1, 9001))
        server.send(b"too late\n")
        with pytest.raises(ConnectionRefusedError):
            server.recv(100)

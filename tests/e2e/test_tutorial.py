# SPDX-License-Identifier: Apache-2.0
"""The three set-ups of the classic persistence tutorials, with real nginx, sshd, openssl, curl and ssh."""
import subprocess

import pytest

from director import LISTING_HEAD, running
from netfilter import mark_ports


@pytest.fixture(scope="module")
def topology(real):
    """The network with nginx and sshd on server1 and server2 in place of the small answerers."""
    return real.topology


@pytest.fixture
def director(network, door, programs, work):
    """As delivered: with tables of the default size."""
    with running(network.director, programs, work / "director", door, options=()) as subject:
        yield subject


def everything_asked(real, client) -> list[str]:
    return [real.http(client), real.https(client), real.ssh(client), real.https(client), real.http(client)]


def test_persistent_client_connections_keep_each_client_on_one_server_for_web_and_ssh(director, real):
    director.adm("-A -t 192.168.2.11:0 -s rr -p", "-a -t 192.168.2.11:0 -r 192.168.2.20 -g",
                 "-a -t 192.168.2.11:0 -r 192.168.2.30 -g")
    assert director.adm("-Ln") == LISTING_HEAD + (
        "TCP  192.168.2.11:0 rr persistent 360\n"
        "  -> 192.168.2.20:0               Route   1      0          0         \n"
        "  -> 192.168.2.30:0               Route   1      0          0         \n")
    assert everything_asked(real, real.topology.client1) == ["server2"] * 5
    assert everything_asked(real, real.topology.client2) == ["server1"] * 5
    director.eventually_counts("192.168.2.20:0", active=0, inactive=5)
    director.eventually_counts("192.168.2.30:0", active=0, inactive=5)


def test_persistent_port_connections_give_web_and_ssh_to_different_servers(director, real, network):
    network.servers_answer_through("director")
    director.adm("-A -t 192.168.2.11:80 -s rr -p", "-A -t 192.168.2.11:22 -s rr -p",
                 "-a -t 192.168.2.11:80 -r 192.168.2.20 -m", "-a -t 192.168.2.11:22 -r 192.168.2.30 -m")
    for client in (real.topology.client1, real.topology.client2):
        assert [real.http(client), real.ssh(client), real.http(client)] == ["server1", "server2", "server1"]
    director.eventually_counts("192.168.2.20:80", active=0, inactive=4)
    director.eventually_counts("192.168.2.30:22", active=0, inactive=2)
    listing = director.adm("-Ln")
    assert "TCP  192.168.2.11:22 rr persistent 360\n  -> 192.168.2.30:22              Masq " in listing
    assert "TCP  192.168.2.11:80 rr persistent 360\n  -> 192.168.2.20:80              Masq " in listing


def test_a_firewall_mark_with_persistence_keeps_http_and_https_on_one_server(director, real, network):
    mark_ports("iptables", network.director, 10, 80, 443)
    director.adm("-A -f 10 -s rr -p 1800", "-a -f 10 -r 192.168.2.20 -g", "-a -f 10 -r 192.168.2.30 -g")
    assert "FWM  10 rr persistent 1800\n  -> 192.168.2.20:0               Route   1 " in director.adm("-Ln")
    for client, server in ((real.topology.client1, "server2"), (real.topology.client2, "server1")):
        assert [real.http(client), real.https(client), real.http(client), real.https(client)] == [server] * 4


def test_without_persistence_the_same_firewall_mark_spreads_http_and_https(director, real, network):
    mark_ports("iptables", network.director, 10, 80, 443)
    director.adm("-A -f 10 -s rr", "-a -f 10 -r 192.168.2.20 -g", "-a -f 10 -r 192.168.2.30 -g")
    client = real.topology.client1
    assert [real.http(client), real.https(client), real.http(client), real.https(client)] == ["server2", "server1"] * 2


def test_an_ssh_session_counts_as_active_while_it_is_open(director, real):
    director.adm("-A -t 192.168.2.11:0 -s rr -p", "-a -t 192.168.2.11:0 -r 192.168.2.20 -g")
    session = real.topology.client1.start("nc", "192.168.2.11", "22", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert session.stdout.readline().startswith(b"SSH-2.0-")
    director.eventually_counts("192.168.2.20:0", active=1, inactive=0)
    session.terminate()
    session.communicate(timeout=5)
    director.eventually_counts("192.168.2.20:0", active=0, inactive=1)

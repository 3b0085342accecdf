# SPDX-License-Identifier: Apache-2.0
"""The ground the other tests stand on, without a director: if one of these fails, look here first."""
import pytest

from clients import Connection, ask, ask_udp
from topology import DIRECTOR, SERVERS, VIP

pytestmark = pytest.mark.any_door


@pytest.mark.parametrize("port", [22, 80, 443, 8080])
def test_a_client_reaches_every_server_by_its_own_address(topology, port):
    assert [ask(topology.client1, port, to=address) for address in SERVERS.values()] == list(SERVERS)


def test_udp_is_answered_from_the_address_that_was_asked(topology):
    assert [ask_udp(topology.client2, to=address) for address in SERVERS.values()] == list(SERVERS)


def test_a_client_can_use_its_source_port_again_at_once(topology):
    here = {"to": SERVERS["server1"], "source": "10.1.0.101", "source_port": 30000}
    assert [ask(topology.client1, **here) for _ in range(3)] == ["server1"] * 3


def test_the_vip_belongs_to_the_director_and_to_no_server(topology):
    topology.router.run("ping", "-c1", "-W2", VIP)
    neighbours = topology.router.run("ip", "neigh", "show", VIP).stdout
    assert topology.director.mac() in neighbours


def test_without_a_service_nobody_answers_on_the_vip(topology):
    assert ask(topology.client1, 80) == "refused"


def test_servers_answer_through_the_director_when_told(topology):
    topology.servers_answer_through("director")
    try:
        topology.director.sysctl("net.ipv4.ip_forward=1")
        hops = topology.server1.run("ip", "route", "get", "10.1.0.1").stdout
        assert f"via {DIRECTOR}" in hops
        with Connection(topology.client1, 80, to=SERVERS["server1"]) as connection:
            assert connection.who() == "server1"
    finally:
        topology.director.sysctl("net.ipv4.ip_forward=0")
        topology.servers_answer_through("router")

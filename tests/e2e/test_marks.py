# SPDX-License-Identifier: Apache-2.0
"""Services on firewall marks: the user's rules say what belongs together, in whichever tool they are written."""
import pytest

from clients import ask, ask_udp
from netfilter import mark_ports, mark_with_iptables, mark_with_nft
from test_persistence import ONE, TWO, commands

TOOLS = ["iptables-legacy", "iptables-nft", "nft"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_persistent_mark_keeps_two_ports_on_one_server(director, network, tool):
    mark_ports(tool, network.director, 10, 80, 443)
    director.adm(*commands("-f 10", "-p 1800"))
    assert [ask(network.client1, port) for port in (80, 443, 443, 80)] == [TWO] * 4
    assert [ask(network.client2, port) for port in (443, 80)] == [ONE] * 2
    director.eventually_counts("192.168.2.30:0", active=0, inactive=4)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_mark_without_persistence_goes_round(director, network, tool):
    mark_ports(tool, network.director, 10, 80, 443)
    director.adm(*commands("-f 10"))
    assert [ask(network.client1, port) for port in (80, 443, 80, 443)] == [TWO, ONE, TWO, ONE]


def test_rules_added_after_the_service_count_from_the_next_connection_on(director, network):
    director.adm(*commands("-f 10"))
    assert ask(network.client1) == "refused"
    mark_ports("iptables", network.director, 10, 80)
    assert ask(network.client1) == TWO


def test_a_marked_service_can_be_masqueraded(director, network):
    network.servers_answer_through("director")
    mark_ports("iptables", network.director, 10, 80, 443)
    director.adm(*commands("-f 10", "-p", method="-m"))
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO] * 2
    assert [ask(network.client2, port) for port in (443, 80)] == [ONE] * 2


def test_a_marked_service_takes_udp_too(director, network):
    mark_with_nft(network.director, 10, "ip daddr 192.168.2.11 udp dport 80")
    director.adm(*commands("-f 10"))
    answers = [ask_udp(network.client1, source_port=9001 + i) for i in range(4)]
    assert answers == [TWO, ONE, TWO, ONE]


def test_a_mark_goes_before_the_address_on_one_vip_and_port(director, network):
    mark_with_nft(network.director, 10, "ip saddr 10.1.0.1 ip daddr 192.168.2.11 tcp dport 80")
    director.adm(*commands("-t 192.168.2.11:80", servers=["192.168.2.20"]),
                 *commands("-f 10", servers=["192.168.2.30"]))
    assert [ask(network.client1), ask(network.client1)] == [TWO] * 2
    assert [ask(network.client2), ask(network.client2)] == [ONE] * 2


def test_without_its_mark_service_a_marked_packet_belongs_to_the_address(director, network):
    mark_ports("iptables", network.director, 10, 80)
    director.adm(*commands("-t 192.168.2.11:80", servers=["192.168.2.20"]),
                 *commands("-f 99", servers=["192.168.2.30"]))
    assert ask(network.client1) == ONE


def test_several_marks_are_several_services(director, network):
    for mark, port in ((10, 80), (20, 443), (30, 8080)):
        mark_with_iptables("iptables", network.director, mark, "-d", "192.168.2.11", "-p", "tcp", "--dport", str(port))
    director.adm(*commands("-f 10", servers=["192.168.2.20"]), *commands("-f 20", servers=["192.168.2.30"]),
                 *commands("-f 30", servers=["192.168.2.40"]))
    assert [ask(network.client1, port) for port in (80, 443, 8080)] == [ONE, TWO, "server3"]
    director.adm("-D -f 20")
    assert [ask(network.client2, port) for port in (80, 443, 8080)] == [ONE, "refused", "server3"]


def test_a_marked_ping_to_the_vip_is_answered_by_the_director(director, network):
    mark_with_iptables("iptables", network.director, 10, "-d", "192.168.2.11")
    director.adm(*commands("-f 10", "-p"))
    assert ask(network.client1) == TWO
    network.client1.run("ping", "-c2", "-i0.2", "-W2", "192.168.2.11")


def test_marked_traffic_in_transit_is_none_of_the_directors_business(director, network):
    network.director.sysctl("net.ipv4.ip_forward=1")
    network.router.ip("route add 192.168.2.40/32 via 192.168.2.10")
    try:
        mark_with_iptables("iptables", network.director, 10, "-p", "tcp", "--dport", "80")
        director.adm(*commands("-f 10", "-p"))
        assert [ask(network.client1, to="192.168.2.40") for _ in range(3)] == ["server3"] * 3
        assert ask(network.client1) == TWO
        assert not director.connections("192.168.2.40")
    finally:
        network.router.ip("route del 192.168.2.40/32 via 192.168.2.10")

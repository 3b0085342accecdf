# SPDX-License-Identifier: Apache-2.0
"""How packets get to the servers and back, and what becomes of connections when servers come and go."""
import pytest

from clients import Connection, ask, ask_udp, eventually
from netfilter import mark_ports
from packets import SYN, Refusals, Wire
from test_persistence import ONE, THREE, TWO, commands
from topology import DIRECTOR, VIP

METHODS = pytest.mark.parametrize("method", ["-g", "-m"])


def set_up(director, network, method: str, *options: str) -> None:
    network.servers_answer_through("director" if method == "-m" else "router")
    director.adm(*commands("-t 192.168.2.11:80", *options, method=method))


@METHODS
def test_round_robin_goes_round(director, network, method):
    set_up(director, network, method)
    assert [ask(network.client1) for _ in range(4)] == [TWO, ONE, TWO, ONE]


def test_weighted_round_robin_begins_anew_after_an_edit_that_changes_nothing(director, network):
    """As ip_vs did: every -e sends its cursor back to the head, the current weight stays."""
    director.adm("-A -t 192.168.2.11:80 -s wrr", "-a -t 192.168.2.11:80 -r 192.168.2.20 -g -w 3",
                 "-a -t 192.168.2.11:80 -r 192.168.2.30 -g -w 2", "-a -t 192.168.2.11:80 -r 192.168.2.40 -g -w 1")
    assert [ask(network.client1) for _ in range(2)] == [THREE, TWO]
    for edit in ("-r 192.168.2.20 -g -w 3", "-r 192.168.2.40 -g -w 1"):
        director.adm(f"-e -t 192.168.2.11:80 {edit}")
        assert [ask(network.client1) for _ in range(7)] == [THREE, TWO, ONE, ONE, TWO, ONE, THREE]
    director.adm("-E -t 192.168.2.11:80 -s wrr")
    assert [ask(network.client1) for _ in range(4)] == [TWO, ONE, ONE, TWO]


@METHODS
def test_large_answers_and_large_requests_arrive_whole(director, network, method):
    set_up(director, network, method)
    with Connection(network.client1, 80) as connection:
        connection.say("who " + "x" * 40000)
        assert connection.line() == TWO
        connection.say("download 20")
        assert [connection.line() for _ in range(20)] == [TWO] * 20


def test_a_masqueraded_server_may_listen_on_another_port(director, network):
    network.servers_answer_through("director")
    director.adm("-A -t 192.168.2.11:8000 -s rr", "-a -t 192.168.2.11:8000 -r 192.168.2.20:8080 -m")
    assert ask(network.client1, 8000) == ONE


@METHODS
def test_the_time_to_live_is_lowered_by_one(director, network, method):
    set_up(director, network, method)
    with Wire(network.server2) as wire:
        assert ask(network.client1, source_port=21000) == TWO
        packet = wire.first(lambda p: p.source_port == 21000 and p.flags & SYN)
    assert packet.ttl == 64 - 2, "one for the router, one for the director"
    assert packet.to == (VIP if method == "-g" else "192.168.2.30")


def test_udp_goes_round_by_client_port_and_stays_with_it(director, network):
    director.adm(*commands("-u 192.168.2.11:80"))
    ports = [9001, 9002, 9003, 9004]
    assert [ask_udp(network.client1, source_port=port) for port in ports] == [TWO, ONE, TWO, ONE]
    assert [ask_udp(network.client1, source_port=port) for port in ports] == [TWO, ONE, TWO, ONE]
    director.eventually_counts("192.168.2.20:80", active=0, inactive=2)
    assert {row[2] for row in director.connections()} == {"UDP"}


def test_masqueraded_udp_is_answered_by_the_vip(director, network):
    network.servers_answer_through("director")
    director.adm(*commands("-u 192.168.2.11:80", method="-m"))
    assert [ask_udp(network.client1, source_port=port) for port in (9001, 9002)] == [TWO, ONE]


def test_a_client_that_reuses_its_port_after_time_wait_gets_the_next_server(director, network):
    set_up(director, network, "-m")
    assert ask(network.client1, source_port=22000) == TWO
    eventually(lambda: director.state_of("10.1.0.1:22000") == "TIME_WAIT", "the connection is in TIME_WAIT")
    assert ask(network.client1, source_port=22000) == ONE


def test_a_client_that_reuses_its_port_after_fin_wait_keeps_its_server(director, network):
    set_up(director, network, "-g")
    assert ask(network.client1, source_port=22000) == TWO
    eventually(lambda: director.state_of("10.1.0.1:22000") == "FIN_WAIT", "the connection is in FIN_WAIT")
    assert ask(network.client1, source_port=22000) == TWO
    assert ask(network.client1, source_port=22001) == ONE


@METHODS
def test_connections_of_a_removed_server_fall_silent_and_go_on_when_it_is_back(director, network, method):
    set_up(director, network, method)
    with Connection(network.client1, 80, timeout=10) as connection:
        assert connection.who() == TWO
        director.adm("-d -t 192.168.2.11:80 -r 192.168.2.30")
        assert connection.is_silent(0.5)
        assert ask(network.client1) == ONE
        director.adm(f"-a -t 192.168.2.11:80 -r 192.168.2.30 {method}")
        assert connection.line() == TWO, "the client's stack repeats what was dropped"
        assert connection.who() == TWO
        director.eventually_counts("192.168.2.30:80", active=1, inactive=0)


def test_without_a_server_to_give_it_to_a_connection_is_refused_by_icmp(director, network):
    director.adm("-A -t 192.168.2.11:80 -s rr")
    with Refusals(network.client1) as refusals:
        assert ask(network.client1) == "refused"
        assert refusals.first_from(VIP), "a port-unreachable message from the VIP"
    director.adm("-a -t 192.168.2.11:80 -r 192.168.2.20 -g -w 0", "-a -t 192.168.2.11:80 -r 192.168.2.30 -g -w 0")
    with Refusals(network.client2) as refusals:
        assert ask(network.client2) == "refused"
        assert refusals.first_from(VIP)
    assert director.connections() == []


def test_the_first_clients_of_a_new_server_count_in_its_rates(director, network):
    director.adm(*commands("-t 192.168.2.11:80"))
    for _ in range(40):
        ask(network.client1)

    def seen(line: str) -> bool:
        return int(line.split()[2]) > 0  # CPS

    eventually(lambda: all(map(seen, director.adm("-Ln --rate").splitlines()[3:])), "both servers and the service")


def test_a_weight_0_server_finishes_its_connections(director, network):
    set_up(director, network, "-g")
    with Connection(network.client1, 80) as connection:
        assert connection.who() == TWO
        director.adm("-e -t 192.168.2.11:80 -r 192.168.2.30 -g -w 0")
        assert [ask(network.client1) for _ in range(3)] == [ONE] * 3
        assert connection.who() == TWO


@METHODS
def test_a_server_is_reached_again_after_its_mac_has_changed(director, network, method):
    set_up(director, network, method)
    network.server2.sysctl("net.ipv4.conf.eth0.arp_notify=1")  # it tells its neighbours, as a failover does
    before = network.server2.mac()
    try:
        with Connection(network.client1, 80, timeout=10) as connection:
            assert connection.who() == TWO
            network.server2.ip("link set eth0 address 02:00:00:00:30:30")
            assert connection.who() == TWO
            asked = [ask(network.client2, timeout=5) for _ in range(4)]
            assert asked == [ONE, TWO, ONE, TWO]
    finally:
        network.server2.ip(f"link set eth0 address {before}")
        network.server2.sysctl("net.ipv4.conf.eth0.arp_notify=0")
        eventually(lambda: ask(network.router, to="192.168.2.30", timeout=0.5) == TWO, "server2 has its old MAC back")


@pytest.mark.parametrize("service", ["-t 192.168.2.11:80", "-f 10"])
def test_masqueraded_servers_open_connections_of_their_own_through_the_users_masquerade(director, network, service):
    network.servers_answer_through("director")
    network.director.sysctl("net.ipv4.ip_forward=1")
    network.director.run("iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-s", "192.168.2.0/24",
                         "-j", "MASQUERADE")
    mark_ports("iptables", network.director, 10, 80)
    director.adm(*commands(service, method="-m"))
    listener = network.client2.socket()
    with listener:
        listener.bind(("10.1.0.2", 7000))
        listener.listen()
        listener.settimeout(3)
        for round_ in range(2):
            with network.server1.socket() as own:
                own.settimeout(3)
                own.connect(("10.1.0.2", 7000))
                accepted, (peer, _) = listener.accept()
                accepted.close()
            assert peer == DIRECTOR, "the user's MASQUERADE rule had its say"
            assert [ask(network.client1), ask(network.client1)] == [TWO, ONE]

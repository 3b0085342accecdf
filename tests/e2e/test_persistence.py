# SPDX-License-Identifier: Apache-2.0
"""Who reaches which server under persistence. The expected servers are those that Linux' own ip_vs chose for the same
commands and the same requests, in the same order."""
from dataclasses import dataclass, field

import pytest

from clients import Connection, ask, eventually
from director import LISTING_HEAD
from netfilter import mark_ports
from topology import CLIENT2

TEN = [f"10.1.0.{n}" for n in range(101, 111)]
ONE, TWO, THREE, NONE = "server1", "server2", "server3", "refused"


@dataclass
class Requests:
    """One request after the other, each from the next address, the next source port and to the next port."""

    sources: list[str]
    first_source_port: int
    ports: list[int]
    answers: list[str]


@dataclass
class Story:
    commands: list[str]
    requests: list[Requests]
    marked_ports: list[int] = field(default_factory=list)
    gateway: str = "router"


def commands(service: str, *options: str, servers=("192.168.2.20", "192.168.2.30"), method="-g") -> list[str]:
    return [" ".join(["-A", service, "-s rr", *options]), *(f"-a {service} -r {server} {method}" for server in servers)]


def each_client(port: int, source_port: int, answers: list[str], sources=None) -> Requests:
    sources = (sources or TEN)[:len(answers)]
    return Requests(sources, source_port, [port] * len(answers), answers)


WEB_AND_SSH = [80] * 5 + [443] * 5 + [22] * 5
STORIES = {
    "a client keeps its server on every port": Story(commands("-t 192.168.2.11:0", "-p"), [
        Requests(["10.1.0.1"], 40000, WEB_AND_SSH, [TWO] * 15),
        Requests([CLIENT2], 40000, WEB_AND_SSH, [ONE] * 15),
        Requests(["10.1.0.1"], 40100, [80] * 3, [TWO] * 3),
        each_client(80, 40200, [TWO, ONE] * 5),
        each_client(443, 40300, [TWO, ONE] * 5),
        Requests(["10.1.0.1"], 40400, [22] * 2, [TWO] * 2),
    ]),
    "the server added last is served first": Story(
        commands("-t 192.168.2.11:0", "-p", servers=("192.168.2.30", "192.168.2.20")), [
            Requests(["10.1.0.1"], 41000, [80, 80, 443, 443], [ONE] * 4),
            Requests([CLIENT2], 41000, [80] * 2, [TWO] * 2),
            each_client(80, 41200, [ONE, TWO] * 3),
        ]),
    "two ports, two servers, and no service on the third": Story(
        commands("-t 192.168.2.11:80", "-p", servers=["192.168.2.20"], method="-m") +
        commands("-t 192.168.2.11:22", "-p", servers=["192.168.2.30"], method="-m"), [
            Requests(["10.1.0.1"], 42000, [80] * 5 + [22] * 5, [ONE] * 5 + [TWO] * 5),
            Requests([CLIENT2], 42000, [80] * 5 + [22] * 5, [ONE] * 5 + [TWO] * 5),
            Requests(["10.1.0.1"], 42100, [443] * 2, [NONE] * 2),
            each_client(80, 42200, [ONE] * 4),
        ], gateway="director"),
    "each port chooses on its own": Story(
        commands("-t 192.168.2.11:80", "-p", method="-m") + commands("-t 192.168.2.11:22", "-p", method="-m"), [
            Requests(["10.1.0.1"], 43000, [80] * 3 + [22] * 3, [TWO] * 6),
            Requests([CLIENT2], 43000, [80] * 3 + [22] * 3, [ONE] * 6),
            each_client(80, 43200, [TWO, ONE] * 2),
            each_client(22, 43204, [TWO, ONE] * 2),
        ], gateway="director"),
    "a firewall mark holds two ports together": Story(commands("-f 10", "-p 1800"), [
        Requests(["10.1.0.1"], 44000, [80] * 5 + [443] * 5, [TWO] * 10),
        Requests([CLIENT2], 44000, [80] * 5 + [443] * 5, [ONE] * 10),
        Requests(["10.1.0.1"], 44100, [22] * 2, [NONE] * 2),
        each_client(80, 44200, [TWO, ONE] * 3),
        each_client(443, 44206, [TWO, ONE] * 3),
    ], marked_ports=[80, 443]),
    "a mask makes neighbours share their server": Story(
        commands("-t 192.168.2.11:80", "-p 100", "-M 255.255.255.248"), [
            Requests([f"10.1.0.{n}" for n in range(101, 121)], 8001, [80] * 20,
                     [TWO] * 3 + [ONE] * 8 + [TWO] * 8 + [ONE]),
        ]),
    "a service for all ports, one for a port and one without persistence stand side by side": Story(
        commands("-t 192.168.2.11:0", "-p 600", servers=("192.168.2.20", "192.168.2.30", "192.168.2.40")) +
        ["-A -t 192.168.2.11:80 -s wrr -p 100", "-a -t 192.168.2.11:80 -r 192.168.2.20 -g",
         "-a -t 192.168.2.11:80 -r 192.168.2.30 -g -w 2"] + commands("-t 192.168.2.11:443"), [
             Requests(["10.1.0.1"], 10000, [80, 80, 22, 22, 443, 443, 443, 443, 80],
                      [TWO, TWO, THREE, THREE, TWO, ONE, TWO, ONE, TWO]),
             each_client(22, 11000, [TWO, ONE, THREE] * 3 + [TWO]),
             each_client(80, 12000, [ONE, TWO, TWO] * 3 + [ONE]),
             each_client(443, 14000, [TWO, ONE] * 5),
         ]),
}


def perform(network, requests: Requests) -> list[str]:
    client = network.client2 if requests.sources == [CLIENT2] else network.client1
    return [ask(client, port, source=requests.sources[i % len(requests.sources)],
                source_port=requests.first_source_port + i) for i, port in enumerate(requests.ports)]


@pytest.mark.parametrize("story", STORIES.values(), ids=[name.replace(" ", "_") for name in STORIES])
def test_every_request_reaches_the_server_that_ip_vs_chose(director, network, story):
    if story.marked_ports:
        mark_ports("iptables", network.director, 10, *story.marked_ports)
    network.servers_answer_through(story.gateway)
    director.adm(*story.commands)
    for requests in story.requests:
        assert perform(network, requests) == requests.answers


def test_open_connections_are_active_and_closed_ones_inactive(director, network):
    director.adm(*commands("-t 192.168.2.11:0", "-p"))
    with Connection(network.client1, 80) as first, Connection(network.client1, 22) as second:
        assert (first.who(), second.greeting) == (TWO, TWO)
        director.eventually_counts("192.168.2.30:0", active=2, inactive=0)
        assert director.counts("192.168.2.20:0") == (0, 0)
    director.eventually_counts("192.168.2.30:0", active=0, inactive=2)
    assert ask(network.client2) == ONE
    director.eventually_counts("192.168.2.20:0", active=0, inactive=1)
    rows = [line for line in director.adm("-Ln --persistent-conn").splitlines() if "->" in line][1:]
    assert rows == ["  -> 192.168.2.20:0               1         1           0          1         ",
                    "  -> 192.168.2.30:0               1         1           0          2         "]


def test_a_template_is_listed_with_the_clients_net_and_without_ports(director, network):
    director.adm(*commands("-t 192.168.2.11:0", "-p 100", "-M 255.255.255.0"))
    assert ask(network.client1, source="10.1.0.105", source_port=20001) == TWO
    rows = {row[3]: row for row in director.connections()}
    assert rows["10.1.0.0:0"][2:] == ["ASSURED", "10.1.0.0:0", "192.168.2.11:0", "192.168.2.30:0"]
    assert rows["10.1.0.0:0"][1] in ("01:39", "01:40")
    assert rows["10.1.0.105:20001"][2:] == ["FIN_WAIT", "10.1.0.105:20001", "192.168.2.11:80", "192.168.2.30:80"]
    assert len(rows) == 2


def test_a_marks_template_is_listed_with_the_mark_as_its_address(director, network):
    mark_ports("iptables", network.director, 10, 80)
    director.adm(*commands("-f 10", "-p 1800"))
    assert ask(network.client1) == TWO
    rows = director.connections(" 10.1.0.1:0 ")
    assert [[row[0], *row[3:]] for row in rows] == [["IP", "10.1.0.1:0", "0.0.0.10:0", "192.168.2.30:0"]]


def test_clearing_all_services_keeps_connections_and_templates_for_the_same_service_again(director, network):
    setup = commands("-t 192.168.2.11:80", "-p 100")
    director.adm(*setup)
    with Connection(network.client1, 80) as open_one:
        assert open_one.who() == TWO
        assert ask(network.client2) == ONE
        director.adm("-C")
        assert director.adm("-Ln") == LISTING_HEAD
        assert len(director.connections()) == 4
        assert ask(network.client1) == NONE
        director.adm(*setup)
        assert open_one.who() == TWO
        assert [ask(network.client1), ask(network.client1)] == [TWO, TWO]
        assert [ask(network.client2), ask(network.client2)] == [ONE, ONE]
        director.eventually_counts("192.168.2.30:80", active=1, inactive=2)
        director.eventually_counts("192.168.2.20:80", active=0, inactive=3)


def test_a_weight_0_server_keeps_its_persistent_clients_and_gets_no_new_ones(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p 100"))
    assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]
    director.adm("-e -t 192.168.2.11:80 -r 192.168.2.30 -g -w 0")
    assert [ask(network.client1), ask(network.client1)] == [TWO, TWO]
    assert [ask(network.client2), ask(network.client2)] == [ONE, ONE]
    assert [ask(network.client1, source=address) for address in TEN[:3]] == [ONE] * 3


def test_a_template_outlives_its_timeout_while_a_connection_lives(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p 3"))
    seconds = lambda row: int(row[1][:2]) * 60 + int(row[1][3:])
    with Connection(network.client1, 80) as connection:
        assert connection.who() == TWO

        def prolonged():
            rows = director.connections(" 10.1.0.1:0 ")
            assert len(rows) == 1, "the template is gone although its connection lives"
            return seconds(rows[0]) > 3

        eventually(prolonged, "ip_vs gives such a template another 60 seconds", seconds=8)
        assert ask(network.client1) == TWO


def test_a_template_without_connections_ends_with_its_timeout(director, network):
    director.adm("--set 0 1 0", *commands("-t 192.168.2.11:80", "-p 3"))
    assert ask(network.client1) == TWO
    eventually(lambda: not director.connections(), "the connection and its template are gone", seconds=8)
    assert ask(network.client1) == ONE, "round robin goes on with the other server"


def test_the_service_of_the_port_goes_before_the_service_of_all_ports(director, network):
    director.adm(*commands("-t 192.168.2.11:0", "-p 100"), *commands("-t 192.168.2.11:80", "-p 100"))
    assert [ask(network.client1, port) for port in (80, 80, 443, 443, 22)] == [TWO] * 5
    director.eventually_counts("192.168.2.30:0", active=0, inactive=3)
    director.eventually_counts("192.168.2.30:80", active=0, inactive=2)

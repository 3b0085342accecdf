# SPDX-License-Identifier: Apache-2.0
"""More connections than the table has room for: a SYN flood from addresses that nobody has."""
import json

import pytest

from clients import Connection, ask, eventually
from load import Load
from packets import Wire, tcp_frame
from test_persistence import ONE, TWO, commands
from topology import MORE_CLIENTS, VIP

ROOM = 256  # for connections, and for templates
HANDSHAKE = [2, 3]  # SYN_SENT and SYN_RECV: what a flood leaves behind, for a minute


class Flood:
    """SYNs that come to the director by the router's cable, each from an address of its own."""

    def __init__(self, network):
        self.network, self.sent = network, 0
        self.wire = Wire(network.router, "eth1")

    def send(self, count: int, port=80) -> None:
        to, own = self.network.director.mac(), self.network.router.mac("eth1")
        for number in range(self.sent, self.sent + count):
            source = f"10.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
            self.wire.send(tcp_frame(to, own, source, 1024 + number % 60000, VIP, port))
        self.sent += count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.socket.close()


@pytest.fixture
def flood(network):
    with Flood(network) as frames:
        yield frames


@pytest.fixture
def small(director):
    """A limpetd with little room."""
    director.unload()
    director.options = ["--max-flows", str(ROOM), "--max-templates", str(ROOM)]
    director.start()
    return director


def warnings(director) -> list[str]:
    return [text for text in json.loads(director.limpet("status --json"))["warnings"] if "the table of" in text]


def said(director, text: str) -> int:
    return sum(text in line for line in director.log_since_start().splitlines())


def test_a_syn_flood_leaves_the_established_alone_and_new_ones_are_forwarded(small, network, flood):
    director = small
    director.adm(*commands("-t 192.168.2.11:80"))
    with Connection(network.client1, 80) as first, Connection(network.client2, 80) as second:
        servers = first.who(), second.who()
        assert set(servers) == {ONE, TWO}
        for _ in range(10):
            flood.send(ROOM)
            assert (first.who(), second.who()) == servers
            # Each needs many packets, which all have to reach the same server.
            with Connection(network.client1, 80) as fresh:
                server = fresh.who()
                assert [fresh.who() for _ in range(3)] == [server] * 3
        assert {ask(network.client1, source=client) for client in MORE_CLIENTS} == {ONE, TWO}, "clients are spread"
        eventually(lambda: warnings(director), "status says that the table is full")
        assert "table of connections is full since" in warnings(director)[0]
        assert "tables.flows" in director.limpet("status")
        flood.send(ROOM)
        assert (first.who(), second.who()) == servers
    assert said(director, "the table of connections is full") == 1, "not for every packet"


def test_the_end_of_a_flood_is_told_as_well(small, network, flood):
    director = small
    director.adm(*commands("-t 192.168.2.11:80"))
    director.shorten_tcp_timeouts(2, HANDSHAKE)
    with Load(network.client1, MORE_CLIENTS, [80], threads=1, pause=0.1) as load:
        flood.send(10 * ROOM)
        eventually(lambda: warnings(director), "status says that the table is full")
        eventually(lambda: "which is over" in warnings(director)[0], "status says that it is over", seconds=60)
    assert not load.failures()
    assert said(director, "the table of connections is full") == 1
    assert said(director, "the table of connections has room again") == 1
    assert director.connections(f" {MORE_CLIENTS[0].rpartition('.')[0]}."), "connections are recorded again"


def test_a_flood_at_a_masqueraded_service_leaves_the_established_alone(small, network, flood):
    """New ones find no room for the entry that their replies need, and are dropped."""
    director = small
    network.servers_answer_through("director")
    director.adm(*commands("-t 192.168.2.11:80", method="-m"))
    director.shorten_tcp_timeouts(6, HANDSHAKE)
    with Connection(network.client1, 80) as connection:
        server = connection.who()
        flood.send(10 * ROOM)
        assert connection.who() == server
        assert ask(network.client2, timeout=0.5) == "silent"
        assert connection.who() == server
        eventually(lambda: warnings(director), "status says that the table is full")
        eventually(lambda: ask(network.client2, timeout=0.5) in (ONE, TWO), "the next ones are served", seconds=30)
        assert connection.who() == server
    assert said(director, "is full") == len(warnings(director)), "each once"


def test_a_flood_at_a_persistent_service_keeps_its_clients_where_they_are(small, network, flood):
    director = small
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    with Connection(network.client1, 80) as connection:
        before = {client: ask(network.client1, source=client) for client in MORE_CLIENTS[:8]}
        server = connection.who()
        flood.send(10 * ROOM)
        assert connection.who() == server
        for _ in range(2):
            assert {client: ask(network.client1, source=client) for client in before} == before
        # Who finds no room for a template goes by a hash of the address: every time the same way.
        late = MORE_CLIENTS[8:16]
        answers = [[ask(network.client1, source=client) for client in late] for _ in range(3)]
        assert answers[0] == answers[1] == answers[2] and set(answers[0]) == {ONE, TWO}
    eventually(lambda: len(warnings(director)) == 2, "status names both tables")
    assert said(director, "the table of persistence templates is full") == 1

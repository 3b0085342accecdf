# SPDX-License-Identifier: Apache-2.0
"""Two directors under Debian's keepalived, with the three forms of persistence and the file of docs/keepalived.md."""
import shlex

import pytest

import xdp_on_veth
from clients import Connection, eventually
from director import running
from keepalived import example, running_keepalived, table
from packets import Wire, tcp_frame
from topology import CLIENT1, SECOND_DIRECTOR, VIP

EVERY_PORT, EACH_PORT, MARKED = VIP, "192.168.2.12", "192.168.2.13"
ADDRESSES = [EVERY_PORT, EACH_PORT, MARKED]
BOTH = {"192.168.2.20": "Route 1", "192.168.2.30": "Route 1"}


def on_port(port: int, servers: dict[str, str]) -> dict[str, str]:
    return {f"{server}:{port}": entry for server, entry in servers.items()}


def services(web: dict[str, str] = BOTH) -> dict:
    """The table that the file describes, where these servers answer as web servers."""
    return {"TCP  192.168.2.11:0 rr persistent 600": on_port(0, web),
            "TCP  192.168.2.12:80 rr persistent 600": on_port(80, web),
            "TCP  192.168.2.12:22 rr persistent 600": on_port(22, BOTH),
            "FWM  10 rr persistent 600": on_port(0, web)}


@pytest.fixture(scope="module")
def topology(real):
    """The network of the real servers, with a second director on its cable."""
    network = real.topology
    network.director2 = network.add_second_director()
    yield network


@pytest.fixture
def hosts(network, real, door, work):
    """Both directors' hosts, without any virtual address: those are keepalived's. The servers have all of them."""
    if door == "xdp":
        xdp_on_veth.prepare_cable(network, "director2-lan", network.director2, "eth0", work)
    network.director.ip(f"addr del {VIP}/32 dev eth0")
    for host in network.servers:
        host.ip(*(f"addr add {address}/32 dev lo" for address in ADDRESSES[1:]))
    yield network.director, network.director2
    network.switch.ip("link set director-lan up")
    network.director.ip(f"addr add {VIP}/32 dev eth0")
    network.router.ip("neigh flush dev eth1")  # where the address was last announced, no one has it now
    real.start_web(network.server2)
    for host in network.servers:
        host.ip(*(f"addr del {address}/32 dev lo" for address in ADDRESSES[1:]))


@pytest.fixture
def first(hosts, programs, work, door):
    with running(hosts[0], programs, work / "first", door) as director:
        yield director


@pytest.fixture
def second(hosts, programs, work, door):
    with running(hosts[1], programs, work / "second", door) as director:
        yield director


def holds_the_addresses(director) -> bool:
    shown = director.host.run("ip", "-4", "-o", "addr", "show", "dev", "eth0").stdout
    return all(f" {address}/32 " in shown for address in ADDRESSES)


def eventually_serves(director, real, client) -> None:
    """The addresses are there, and the way of their marked packets, which follows them."""
    eventually(lambda: holds_the_addresses(director), seconds=20)

    def web_answers():
        try:
            return all(real.http(client, address) for address in ADDRESSES)
        except RuntimeError:
            return False

    eventually(web_answers, seconds=10)


def everything_asked(real, client) -> list[str]:
    """The server of all ports, of each port and of the mark, each as often as it can be told apart."""
    return [real.http(client, EVERY_PORT), real.https(client, EVERY_PORT), real.ssh(client, EVERY_PORT),
            real.ssh(client, EACH_PORT), real.http(client, EACH_PORT),
            real.https(client, MARKED), real.http(client, MARKED)]


def test_keepalived_runs_two_directors_through_a_servers_death_a_reload_and_a_switch(first, second, topology, real):
    configuration = example("keepalived")
    for director in (first, second):
        director.host.run(*shlex.split(example("marks")))
    with (running_keepalived(first, configuration) as main,
          running_keepalived(second, configuration.replace("priority 150", "priority 100"))):
        for director in (first, second):
            eventually(lambda: table(director) == services(), lambda: table(director))
        client1, client2 = topology.client1, topology.client2
        eventually_serves(first, real, client1)
        assert real.ssh(client2, EACH_PORT) == "server2"
        at_first = [["server2"] * 3 + ["server1"] + ["server2"] * 3, ["server1"] * 3 + ["server2"] + ["server1"] * 3]
        assert [everything_asked(real, client) for client in (client1, client2)] == at_first

        # The director that does not hold the addresses leaves them alone, whatever comes to it.
        with Wire(topology.router, "eth1") as wire:
            for address in ADDRESSES:
                wire.send(tcp_frame(second.host.mac(), topology.router.mac("eth1"), CLIENT1, 50000, address, 80))
        topology.router.run("ping", "-c1", "-W2", SECOND_DIRECTOR)
        assert second.connections() == []

        # A server dies and comes back: its clients have moved, and stay where they are.
        real.stop_web(topology.server2)
        for director in (first, second):
            eventually(lambda: table(director) == services(web={"192.168.2.20": "Route 1"}), lambda: table(director),
                       seconds=10)
        moved = [["server1"] * 7, at_first[1]]
        assert [real.http(client1, EVERY_PORT), real.http(client1, EACH_PORT), real.http(client1, MARKED)] == [
            "server1"] * 3
        real.start_web(topology.server2)
        for director in (first, second):
            eventually(lambda: table(director) == services(), lambda: table(director), seconds=10)

        # A reload: a connection and the clients stay where they are.
        held = Connection(client1, 80, to=EVERY_PORT)
        assert real.http_again(held) == "server1"
        main.reload(configuration.replace("weight 1", "weight 3"))
        heavier = services() | {"TCP  192.168.2.11:0 rr persistent 600":
                                on_port(0, {"192.168.2.20": "Route 3", "192.168.2.30": "Route 3"})}
        eventually(lambda: table(first) == heavier, lambda: table(first))
        assert real.http_again(held) == "server1"
        assert [everything_asked(real, client) for client in (client1, client2)] == moved

        # The first director's cable is pulled, and put in again.
        topology.switch.ip("link set director-lan down")
        eventually_serves(second, real, client1)
        on_second = everything_asked(real, client1)
        assert len({*on_second[:3]}) == len({*on_second[5:]}) == 1, on_second
        topology.switch.ip("link set director-lan up")
        eventually(lambda: holds_the_addresses(first) and not holds_the_addresses(second), seconds=20)
        eventually(lambda: table(first) == heavier, lambda: table(first), seconds=10)
        eventually_serves(first, real, client1)
        assert [everything_asked(real, client) for client in (client1, client2)] == moved
        assert real.http_again(held) == "server1"
        held.close()

        # keepalived ends on the first director.
        main.stop()
        assert table(first) == {}
        eventually_serves(second, real, client1)
        assert everything_asked(real, client1) == on_second

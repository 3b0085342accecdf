# SPDX-License-Identifier: Apache-2.0
"""Mark services as transparent proxies: clients ask for addresses out there, the director's rules keep their packets, and
server1 and server2 answer in the place of server3, who has those addresses."""
import pytest

from clients import Connection, ask, ask_udp, eventually
from netfilter import mark_with_iptables
from test_icmp import BURST, NARROW, narrow_way  # noqa: F401 (a fixture)
from test_persistence import ONE, TWO, commands
from topology import CLIENT1, DIRECTOR, SERVERS

# Their packets pass the doors and come by netfilter.
pytestmark = pytest.mark.any_door

OUT_THERE, NETWORK, OWNER = "203.0.113.5", "203.0.113.0/24", "server3"
RULE, TABLE = "pref 1000 fwmark 10 lookup 100", "local default dev lo table 100"


@pytest.fixture
def proxied(network):
    """The way of the clients' packets; marking them and keeping them is up to keep()."""
    for host in network.servers:
        host.ip(f"route add local {NETWORK} dev lo")
    network.router.ip(f"route add {NETWORK} via {DIRECTOR}")
    network.director.ip(f"route add {NETWORK} via {SERVERS[OWNER]}")
    yield network
    network.director.run("sh", "-c", f"ip rule del {RULE}; ip route flush table 100; ip route del {NETWORK}; true")
    network.router.ip(f"route del {NETWORK}")
    for host in network.servers:
        host.ip(f"route del local {NETWORK} dev lo")


def keep(network) -> None:
    network.director.ip(f"rule add {RULE}", f"route add {TABLE}")
    for protocol in ("tcp", "udp"):
        mark_with_iptables("iptables", network.director, 10, "-s", "10.1.0.0/16", "-p", protocol, "--dport", "80")


def who(client, address=OUT_THERE, **where) -> str:
    return ask(client, to=address, **where)


def test_clients_are_spread_whatever_address_they_ask_for(director, proxied):
    keep(proxied)
    director.adm(*commands("-f 10"))
    assert [who(proxied.client1) for _ in range(3)] == [TWO, ONE, TWO]
    assert who(proxied.client1, "203.0.113.77") == ONE
    assert ask(proxied.client1) == TWO, "the director's own addresses as before"
    assert who(proxied.client1, port=443) == OWNER, "what is not marked goes its way"
    director.eventually_counts("192.168.2.20:0", active=0, inactive=2)


def test_persistence_and_masquerading_hold_there_too(director, proxied):
    keep(proxied)
    proxied.servers_answer_through("director")
    director.adm(*commands("-f 10", "-p 600", method="-m"))
    assert [who(proxied.client1, f"203.0.113.{n}") for n in (5, 6, 7)] == [TWO] * 3
    assert [who(proxied.client2), ask_udp(proxied.client2, to=OUT_THERE)] == [ONE] * 2


@pytest.mark.usefixtures("narrow_way")
def test_path_mtu_discovery_reaches_the_server_that_answers(director, proxied):
    keep(proxied)
    director.adm(*commands("-f 10"))
    with Connection(proxied.client1, 80, to=OUT_THERE, timeout=5) as connection:
        assert connection.who() == TWO
        connection.say(f"burst {BURST}")
        assert len(connection.line()) == BURST
        assert f"mtu {NARROW}" in proxied.server2.run("ip", "route", "get", CLIENT1).stdout


def test_what_the_director_itself_sends_is_none_of_the_services(director, proxied):
    keep(proxied)
    mark_with_iptables("iptables", proxied.director, 10, "-p", "tcp", "--dport", "80", chain="OUTPUT")
    director.adm(*commands("-f 10"))
    assert who(proxied.director) != TWO
    assert not director.connections()


def test_rules_may_come_after_the_service_and_go_again(director, proxied):
    director.adm(*commands("-f 10"))
    assert who(proxied.client1) == OWNER
    keep(proxied)
    eventually(lambda: who(proxied.client1) in (ONE, TWO), "the service takes them")
    director.kill()
    assert who(proxied.client1) in (ONE, TWO), "without a limpetd"
    director.start()
    proxied.director.ip(f"rule del {RULE}")
    eventually(lambda: who(proxied.client1) == OWNER, "they go their way again")


def test_unload_leaves_the_administrators_rules_as_they_were(director, proxied):
    keep(proxied)
    look = "sh", "-c", "ip rule; ip route show table all"
    director.unload()
    before = proxied.director.run(*look).stdout
    director.start()
    director.adm(*commands("-f 10"))
    assert who(proxied.client1) == TWO
    director.unload()
    assert proxied.director.run(*look).stdout == before


def test_cache_bypass_lets_go_what_no_server_takes(director, proxied):
    keep(proxied)
    director.adm(*commands("-f 10"), *(f"-e -f 10 -r {server} -g -w 0" for server in ("192.168.2.20", "192.168.2.30")))
    assert [who(proxied.client1), ask(proxied.client1)] == ["refused"] * 2
    director.limpet("sysctl -w net.ipv4.vs.cache_bypass=1")
    assert [who(proxied.client1), ask_udp(proxied.client1, to=OUT_THERE), ask(proxied.client1)] == [OWNER, OWNER, "refused"]
    with Connection(proxied.client1, 80, to=OUT_THERE, source_port=7001) as held:
        assert held.who() == OWNER
        [line] = director.connections("10.1.0.1:7001")
        assert line[2:] == ["ESTABLISHED", "10.1.0.1:7001", "203.0.113.5:80", "0.0.0.0:0"]
        sessions = director.limpet("sessions --service fwm:10")
        assert "past the servers by cache_bypass" in sessions
        question = f"explain 10.1.0.1 {OUT_THERE}:80 --mark 10"
        assert f"goes to {OUT_THERE}:80" in director.limpet(question)
        director.adm("-e -f 10 -r 192.168.2.20 -g -w 1")
        assert "goes to 192.168.2.20:80" in director.limpet(question)
        assert who(proxied.client1) == ONE
        assert held.who() == OWNER, "a connection stays where it is"
        director.restart_daemon()
        assert held.who() == OWNER


def test_a_rule_that_cannot_be_met_is_in_the_status(director, proxied):
    director.adm(*commands("-f 10"))
    proxied.director.ip(f"rule add {RULE.replace('1000', '0')}", f"route add {TABLE}")
    try:
        eventually(lambda: 'makes marked packets local' in director.limpet("status"), "said in the status", seconds=15)
    finally:
        proxied.director.ip("rule del pref 0 fwmark 10 lookup 100")

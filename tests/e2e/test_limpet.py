# SPDX-License-Identifier: Apache-2.0
"""limpet, the command line for people: services, sessions and explain, with real traffic."""
import json

import pytest

from clients import Connection, ask, ask_udp
from netfilter import mark_ports
from test_persistence import NONE, ONE, TEN, TWO, commands
from topology import CLIENT1, CLIENT2, SERVERS, VIP

pytestmark = pytest.mark.any_door

NAMES = {address: name for name, address in SERVERS.items()}
WEB = "-t 192.168.2.11:80"


def sessions(director, words="") -> list[dict]:
    return [json.loads(line) for line in director.limpet(f"sessions --json {words}").splitlines()]


def explain(director, words: str) -> dict:
    return json.loads(director.limpet(f"explain --json {words}"))


def foretold(director, words: str) -> str:
    """The name of the server that explain says, or what ask() answers when there is none."""
    answer = explain(director, words)
    if answer["outcome"] == "refused":
        return NONE
    assert answer["outcome"] == "forwarded", answer
    return NAMES[answer["server"]["key"].rsplit(":", 1)[0]]


def everything_counted(director) -> str:
    """Services with all they count, and which connections and templates there are; not the times left."""
    entries = sorted([row[0], *row[2:]] for row in director.connections())
    return director.adm("-Ln --stats --exact") + director.adm("-Ln --persistent-conn") + str(entries)


# Services

def test_services_shows_servers_connections_and_traffic(director, network):
    director.adm(*commands(WEB, "-p 600", "-M 255.255.255.0"), "-A -f 10 -s wlc")
    assert ask(network.client1) == TWO
    page = director.limpet("services").splitlines()
    assert page[0].split()[:6] == ["SERVICE,", "SERVERS", "HOW", "WEIGHT", "ACTIVE", "INACTIVE"]
    rows = {line.split()[0]: line for line in page[1:]}
    assert list(rows) == ["fwm:10", "tcp:192.168.2.11:80", "192.168.2.30:80", "192.168.2.20:80"] or \
        list(rows) == ["tcp:192.168.2.11:80", "192.168.2.30:80", "192.168.2.20:80", "fwm:10"]
    assert "rr, persistent 10 min per /24" in rows["tcp:192.168.2.11:80"]
    assert rows["192.168.2.30:80"].split()[1:7] == ["route", "1", "0", "1", "1", "1"]
    assert rows["192.168.2.20:80"].split()[1:7] == ["route", "1", "0", "0", "0", "0"]
    services = json.loads(director.limpet("services --json"))
    web = next(s for s in services if s["service"]["key"] == "tcp/192.168.2.11:80")
    assert web["counters"]["connections"] == 1 and web["counters"]["in_bytes"] > 0


def test_without_services_it_says_so(director):
    assert "There are no services" in director.limpet("services")
    assert json.loads(director.limpet("services --json")) == []


# Sessions

def test_sessions_says_why_each_is_there(director, network):
    director.adm(*commands(WEB, "-p 600", "-M 255.255.255.0"), *commands("-t 192.168.2.11:443"))
    with Connection(network.client1, 80, source_port=40000) as sticky, \
            Connection(network.client1, 443, source_port=40001) as free:
        assert [sticky.who(), free.who()] == [TWO, TWO]
        lines = director.limpet("sessions").splitlines()
        assert lines[0].split() == ["KIND", "CLIENT", "TO", "SERVER", "STATE", "LEFT", "WHY"]
        rows = {tuple(line.split()[:4]): line for line in lines[1:]}
        assert set(rows) == {("tcp", "10.1.0.1:40000", "192.168.2.11:80", "192.168.2.30:80"),
                             ("tcp", "10.1.0.1:40001", "192.168.2.11:443", "192.168.2.30:443"),
                             ("template", "10.1.0.0/24", "192.168.2.11:80", "192.168.2.30:80")}
        reasons = [" ".join(rows[key].split()[6:]) for key in sorted(rows)]
        assert reasons == ["persistent: template of 10.1.0.0/24", "scheduled by rr",
                           "persistent: 10.1.0.0/24 stays here; 1 connection"]


def test_sessions_are_narrowed_by_client_service_and_server(director, network):
    director.adm(*commands(WEB), *commands("-t 192.168.2.11:0", "-p 600"), *commands("-u 192.168.2.11:80"))
    for source in TEN[:4]:
        assert ask(network.client1, source=source) in (ONE, TWO)
    assert ask(network.client2, 443) in (ONE, TWO)
    assert ask_udp(network.client2, source_port=9001) in (ONE, TWO)
    everything = sessions(director)
    assert len(everything) == 7
    client = lambda s: s["connection"]["client"].rsplit(":", 1)[0]

    assert [client(s) for s in sessions(director, f"--client {TEN[1]}")] == [TEN[1]]
    assert {client(s) for s in sessions(director, "--client 10.1.0.100/30")} == set(TEN[:3])
    assert len(sessions(director, f"--client {CLIENT2}")) == 3
    assert sessions(director, "--client 10.2.0.0/16") == []

    for words in ("192.168.2.11:80", "t:192.168.2.11:80", "tcp/192.168.2.11:80"):
        assert len(sessions(director, f"--service {words}")) == 4
    assert [s["connection"]["template"] for s in sessions(director, "--service 192.168.2.11")] == [False, True]
    assert len(sessions(director, "--service udp:192.168.2.11:80")) == 1
    assert sessions(director, "--service fwm:10") == []

    # Their seconds run on from one listing to the next.
    ends = lambda some: sorted(tuple(s["connection"][end] for end in ("client", "virtual", "destination")) for s in some)
    by_server = [sessions(director, f"--server {address}") for address in SERVERS.values()]
    assert ends(sum(by_server, [])) == ends(everything)
    by_port = [sessions(director, f"--server {address}:443") for address in ("192.168.2.20", "192.168.2.30")]
    assert ends(sum(by_port, [])) == ends(s for s in everything if s["connection"]["destination"].endswith(":443"))

    both = sessions(director, f"--client {TEN[0]} --service 192.168.2.11:80 --server 192.168.2.30")
    assert [s["connection"]["destination"] for s in both] == ["192.168.2.30:80"]


def test_a_template_of_a_network_is_found_by_any_of_its_clients(director, network):
    director.adm(*commands(WEB, "-p 600", "-M 255.255.255.0"))
    assert ask(network.client1) == TWO
    found = sessions(director, "--client 10.1.0.77")
    assert [(s["connection"]["template"], s["network"]) for s in found] == [(True, "10.1.0.0/24")]


def test_sessions_of_a_service_that_is_gone_are_still_found_by_it(director, network):
    director.adm(*commands(WEB, "-p 600"))
    assert ask(network.client1) == TWO
    director.adm("-D " + WEB)
    assert len(sessions(director, "--service 192.168.2.11:80")) == 2
    assert director.limpet("sessions").count("service tcp:192.168.2.11:80 is no more") == 2


def test_marked_sessions_name_their_mark(director, network):
    mark_ports("iptables", network.director, 10, 80, 443)
    director.adm(*commands("-f 10", "-p 600"))
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO] * 2
    found = sessions(director, "--service fwm:10")
    assert len(found) == 3 and found == sessions(director)
    assert director.limpet("sessions").count("mark 10, persistent") == 3


@pytest.mark.parametrize("words", ["sessions --client here", "sessions --client 10.0.0.0/40", "sessions --service web",
                                   "sessions --service fwm:0", "sessions --server 10.0.0.1:http",
                                   "explain me 192.168.2.11:80", "explain 10.1.0.1 192.168.2.11",
                                   "explain 10.1.0.1 192.168.2.11:80 --mark zero"])
def test_a_word_that_makes_no_sense_is_named(director, words):
    done = director.command("limpet", words)
    assert done.returncode == 1 and done.stdout == ""
    wrong = next(word for word in words.split() if f'"{word}"' in done.stderr)
    assert f'"{wrong}" is not' in done.stderr and done.stderr.startswith("limpet: ")


def test_a_missing_or_unknown_word_is_named(director):
    for words, text in (("explain 10.1.0.1", "VIP:PORT is required"), ("sessions --clinet 10.1.0.1", "--clinet"),
                        ("sessions --client ''", "--client: must not be empty"),
                        ("explain 10.1.0.1 192.168.2.11:80 --mark ''", "--mark: must not be empty")):
        done = director.command("limpet", words)
        assert done.returncode == 1 and text in done.stderr, done.stderr


# Explain

@pytest.mark.parametrize("scheduler", ["rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf"])
@pytest.mark.parametrize("options", ["", "-p 600"])
def test_the_next_connection_goes_where_explain_said(director, network, scheduler, options):
    director.adm(f"-A {WEB} -s {scheduler} {options}", f"-a {WEB} -r 192.168.2.20 -g -w 1",
                 f"-a {WEB} -r 192.168.2.30 -g -w 3", f"-a {WEB} -r 192.168.2.40 -g -w 0")
    kept = [Connection(network.client2, 80) for _ in range(3)]  # something for lc to weigh
    try:
        for source in TEN + TEN[:4]:
            said = foretold(director, f"{source} 192.168.2.11:80")
            before = everything_counted(director)
            assert foretold(director, f"{source} 192.168.2.11:80") == said
            assert everything_counted(director) == before
            assert ask(network.client1, source=source) == said
    finally:
        for connection in kept:
            connection.close()


def test_explain_asks_the_mark_first_and_says_that_netfilter_comes_before(director, network):
    mark_ports("iptables", network.director, 10, 80)
    director.adm(*commands(WEB, servers=["192.168.2.20"]), *commands("-f 10", "-p 600"))
    for source in TEN:
        said = explain(director, f"{source} 192.168.2.11:80 --mark 10")
        assert said["deferred"] and said["service"] == "fwm/10"
        assert ask(network.client1, source=source) == NAMES[said["server"]["key"].rsplit(":", 1)[0]]
    unmarked = explain(director, f"{CLIENT1} 192.168.2.11:80")
    assert unmarked["service"] == "tcp/192.168.2.11:80" and unmarked["server"]["key"] == "192.168.2.20:80"
    assert "netfilter" in director.limpet(f"explain {CLIENT1} 192.168.2.11:80")


def test_explain_knows_a_connection_and_a_template_with_their_time_left(director, network):
    director.adm(*commands(WEB, "-p 600"))
    with Connection(network.client1, 80, source_port=40000) as connection:
        assert connection.who() == TWO
        director.adm(f"-e {WEB} -r 192.168.2.30 -g -w 0")
        known = explain(director, f"{CLIENT1}:40000 192.168.2.11:80")
        assert (known["rule"], known["state"], known["server"]["key"]) == ("connection", "ESTABLISHED",
                                                                           "192.168.2.30:80")
        assert 890 <= known["expires"] <= 900
        sticky = explain(director, f"{CLIENT1} 192.168.2.11:80")
        assert (sticky["rule"], sticky["network"]) == ("persistence", CLIENT1)
        assert 590 <= sticky["expires"] <= 600
        assert "weight 0: it keeps its persistent clients" in director.limpet(f"explain {CLIENT1} 192.168.2.11:80")
        other = director.limpet(f"explain {CLIENT2} 192.168.2.11:80")
        assert "goes to 192.168.2.20:80 (route)" in other and "skipped, for weight 0: 192.168.2.30:80" in other


def test_explain_says_what_is_refused_and_what_passes_to_the_host(director, network):
    director.adm("-A " + WEB + " -s rr", *commands("-u 192.168.2.11:80"))
    refused = director.limpet(f"explain {CLIENT1} 192.168.2.11:80")
    assert "refused, with ICMP port unreachable" in refused
    assert ask(network.client1) == NONE
    assert "there is no service for tcp 192.168.2.11:81" in director.limpet(f"explain {CLIENT1} 192.168.2.11:81")
    said = foretold(director, f"{CLIENT1} 192.168.2.11:80 --udp")
    assert ask_udp(network.client1, source_port=9001) == said
    network.director.ip(f"addr del {VIP}/32 dev eth0")
    try:
        assert explain(director, f"{CLIENT2} 192.168.2.11:80 --udp")["rule"] == "not-local"
        assert "is no address of this host now" in director.limpet(f"explain {CLIENT2} 192.168.2.11:80 --udp")
    finally:
        network.director.ip(f"addr add {VIP}/32 dev eth0")
    assert foretold(director, f"{CLIENT2} 192.168.2.11:80 --udp") == ask_udp(network.client2, source_port=9002)


def test_explain_refuses_what_is_not_carried(director):
    done = director.command("limpet", "explain 2001:db8::2 [2001:db8::1]:80")
    assert done.returncode == 1 and "limpet cannot carry IPv6 yet" in done.stderr

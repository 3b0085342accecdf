# SPDX-License-Identifier: Apache-2.0
"""One director under Debian's keepalived: its checks, reloads, and the table when one of the two is killed."""
import pytest

from clients import Connection, eventually
from keepalived import running_keepalived, table
from netfilter import mark_ports
from real_servers import SITE
from topology import SERVERS

pytestmark = pytest.mark.any_door

ONE, TWO, SORRY = SERVERS.values()
GLOBAL = "global_defs {\n lvs_flush\n lvs_timeouts tcp 700 tcpfin 70 udp 30\n}\n"
QUICK = "delay_loop 0.2\n warmup 0\n retry 1\n delay_before_retry 0.1\n connect_timeout 2\n"
TCP = "TCP_CHECK {\n connect_port 80\n }"
HTTP = "HTTP_GET {\n connect_port 80\n fast_recovery\n url {\n path /\n }\n }"
HTTPS = f"SSL_GET {{\n connect_port 443\n enable_sni\n fast_recovery\n url {{\n path /\n virtualhost {SITE}\n }}\n }}"


def virtual_server(name: str, check: str, *options: str, method="DR", port="", weight=1, servers=(ONE, TWO)) -> str:
    real = [f"real_server {server} {port} {{\n weight {weight}\n {check}\n }}" for server in servers]
    return "\n ".join([f"virtual_server {name} {{", "lvs_sched rr", f"lvs_method {method}", "protocol TCP", QUICK,
                       *options, *real]) + "\n}\n"


def entries(port: int, entry="Route 1", servers=(ONE, TWO)) -> dict[str, str]:
    return {f"{server}:{port}": entry for server in servers}


@pytest.fixture(scope="module")
def topology(real):
    """The network with nginx on server1 and server2."""
    return real.topology


@pytest.fixture(autouse=True)
def web_again(topology, real):
    yield
    for server in (topology.server1, topology.server2):
        real.start_web(server)


def test_every_kind_of_service_follows_its_checks_when_servers_die_and_come_back(director, topology, real):
    configuration = GLOBAL + "".join([
        virtual_server("192.168.2.11 80", TCP, "inhibit_on_failure", port=80),
        virtual_server("192.168.2.11 443", HTTPS, "persistence_timeout 100", "persistence_granularity 255.255.255.0",
                       port=443),
        virtual_server("192.168.2.11 8080", HTTP, "quorum 2", f"sorry_server {SORRY} 80", method="NAT", port=80),
        "virtual_server_group sites {\n fwmark 10\n 192.168.2.11 81\n 192.168.2.12-13 81\n}\n",
        virtual_server("group sites", HTTP, "persistence_timeout 600", port=81)])
    group = [f"TCP  192.168.2.{n}:81 rr persistent 600" for n in (11, 12, 13)]

    def services(servers=(ONE, TWO)) -> dict:
        inhibited = {f"{server}:80": "Route 0" for server in (ONE, TWO) if server not in servers}
        return {"TCP  192.168.2.11:80 rr": inhibited | entries(80, servers=servers),
                "TCP  192.168.2.11:443 rr persistent 100 mask 255.255.255.0": entries(443, servers=servers),
                "TCP  192.168.2.11:8080 rr":
                    entries(80, "Masq 1") if len(servers) == 2 else entries(80, "Masq 1", servers=[SORRY]),
                **{service: entries(81, servers=servers) for service in group},
                "FWM  10 rr persistent 600": entries(0, servers=servers)}

    mark_ports("iptables", topology.director, 10, 443)
    with running_keepalived(director, configuration) as keepalived:
        def becomes(expected):
            eventually(lambda: table(director) == expected, lambda: table(director), seconds=15)

        becomes(services())
        assert director.adm("-L --timeout") == "Timeout (tcp tcpfin udp): 700 70 30\n"
        assert {real.http(topology.client1), real.http(topology.client1)} == {"server1", "server2"}
        marked = real.https(topology.client1)
        assert [real.https(topology.client1), real.https(topology.client1)] == [marked] * 2
        real.stop_web(topology.server2)
        becomes(services([ONE]))
        assert [real.http(topology.client1), real.http(topology.client1), real.https(topology.client1)] == [
            "server1"] * 3
        real.stop_web(topology.server1)
        becomes(services([]))
        real.start_web(topology.server1)
        becomes(services([ONE]))
        real.start_web(topology.server2)
        becomes(services())
        keepalived.stop()
        assert table(director) == {}
        assert director.adm("-L --timeout") == "Timeout (tcp tcpfin udp): 900 120 300\n", "as keepalived found them"


def test_a_reload_changes_what_the_file_changes_and_no_connection_is_lost(director, topology, real):
    def configuration(weight=1, more=()):
        return "".join([virtual_server("192.168.2.11", HTTP, "persistence_timeout 600", weight=weight), *more])

    every_port = "TCP  192.168.2.11:0 rr persistent 600"
    old = virtual_server("192.168.2.11 8080", TCP, port=80)
    new = virtual_server("fwmark 10", TCP, servers=[TWO])
    with running_keepalived(director, configuration(more=[old])) as keepalived:
        eventually(lambda: table(director) == {every_port: entries(0), "TCP  192.168.2.11:8080 rr": entries(8080)},
                   lambda: table(director))
        with Connection(topology.client1, 80) as held:
            server = real.http_again(held)
            keepalived.reload(configuration(weight=5, more=[new]))
            eventually(lambda: table(director) == {every_port: entries(0, "Route 5"),
                                                   "FWM  10 rr": {f"{TWO}:0": "Route 1"}}, lambda: table(director))
            assert real.http_again(held) == server
            assert [real.http(topology.client1), real.ssh(topology.client1)] == [server] * 2

            keepalived.reload(configuration().replace(TWO, SORRY).replace("connect_port 80", "connect_port 9"))
            eventually(lambda: table(director) == {every_port: {}}, lambda: table(director))


def test_limpetd_and_keepalived_each_go_on_where_the_other_was_killed(director, topology, real):
    service = "TCP  192.168.2.11:80 rr persistent 600"

    def configuration(servers, weight=1):
        return GLOBAL + virtual_server("192.168.2.11 80", HTTP, "persistence_timeout 600", port=80, weight=weight,
                                       servers=servers)

    director.adm("-A -t 192.168.2.11:9 -s rr")
    with running_keepalived(director, configuration([ONE, TWO])) as keepalived:
        eventually(lambda: table(director) == {service: entries(80)}, lambda: table(director))
        server = real.http(topology.client1)

        director.kill()
        assert real.http(topology.client1) == server
        real.stop_web(topology.server2)
        eventually(lambda: "SET_DELDEST" in keepalived.log.read_text(), "a command that nobody takes", seconds=15)
        director.start()
        eventually(lambda: table(director) == {service: entries(80, servers=[ONE])}, lambda: table(director))
        real.start_web(topology.server2)
        eventually(lambda: table(director) == {service: entries(80)}, lambda: table(director))
        server = real.http(topology.client1)

        keepalived.kill()
        assert real.http(topology.client1) == server
        assert table(director) == {service: entries(80)}, "nothing was taken back"
    with running_keepalived(director, configuration([TWO, ONE, SORRY], weight=2)):
        eventually(lambda: table(director) == {service: entries(80, "Route 2")}, lambda: table(director))
        assert real.http(topology.client1) == server, "its template has outlived the flush"

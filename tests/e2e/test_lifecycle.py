# SPDX-License-Identifier: Apache-2.0
"""limpetd is started, killed, started again, unloaded; interfaces and addresses come and go. Clients notice nothing."""
import json
import shutil

import xdp_on_veth
from clients import Connection, ask, eventually
from director import Director, footprint
from netfilter import mark_ports
from test_persistence import ONE, TWO, commands
from topology import VIP


def test_the_status_names_the_door_of_the_interface(director):
    director.adm(*commands("-t 192.168.2.11:80"))
    status = json.loads(director.limpet("status --json"))
    doors = {door["interface"]: door["door"] for door in status["doors"]}
    assert doors["eth0"] == ("tc" if director.door == "auto" else director.door), "on veth, auto takes tc"
    assert status["sweep_pass_ms"] < 60_000 and status["sweep_lag_ms"] == 0, "nothing has ended yet"
    assert "eth0" in director.limpet("status")
    assert "ended entries were found up to 0 ms late" in director.limpet("status")


def door_of_eth0(director) -> tuple[str, str]:
    doors = {door["interface"]: door for door in json.loads(director.limpet("status --json"))["doors"]}
    return doors["eth0"]["door"], doors["eth0"]["reason"]


def test_a_single_interface_may_have_a_door_of_its_own(director):
    for door, other in (("xdp", "tc"), ("tc", "xdp")):
        director.options = ["--door", other, "--door", f"eth0={door}"]
        director.restart_daemon()
        assert door_of_eth0(director) == (door, "as configured")


def test_another_xdp_program_stays_where_it_is_and_limpet_takes_tc(director, network, work):
    director.unload()
    network.director.ip(f"link set dev eth0 xdpdrv object {xdp_on_veth.compile_pass_all(work)} section xdp")
    try:
        director.options = ["--door", "eth0=xdp"]
        director.start()
        assert door_of_eth0(director) == ("tc", "another XDP program is attached")
        director.unload()
        assert "prog/xdp" in network.director.run("ip", "link", "show", "eth0").stdout
    finally:
        network.director.ip("link set dev eth0 xdpdrv off")


def test_kill_9_costs_no_download_and_no_persistence(director, network):
    network.servers_answer_through("director")
    director.adm(*commands("-t 192.168.2.11:80", "-p", method="-m"))
    with Connection(network.client1, 80) as download:
        download.say("download 60")
        assert [download.line() for _ in range(5)] == [TWO] * 5
        before = director.adm("-Ln"), director.adm("-Sn")
        director.kill()
        assert [download.line() for _ in range(55)] == [TWO] * 55
        assert ask(network.client1, source_port=23000) == TWO, "the template works without the daemon"
        assert ask(network.client2) == ONE, "and so does scheduling"
        director.start()
        assert director.adm("-Sn") == before[1]
        assert download.who() == TWO
        director.eventually_counts("192.168.2.30:80", active=1, inactive=1)
    assert ask(network.client1) == TWO


EVERYTHING = ("-Ln", "-Ln --thresholds", "-Ln --persistent-conn", "-Ln --stats --exact", "-Sn", "-L --timeout")


def test_a_restart_without_traffic_changes_no_number(director, network):
    mark_ports("iptables", network.director, 10, 443)
    director.adm("--set 800 100 200", *commands("-t 192.168.2.11:80", "-p 100", "-M 255.255.255.0"),
                 "-e -t 192.168.2.11:80 -r 192.168.2.20 -g -w 7", *commands("-f 10", "-p 1800"))
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO, TWO]
    director.eventually_counts("192.168.2.30:80", active=0, inactive=1)
    director.eventually_counts("192.168.2.30:0", active=0, inactive=1)
    before = [director.adm(words) for words in EVERYTHING]
    director.kill()
    director.start()
    assert [director.adm(words) for words in EVERYTHING] == before


def test_a_stopped_daemon_leaves_the_director_forwarding(director, network):
    mark_ports("iptables", network.director, 10, 443)
    director.adm(*commands("-t 192.168.2.11:80", "-p"), *commands("-f 10", "-p 1800"))
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO, TWO]
    assert director.stop() == 0
    assert [ask(network.client2, port) for port in (80, 443)] == [ONE, ONE]
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO, TWO]
    director.start()
    assert [ask(network.client2, port) for port in (80, 443)] == [ONE, ONE]


def test_unload_works_after_a_kill_and_limpetd_can_start_again(director, network):
    mark_ports("iptables", network.director, 10, 80)
    director.adm(*commands("-f 10", "-p"), *commands("-t 192.168.2.11:443", method="-m"))
    assert ask(network.client1) == TWO
    director.kill()
    director.unload()
    assert ask(network.client1) == "refused"
    left = footprint(network.director, director.run_directory)
    assert "limpet0" not in left["links and XDP programs"] and "clsact" not in left["qdiscs"]
    assert left["BPF file systems"] == ""
    director.start()


def test_limpetd_may_be_started_by_ip_netns_exec(director, network):
    """Which hides /sys/fs/bpf behind a fresh /sys, and takes what is mounted there away with the process."""
    director.unload()
    by_name = ["ip", "netns", "exec", network.director.namespace]
    director.start(*by_name)
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    assert ask(network.client1) == TWO
    director.stop()
    assert ask(network.client2) == ONE
    director.start(*by_name)
    assert director.adm("-Sn").startswith("-A -t 192.168.2.11:80 -s rr -p 360\n")
    assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]


def test_an_address_that_comes_after_its_service_is_served(director, network):
    director.adm(*commands("-t 192.168.2.12:80", method="-m"))
    network.servers_answer_through("director")
    network.director.ip("addr add 192.168.2.12/32 dev eth0")
    try:
        eventually(lambda: ask(network.client1, to="192.168.2.12", timeout=0.5) in (ONE, TWO), "192.168.2.12 is served")
    finally:
        network.director.ip("addr del 192.168.2.12/32 dev eth0")


def test_an_interface_that_comes_after_its_service_is_served(director, network, work):
    director.adm(*commands("-t 10.1.0.11:80", method="-m"))
    network.servers_answer_through("director")
    port = network.plug(network.director, "wan", "eth1")
    try:
        if director.door == "xdp":
            xdp_on_veth.prepare_cable(network, port, network.director, "eth1", work)
        network.director.sysctl("net.ipv4.conf.eth1.rp_filter=0")
        network.director.ip("addr add 10.1.0.11/24 dev eth1", "link set eth1 up")
        eventually(lambda: ask(network.client1, to="10.1.0.11", timeout=0.5) in (ONE, TWO), "10.1.0.11 is served")
    finally:
        network.switch.ip(f"link del {port}")
        network.client1.ip("neigh flush to 10.1.0.11")  # the next eth1 has another MAC address
    eventually(lambda: "eth1" not in director.limpet("status"), "the interface that has gone is forgotten")


def test_an_administrators_neighbour_stays_when_its_server_is_removed(director, network):
    def neighbours() -> str:
        return network.director.run("ip", "neigh", "show", "nud", "all").stdout

    network.director.ip(f"neigh replace 192.168.2.20 lladdr {network.server1.mac()} nud permanent dev eth0")
    try:
        director.adm(*commands("-t 192.168.2.11:80"))
        eventually(lambda: "192.168.2.30" in neighbours() and "managed" in neighbours(), "the other server's is managed")
        director.adm("-C")
        eventually(lambda: "managed" not in neighbours(), "the other server's is let go")
        assert "192.168.2.20 dev eth0" in neighbours() and "PERMANENT" in neighbours()
    finally:
        network.director.ip("neigh del 192.168.2.20 dev eth0")


def test_two_directors_in_two_namespaces_do_not_meet(director, network, programs, work):
    director.adm(*commands("-t 192.168.2.11:80"))
    before = footprint(network.server3, work / "second")
    network.server1.ip("addr add 192.168.2.13/32 dev lo")
    network.server3.ip("addr add 192.168.2.13/32 dev eth0")
    second = Director(network.server3, programs, work / "second", director.door)
    try:
        second.start()
        second.adm(*commands("-t 192.168.2.13:8080", servers=["192.168.2.20"]))
        assert ask(network.client1, 8080, to="192.168.2.13") == ONE
        assert [ask(network.client1), ask(network.client1)] == [TWO, ONE]
        assert "192.168.2.13" not in director.adm("-Ln") and VIP not in second.adm("-Ln")
        second.unload()
        assert [ask(network.client1), ask(network.client1)] == [TWO, ONE]
    finally:
        if second.process and second.process.poll() is None:
            second.unload()
        network.server1.ip("addr del 192.168.2.13/32 dev lo")
        network.server3.ip("addr del 192.168.2.13/32 dev eth0")
        shutil.rmtree(work / "second")
    after = footprint(network.server3, work / "second")
    assert after == before

# SPDX-License-Identifier: Apache-2.0
"""limpetd may be killed at any time, the host may be booted anew: connections survive the first, persistence both."""
import random
import time

import pytest

from clients import Connection, ask, eventually
from director import footprint, still_in_the_kernel
from load import Killer, Load
from netfilter import forget_rules, mark_ports
from test_persistence import ONE, TWO, commands
from topology import CLIENT2, MORE_CLIENTS

METHODS = pytest.mark.parametrize("method", ["-g", "-m"])
KILLS = {"xdp": 30}  # fewer where they go on beside those at another door


def templates(director) -> set[tuple[str, ...]]:
    """Of -Lnc: protocol, state, source, virtual and destination of each template."""
    return {(row[0], *row[2:]) for row in director.connections() if row[3].endswith(":0")}


def seconds_left(director, client: str) -> int:
    row, = director.connections(f" {client}:0 ")
    minutes, seconds = row[1].split(":")
    return int(minutes) * 60 + int(seconds)


# A reboot

@METHODS
def test_a_reboot_costs_no_service_and_no_persistence(director, network, method):
    network.servers_answer_through("director" if method == "-m" else "router")
    mark_ports("iptables", network.director, 10, 443)
    director.adm("--set 800 100 200", *commands("-t 192.168.2.11:80", "-p 600", method=method),
                 *commands("-f 10", "-p 1800", method=method),
                 *commands("-t 192.168.2.11:0", "-p 300 -M 255.255.255.0", method=method))
    assert [ask(network.client1, port) for port in (80, 443, 22)] == [TWO] * 3
    assert [ask(network.client2, port) for port in (80, 443, 22)] == [ONE, ONE, TWO], "22: by networks of 256"
    # Who comes next would be given the other one by the scheduler.
    assert ask(network.client1, source=MORE_CLIENTS[0]) == TWO
    services, before = director.adm("-Sn"), templates(director)
    assert len(before) == 6
    assert director.stop() == 0
    director.lose_kernel_state()
    assert ask(network.client1) == "refused", "it is gone indeed"
    director.start()
    assert "6 of 6 persistence templates restored" in director.log_since_start()
    assert director.adm("-Sn") == services
    assert templates(director) == before
    assert 500 < seconds_left(director, MORE_CLIENTS[0]) <= 600
    for _ in range(2):
        assert [ask(network.client1, port) for port in (80, 443, 22)] == [TWO] * 3
        assert [ask(network.client2, port) for port in (80, 443, 22)] == [ONE, ONE, TWO]
        assert ask(network.client1, source=MORE_CLIENTS[0]) == TWO
    director.eventually_add_up()


def test_a_power_failure_costs_no_template_that_is_older_than_the_snapshot(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p 600"))
    answers = [ask(network.client1, source=client) for client in MORE_CLIENTS]
    assert set(answers) == {ONE, TWO}
    snapshot = director.state_directory / "templates"
    snapshot.unlink(missing_ok=True)
    assert ask(network.client2) in (ONE, TWO), "so there is something new to write"
    eventually(snapshot.exists, "a snapshot is written", seconds=30)
    director.kill()
    director.lose_kernel_state()
    director.start()
    assert [ask(network.client1, source=client) for client in reversed(MORE_CLIENTS)] == answers[::-1]


def test_a_limpetd_killed_while_it_restores_is_followed_by_one_that_does(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p 600"))
    for client in MORE_CLIENTS:
        assert ask(network.client1, source=client) in (ONE, TWO)
    before = templates(director)
    killer = Killer(director, 3)
    director.stop()
    for _ in range(4):
        director.lose_kernel_state()
        director.launch()
        time.sleep(killer.random.uniform(0.5, 1.1) * killer.start_time)
        director.kill()
        director.start()
        assert templates(director) == before


def test_templates_of_servers_that_are_gone_are_not_restored(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p"), *commands("-t 192.168.2.11:443", "-p"))
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO] * 2
    assert ask(network.client2) == ONE
    director.stop()
    journal = director.state_directory / "journal"
    lines = [line for line in journal.read_text().splitlines()
             if "192.168.2.11:443" not in line and "192.168.2.30" not in line]
    journal.write_text("\n".join(lines) + "\n")
    director.lose_kernel_state()
    director.start()
    assert "1 of 3 persistence templates restored" in director.log_since_start()
    assert "2 were of services or servers that are gone" in director.log_since_start()
    assert [ask(network.client1), ask(network.client2)] == [ONE] * 2


def test_a_damaged_snapshot_costs_what_is_damaged_and_is_said_in_one_line(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    for client in MORE_CLIENTS:
        ask(network.client1, source=client)
    for name, damage in (("bytes are damaged", lambda data: data[:60] + b"\xff" + data[61:]),
                         ("its end is missing", lambda data: data[:-9]),
                         ("its end is missing", lambda data: b""),
                         ("bytes are damaged", lambda data: random.Random(1).randbytes(100000))):
        director.stop()
        snapshot = director.state_directory / "templates"
        snapshot.write_bytes(damage(snapshot.read_bytes()))
        director.lose_kernel_state()
        director.start()
        told = [line for line in director.log_since_start().splitlines() if "snapshot of persistence templates" in line]
        assert len(told) == 1 and name in told[0], director.log_since_start()
        assert ask(network.client1) in (ONE, TWO)


def test_running_tables_are_believed_and_not_the_snapshot(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    assert ask(network.client1) == TWO
    director.stop()
    assert ask(network.client2) == ONE, "after the snapshot"
    director.start()
    assert "restored" not in director.log_since_start()
    assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]
    assert len(templates(director)) == 2


def test_persistence_outlives_unload(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]
    director.unload()
    director.start()
    assert [ask(network.client2), ask(network.client1)] == [ONE, TWO]


# Another version

def test_a_data_plane_of_another_version_is_refused_and_goes_on(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    assert ask(network.client1) == TWO
    ours = director.configuration()
    other = bytearray(ours)
    other[0] += 1
    with Connection(network.client1, 80) as connection:
        assert connection.who() == TWO
        director.kill()
        director.set_configuration(other)
        director.launch()
        assert director.process.wait(timeout=20) == 1
        told = director.log_since_start()
        assert f"the running data plane has ABI version {other[0]}, this limpetd has version {ours[0]}" in told
        assert "limpet unload" in told, "what to do"
        assert connection.who() == TWO
        assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]
    assert director.configuration() == other, "nothing was touched"
    director.set_configuration(ours)
    director.start()
    assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]


def test_a_data_plane_of_another_version_can_be_unloaded(director, network):
    director.adm(*commands("-t 192.168.2.11:80", "-p"))
    objects = director.kernel_objects()
    other = director.configuration()
    other[0] += 1
    director.kill()
    director.set_configuration(other)
    director.unload()
    eventually(lambda: not still_in_the_kernel(objects), "programs and tables are gone")
    director.start()
    assert ask(network.client1) in (ONE, TWO)


# Nothing is left

@pytest.mark.parametrize("ended", ["running", "stopped", "killed"])
def test_unload_leaves_nothing_in_the_kernel(director, network, ended):
    director.unload()
    before = footprint(network.director, director.run_directory)
    director.start()
    mark_ports("iptables", network.director, 10, 80)
    network.servers_answer_through("director")
    director.adm(*commands("-f 10", "-p", method="-m"), *commands("-t 192.168.2.11:443", method="-m"))
    assert [ask(network.client1, port) for port in (80, 443)] == [TWO] * 2
    tables, programs = director.kernel_objects()
    assert tables and programs
    if ended == "stopped":
        director.stop()
    elif ended == "killed":
        director.kill()
    director.unload()
    eventually(lambda: not still_in_the_kernel((tables, programs)), "programs and tables are gone")
    forget_rules(network.director)
    assert footprint(network.director, director.run_directory) == before


# Kills

def test_kill_upon_kill_under_load_loses_nothing(director, network):
    """Both forwarding methods, persistence and marks at once; a connection that stays open all the time."""
    network.servers_answer_either_way()
    mark_ports("iptables", network.director, 10, 443)
    director.adm(*commands("-t 192.168.2.11:80", "-p 600"), *commands("-f 10", method="-m"))
    sticky = Load(network.client1, MORE_CLIENTS, [80], pause=0.02)
    others = Load(network.client2, [CLIENT2], [443], threads=1, pause=0.02)
    with Connection(network.client1, 80) as connection, sticky, others:
        server = connection.who()
        eventually(lambda: len(sticky.servers_of_clients()) == len(MORE_CLIENTS), "every client has asked", seconds=20)
        before = director.adm("-Sn"), templates(director)
        killer = Killer(director, 2)
        for _ in range(KILLS.get(director.door, 100)):
            killer.kill_once()
            assert not (sticky.failures() + others.failures())
            assert connection.who() == server
        director.kill()
        director.start()
        assert (director.adm("-Sn"), templates(director)) == before
        assert director.connections(f" {CLIENT2}:"), "it lists what it has taken over, and can change it"
        director.adm("-a -t 192.168.2.11:80 -r 192.168.2.40 -g", "-e -f 10 -r 192.168.2.20 -w 0 -m")
        asked = len(others.answers)
        eventually(lambda: {a.server for a in others.answers[asked + 2:asked + 7]} == {TWO}, "the weight counts")
    assert not (sticky.failures() + others.failures())
    assert all(len(servers) == 1 for servers in sticky.servers_of_clients().values())

# SPDX-License-Identifier: Apache-2.0
"""limpet what-if and drain: what is said beforehand is what happens."""
import json
import os
import signal
import subprocess

import pytest

from clients import Connection, ask
from test_persistence import ONE, TWO, commands

pytestmark = pytest.mark.any_door

WEB = "-t 192.168.2.11:80"


def what_if(director, change: str) -> dict[str, dict]:
    """What is told of servers, by their addresses; nothing is changed by it."""
    before = director.adm("-S -n")
    lines = [json.loads(line) for line in director.limpet(f"what-if --json {change}").splitlines()]
    assert director.adm("-S -n") == before
    return {line["server"]["key"]: line["server"] for line in lines if "server" in line}


def some(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def test_a_removal_strands_the_connections_and_moves_the_clients_that_were_named(director, network):
    director.adm(*commands(WEB, "-p 100"))
    with Connection(network.client1, 80) as two, Connection(network.client2, 80) as one:
        assert [two.who(), one.who()] == [TWO, ONE]
        told = what_if(director, f"-- -d {WEB} -r 192.168.2.30:80")
        assert set(told) == {"192.168.2.30:80"}
        assert some(told["192.168.2.30:80"]["connections"]) == {"strand": 1}
        assert some(told["192.168.2.30:80"]["clients"]) == {"move": 1}
        assert [two.who(), one.who(), ask(network.client1)] == [TWO, ONE, TWO]

        director.adm(f"-d {WEB} -r 192.168.2.30:80")
        assert two.is_silent(0.3) and one.who() == ONE
        assert ask(network.client1) == ONE
        told = what_if(director, f"-- -a {WEB} -r 192.168.2.30:80 -g")
        assert some(told["192.168.2.30:80"]["connections"]) == {"resume": 2}  # and the one of ask()
        director.adm(f"-a {WEB} -r 192.168.2.30:80 -g")


def test_a_quiesced_server_keeps_and_another_mask_moves_whom_it_was_said_to(director, network):
    director.adm(*commands(WEB, "-p 100"))
    assert [ask(network.client1), ask(network.client2)] == [TWO, ONE]
    quiesce = f"-e {WEB} -r 192.168.2.30:80 -g -w 0"
    told = what_if(director, f"-- {quiesce}")["192.168.2.30:80"]
    assert (some(told["connections"]), some(told["clients"])) == ({"go_on": 1}, {"stay": 1})
    director.adm(quiesce)
    assert ask(network.client1) == TWO

    mask = f"-E {WEB} -s rr -p 100 -M 255.255.255.0"
    told = what_if(director, f"-- {mask}")
    assert {key: some(server["clients"]) for key, server in told.items()} == \
        {"192.168.2.30:80": {"move": 1}, "192.168.2.20:80": {"move": 1}}
    page = director.limpet(f"what-if -- limpetadm {mask}")
    assert "1 persistent client moves with the next connection, to 192.168.2.20:80" in page
    assert page.endswith("In all: 2 persistent clients would move.\nNothing has been changed.\n")
    director.adm(mask)
    assert [ask(network.client1), ask(network.client2)] == [ONE, ONE]


def test_what_would_be_refused_is_said_in_limpetadms_words_and_several_changes_are_taken_together(director, tmp_path):
    director.adm(*commands(WEB))

    def refused(change: str) -> str:
        done = director.command("limpet", f"what-if {change}")
        assert done.returncode == 1 and done.stdout == ""
        return done.stderr

    assert refused(f"-- -A {WEB}") == "limpet: this would be refused: Service already exists\n"
    assert "You need to supply the 'real-server' option" in refused(f"-- -d {WEB}")
    assert "what is to be changed?" in refused("")
    rules = tmp_path / "rules"
    rules.write_text(f"-D {WEB}\n-a {WEB} -r 192.168.2.20\n")
    assert refused(f"--file {rules}") == \
        f"limpet: line 2: -a {WEB} -r 192.168.2.20: this would be refused: Service not defined\n"
    rules.write_text(f"-D {WEB}\n-A {WEB} -s wlc\n")
    page = director.limpet(f"what-if --file {rules}")
    assert page.startswith("tcp:192.168.2.11:80: rr → wlc\n  new connections are refused: no server has a weight above 0\n")
    assert director.command("limpet", "what-if -- -R", input=rules.read_text()).stdout == page


def test_a_drain_ends_when_the_last_connection_has(director, network):
    director.adm("--set 0 1 0", *commands(WEB), *commands("-t 192.168.2.11:443", "-p 100"))
    with Connection(network.client1, 80) as open_one:
        assert open_one.who() == TWO
        drain = network.director.start(director.programs / "limpet", "drain", "192.168.2.30", env=director.environment,
                                       stdout=subprocess.PIPE, text=True)
        lines = [drain.stdout.readline() for _ in range(6)]
        assert lines[0] == "192.168.2.30:80 of tcp:192.168.2.11:80: weight 1 → 0\n"
        assert lines[1] == "192.168.2.30:443 of tcp:192.168.2.11:443: weight 1 → 0\n"
        assert lines[3] == "  limpetadm -e -t 192.168.2.11:80 -r 192.168.2.30:80 -g -w 1\n"
        assert "1 connection (1 active), 0 persistent clients left; idle ones end within 1" in lines[5]
        assert [ask(network.client2), ask(network.client2)] == [ONE, ONE]
        assert open_one.who() == TWO and drain.poll() is None
    assert drain.stdout.read().endswith("192.168.2.30 is drained; its weight stays 0.\n")
    assert drain.wait(5) == 0
    assert ask(network.client1) == ONE


def test_a_drain_gives_up_in_time_and_can_be_interrupted(director, network):
    director.adm(*commands(WEB, "-p 100"))
    with Connection(network.client1, 80) as open_one:
        assert open_one.who() == TWO
        done = director.command("limpet", "drain 192.168.2.30:80 192.168.2.11:80 --until connections --until 1s")
        assert done.returncode == 3
        assert done.stdout.endswith("192.168.2.30:80 is not drained within 1 s: 1 connection (1 active), "
                                    "1 persistent client left; its weight stays 0.\n")
        drain = network.director.start(director.programs / "limpet", "drain", "192.168.2.30", env=director.environment,
                                       stdout=subprocess.PIPE, text=True)
        assert "weight 0 already" in drain.stdout.readline()
        drain.stdout.readline()
        os.kill(drain.pid, signal.SIGINT)
        assert "Interrupted: 1 connection" in drain.stdout.read()
        assert drain.wait(5) == 130


def test_a_drain_names_what_is_wrong(director):
    director.adm(*commands(WEB))
    for words, sentence in (("10.9.9.9", "no service has a real server 10.9.9.9"),
                            ("192.168.2.30 fwm:7", "there is no service fwm:7"),
                            ("192.168.2.30:81 192.168.2.11:80", "tcp:192.168.2.11:80 has no real server 192.168.2.30:81"),
                            ("server1", 'SERVER: "server1" is not a real server'),
                            ("192.168.2.30 --until never", '--until: "never" is not')):
        done = director.command("limpet", f"drain {words}")
        assert done.returncode == 1 and sentence in done.stderr, done.stderr
    assert " 0      0 " not in director.adm("-Ln"), "no weight has changed"

# SPDX-License-Identifier: Apache-2.0
"""Schedulers that hash: their tables outlive limpetd, and maglev's are the same on every director with the same key."""
import json

import pytest

from clients import ask
from test_limpet import NAMES, foretold
from test_persistence import NONE, TEN, TWO
from topology import SERVERS

pytestmark = pytest.mark.any_door

SOURCES = TEN + [f"10.2.0.{number}" for number in range(1, 7)]


def led(director, port=80) -> list[str]:
    """Where each source's next connection goes."""
    return [foretold(director, f"{source} 192.168.2.11:{port}") for source in SOURCES]


def serve(director, service: str, servers) -> None:
    director.adm(f"-A {service}", *(f"-a {service[:service.index(' -s')]} -r {server} -g" for server in servers))


def test_hashed_clients_keep_their_servers_over_a_kill_and_an_edit(director, network):
    serve(director, "-t 192.168.2.11:80 -s mh", SERVERS.values())
    serve(director, "-t 192.168.2.11:443 -s maglev -b mh-fallback", SERVERS.values())
    before = led(director), led(director, 443)
    assert set(before[0]) == set(SERVERS)
    for source in TEN[:3]:
        assert ask(network.client1, source=source) == foretold(director, f"{source} 192.168.2.11:80")
    two = next(address for address, name in NAMES.items() if name == TWO)
    director.adm(f"-e -t 192.168.2.11:80 -r {two} -g -w 0")
    assert led(director) == [NONE if name == TWO else name for name in before[0]]
    director.kill()
    director.start()
    # mh remembers which buckets the quiesced server has.
    assert led(director) == [NONE if name == TWO else name for name in before[0]]
    director.adm(f"-e -t 192.168.2.11:80 -r {two} -g -w 1")
    assert (led(director), led(director, 443)) == before
    saved = director.adm("-S -n")
    assert "-s maglev -b mh-fallback" in saved


def test_directors_with_one_key_agree_and_another_key_deals_anew(director, network, work):
    key, configuration = work / "key", work / "maglev.toml"
    key.write_text("000102030405060708090a0b0c0d0e0f\n")
    configuration.write_text(f'[maglev]\nkey-file = "{key}"\n')
    service, servers = "-t 192.168.2.11:80 -s maglev", list(SERVERS.values())
    serve(director, service, servers)
    of_its_own = led(director)
    director.options = ["--config", str(configuration)]
    director.restart_daemon()
    with_key = led(director)
    assert with_key != of_its_own, "the services that were there are dealt anew"
    director.adm("-C")
    serve(director, service, reversed(servers))
    assert led(director) == with_key
    director.options = []
    director.restart_daemon()
    assert led(director) == of_its_own, "its own was kept in the state directory"

    key.write_text("secret")
    director.stop()
    refused = director.host.run(director.programs / "limpetd", "--config", configuration, "--run-dir",
                                director.run_directory, "--state-dir", director.state_directory, check=False)
    assert refused.returncode != 0 and f"{key} holds no key" in refused.stdout + refused.stderr
    director.start()
    assert json.loads(director.limpet("explain --json 10.2.0.1 192.168.2.11:80"))["hashes"] == "client-address"

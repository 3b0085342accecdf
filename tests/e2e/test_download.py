# SPDX-License-Identifier: Apache-2.0
"""A download from nginx by curl, while limpetd is killed."""
import hashlib
import subprocess

import pytest

from load import Killer
from real_servers import SITE
from topology import VIP


@pytest.fixture(scope="module")
def topology(real):
    """The network with nginx on server1 and server2."""
    return real.topology


@pytest.mark.parametrize("method", ["-g", "-m"])
def test_kill_9_during_a_download_costs_nothing(director, network, real, method):
    network.servers_answer_through("director" if method == "-m" else "router")
    director.adm("-A -t 192.168.2.11:80 -s rr", f"-a -t 192.168.2.11:80 -r 192.168.2.20 {method}")
    killer = Killer(director, 1)
    fetch = real.topology.client1.command("curl", "-sS", "--max-time", 60, "--limit-rate", "1M", "--noproxy", "*",
                                          "--resolve", f"{SITE}:80:{VIP}", f"http://{SITE}/big")
    with subprocess.Popen(fetch, stdout=subprocess.PIPE) as download:
        digest, kills = hashlib.sha256(), 0
        while data := download.stdout.read(500_000):
            digest.update(data)
            killer.kill_once()
            kills += 1
    assert download.returncode == 0
    assert digest.hexdigest() == hashlib.sha256(real.big_file.read_bytes()).hexdigest()
    assert kills >= 7

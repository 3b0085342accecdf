# SPDX-License-Identifier: Apache-2.0
"""nginx, openssl, curl, sshd and ssh work together here when asked by the servers' own addresses."""
import pytest

from topology import SERVERS

pytestmark = pytest.mark.any_door

BOTH = ["server1", "server2"]


def test_nginx_answers_in_the_clear(real):
    assert [real.http(real.topology.client1, to=SERVERS[name]) for name in BOTH] == BOTH


def test_nginx_answers_over_tls_with_a_certificate_that_curl_trusts(real):
    assert [real.https(real.topology.client2, to=SERVERS[name]) for name in BOTH] == BOTH


def test_sshd_lets_the_key_in_and_shows_a_known_host_key(real):
    assert [real.ssh(real.topology.client1, to=SERVERS[name]) for name in BOTH] == BOTH

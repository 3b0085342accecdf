# SPDX-License-Identifier: Apache-2.0
"""limpetadm on the command line: what it refuses, with the words and exit statuses of ipvsadm."""
import pytest

from director import LISTING_HEAD, running
from test_persistence import commands

pytestmark = pytest.mark.any_door


@pytest.fixture(scope="module")
def configured(topology, programs, work, door):
    """One limpetd for all tests here, which leave its services as they found them."""
    with running(topology.director, programs, work / "commands", door) as subject:
        subject.adm(*commands("-t 192.168.2.11:80"), *commands("-f 10", "-p 1800"))
        yield subject


REFUSED = [
    ("-A -t 192.168.2.11:80 -s rr", 255, "Service already exists"),
    ("-E -t 192.168.2.11:81 -s rr", 255, "No such service"),
    ("-D -t 192.168.2.11:81", 255, "No such service"),
    ("-D -f 7", 255, "No such service"),
    ("-a -t 192.168.2.11:81 -r 192.168.2.20 -g", 255, "Service not defined"),
    ("-a -t 192.168.2.11:80 -r 192.168.2.20 -g", 255, "Destination already exists"),
    ("-d -t 192.168.2.11:80 -r 192.168.2.40", 255, "No such destination"),
    ("-e -t 192.168.2.11:80 -r 192.168.2.40 -g", 255, "No such destination"),
    ("-A -t 192.168.2.11:82 -s nosuch", 255, "Scheduler or persistence engine not found"),
    ("-a -t 192.168.2.11:80 -r 192.168.2.40 -g -x 5 -y 10", 255, "Numerical result out of range"),
    ("-A -t 192.168.2.11 -s rr", 2, "Zero port specified for non-persistent service"),
    ("-A -t 192.168.2.11:99999 -s rr", 2, "illegal virtual server address[:port] specified"),
    ("-A -t 192.168.2.11:82 -s rr -p 0", 2, "invalid timeout value `0' specified"),
    ("-A -t 192.168.2.11:82 -s rr -o", 2, "One-Packet Scheduling is only for UDP virtual services"),
    ("-A -f 0 -s rr", 2, "invalid fwmark value `0' specified"),
    ("-A -s rr", 2, "You need to supply the 'service-address' option for the 'add-service' command"),
    ("-a -t 192.168.2.11:80 -g", 2, "You need to supply the 'real-server' option for the 'add-server' command"),
    ("-A -t 192.168.2.11:82 -s rr -p -5", 255, "-5: unknown option"),
    ("--nosuchoption", 255, "Try `"),
]


@pytest.mark.parametrize("words, status, message", REFUSED, ids=[words for words, _, _ in REFUSED])
def test_a_wrong_command_changes_nothing_and_says_why(configured, words, status, message):
    before = configured.adm("-Sn")
    done = configured.command("limpetadm", words)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert configured.adm("-Sn") == before


def test_listing_a_service_that_is_not_there_fails_with_1(configured):
    done = configured.command("limpetadm", "-Ln -t 192.168.2.11:81")
    assert (done.returncode, done.stderr.strip()) == (1, "No such service")


def test_timeouts_are_listed_and_a_zero_leaves_one_as_it_is(configured):
    assert configured.adm("-L --timeout") == "Timeout (tcp tcpfin udp): 900 120 300\n"
    configured.adm("--set 700 0 30")
    assert configured.adm("-L --timeout") == "Timeout (tcp tcpfin udp): 700 120 30\n"
    configured.adm("--set 900 120 300")


def test_what_is_saved_can_be_restored(configured):
    saved = configured.adm("-Sn")
    configured.adm("-C")
    assert configured.adm("-Ln") == LISTING_HEAD
    assert configured.command("limpetadm", "-R", input=saved).returncode == 0
    assert configured.adm("-Sn") == saved


def test_limpetadm_from_another_namespace_is_refused(configured, topology):
    before = configured.adm("-Sn")
    for words in ("-C", "-Ln", "-A -t 192.168.2.11:8080 -s rr"):
        done = configured.command("limpetadm", words, host=topology.client1)
        assert done.returncode != 0 and done.stdout == ""
        assert "namespace" in done.stderr
    assert configured.adm("-Sn") == before


def test_limpetadm_without_a_daemon_says_where_it_looked(configured):
    configured.stop()
    done = configured.command("limpetadm", "-Ln")
    assert done.returncode == 2 and str(configured.run_directory) in done.stderr
    configured.start()

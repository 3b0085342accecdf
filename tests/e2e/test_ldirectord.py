# SPDX-License-Identifier: Apache-2.0
"""Debian's ldirectord, which calls /sbin/ipvsadm: that one with the library, or limpetadm in its place."""
import signal
from contextlib import contextmanager

import pytest

from clients import eventually
from keepalived import table
from topology import SERVERS

pytestmark = pytest.mark.any_door

ONE, TWO, THREE = SERVERS.values()
SERVICE = "TCP  192.168.2.11:80 rr persistent 600"
CONFIGURATION = """\
checktimeout=2
checkinterval=1
supervised=yes
quiescent={quiescent}
virtual=192.168.2.11:80
	real=192.168.2.20:80 gate {weight}
	real=192.168.2.30:80 gate 1
	fallback=192.168.2.40:80 gate
	service=http
	scheduler=rr
	persistent=600
	protocol=tcp
	checktype=negotiate
	request="/"
	receive="server"
virtual=10
	real=192.168.2.20:0 gate 1
	real=192.168.2.30:0 gate 1
	service=http
	scheduler=wrr
	protocol=fwm
	checktype=connect
	checkport=443
"""


@pytest.fixture(scope="module")
def topology(real):
    """The network with nginx on server1 and server2."""
    return real.topology


@pytest.fixture(autouse=True)
def web_again(topology, real):
    yield
    real.start_web(topology.server1)


def by_the_library(director) -> list:
    return [director.programs / "limpet", "run", "--"]


def by_the_name(director) -> list:
    """limpetadm as /sbin/ipvsadm, for this program alone: what ipvs-alternatives does for a host."""
    return ["unshare", "--mount", "sh", "-c", f"mount --bind {director.programs}/limpetadm /usr/sbin/ipvsadm && "
            'exec "$@"', "sh"]


@contextmanager
def running_ldirectord(director, reached, quiescent):
    file = director.log.with_name(f"ldirectord-{director.host.namespace}.cf")  # its pid file in /run has this name, too
    file.write_text(CONFIGURATION.format(quiescent=quiescent, weight=1))
    with director.log.with_name("ldirectord.log").open("w") as log:
        process = director.host.start(*reached(director), "/usr/sbin/ldirectord", file, "start", stdout=log, stderr=log,
                                      env=director.environment)
    try:
        yield process, file
    finally:
        process.terminate()
        process.wait(timeout=10)


def services(web: dict[str, str], marked: dict[str, str]) -> dict:
    return {SERVICE: {f"{server}:80": f"Route {weight}" for server, weight in web.items()},
            "FWM  10 wrr": {f"{server}:0": f"Route {weight}" for server, weight in marked.items()}}


@pytest.mark.parametrize("reached, quiescent", [(by_the_library, "yes"), (by_the_name, "no")],
                         ids=["the_library_quiescent", "the_name_not_quiescent"])
def test_ldirectord_takes_a_dead_server_out_and_in_again(director, topology, real, reached, quiescent):
    with running_ldirectord(director, reached, quiescent) as (process, file):
        def becomes(web, marked):
            eventually(lambda: table(director) == services(web, marked), lambda: table(director), seconds=15)

        becomes({ONE: 1, TWO: 1}, {ONE: 1, TWO: 1})
        kept = real.http(topology.client1)
        assert real.http(topology.client1) == kept
        real.stop_web(topology.server1)
        gone = {ONE: 0} if quiescent == "yes" else {}
        becomes(gone | {TWO: 1}, gone | {TWO: 1})
        assert real.http(topology.client2) == "server2"
        real.start_web(topology.server1)
        becomes({ONE: 1, TWO: 1}, {ONE: 1, TWO: 1})

        file.write_text(CONFIGURATION.format(quiescent=quiescent, weight=4))
        process.send_signal(signal.SIGHUP)  # the file is read again
        becomes({ONE: 4, TWO: 1}, {ONE: 1, TWO: 1})
    eventually(lambda: table(director) == {}, lambda: table(director))

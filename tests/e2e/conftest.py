# SPDX-License-Identifier: Apache-2.0
"""What every scenario is given: the network, built once, and a limpetd of its own in the director."""
import os
import shutil
import signal
from pathlib import Path

import pytest

import xdp_on_veth
from director import running
from netfilter import forget_rules
from real_servers import RealServers
from topology import Topology

TREE = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--door", action="append", choices=["auto", "tc", "xdp"],
                     help="where limpetd takes its packets; may be given again (default: auto, or $LIMPET_DOOR)")
    parser.addoption("--programs", type=Path, default=Path(os.environ.get("LIMPET_PROGRAMS", TREE / "build/bin")),
                     help="the directory that holds limpetd, limpetadm and limpet")
    parser.addoption("--soak", type=float, default=float(os.environ.get("LIMPET_SOAK", 25)), metavar="SECONDS",
                     help="how long test_soak.py goes on (default: 25, or $LIMPET_SOAK)")
    parser.addoption("--seed", type=int, help="of test_soak.py's choices")


def pytest_generate_tests(metafunc):
    if "door" in metafunc.fixturenames:
        doors = metafunc.config.getoption("door") or os.environ.get("LIMPET_DOOR", "auto").split(",")
        metafunc.parametrize("door", doors, scope="session")


def pytest_configure():
    # A run that is told to end takes its namespaces along.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what limpetd had to say."""
    report = (yield).get_result()
    director = item.funcargs.get("director") if hasattr(item, "funcargs") else None
    if report.failed and director is not None and director.log.exists():  # gone after the teardown
        report.sections.append(("limpetd's log", director.log.read_text()))
        report.sections.append(("limpetadm -Ln; -Lnc", director.everything_listed()))


@pytest.fixture(scope="session")
def work():
    """A directory only root can write to (sshd insists), and short enough for the path of a unix socket."""
    path = Path(f"/run/limpet-test-{os.getpid()}")
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def topology(work):
    with Topology() as network:
        network.start_answerers()
        yield network


@pytest.fixture(scope="session")
def real_topology():
    """A second network, whose servers keep their ports free for nginx and sshd."""
    with Topology("limpet-real") as network:
        yield network


@pytest.fixture(scope="session")
def real(real_topology, work):
    with RealServers(real_topology, work / "real") as servers:
        yield servers


@pytest.fixture(scope="session")
def programs(pytestconfig):
    path = pytestconfig.getoption("programs")
    missing = [name for name in ("limpetd", "limpetadm", "limpet") if not (path / name).exists()]
    assert not missing, f"{path} lacks {', '.join(missing)}: run scripts/build first"
    return path


@pytest.fixture
def network(topology, door, work):
    """The network in its first state, whose routes and rules the test may change."""
    if door == "xdp":
        xdp_on_veth.prepare(topology, work)
    yield topology
    forget_rules(topology.director)
    topology.director.sysctl("net.ipv4.ip_forward=0")
    topology.servers_answer_through("router")


@pytest.fixture
def director(network, door, programs, work):
    with running(network.director, programs, work / "director", door) as subject:
        yield subject

# SPDX-License-Identifier: Apache-2.0
"""What every scenario is given: the network, built once, and a limpetd of its own in the director."""
import os
import shutil
import signal
from pathlib import Path

import pytest

import xdp_on_veth
from director import Director, running
from netfilter import forget_rules
from real_servers import RealServers
from topology import Topology

TREE = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--door", action="append", choices=["auto", "tc", "xdp"],
                     help="where limpetd takes its packets; may be given again (default: auto, or $LIMPET_DOOR)")
    parser.addoption("--programs", type=Path, default=Path(os.environ.get("LIMPET_PROGRAMS", TREE / "build/bin")),
                     help="the directory that holds limpetd, limpetadm and limpet")
    parser.addoption("--soak", type=float, default=float(os.environ.get("LIMPET_SOAK", 15)), metavar="SECONDS",
                     help="how long test_soak.py goes on (default: 15, or $LIMPET_SOAK)")
    parser.addoption("--seed", type=int, help="of test_soak.py's choices")


def doors_of(config) -> list[str]:
    return config.getoption("door") or os.environ.get("LIMPET_DOOR", "auto").split(",")


def pytest_generate_tests(metafunc):
    if "door" in metafunc.fixturenames:
        metafunc.parametrize("door", doors_of(metafunc.config), scope="session")


def pytest_collection_modifyitems(config, items):
    """What goes the same way at every door is left to the run of another, which scripts/test has beside that of XDP."""
    only = "xdp" if doors_of(config) == ["xdp"] else None
    left = [item for item in items if item.get_closest_marker("any_door") and (door_of(item) or only) == "xdp"]
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def door_of(item) -> str | None:
    """None: it has nothing to do with doors."""
    return item.callspec.params.get("door") if hasattr(item, "callspec") else None


def pytest_configure():
    # A run that is told to end takes its namespaces along.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its directors had to say: limpetd, and what drove it."""
    report = (yield).get_result()
    for director in getattr(item, "funcargs", {}).values():
        if report.failed and isinstance(director, Director) and director.log.exists():  # gone after the teardown
            for log in sorted(director.log.parent.glob("*.log")):
                report.sections.append((f"{log.name} of {director.host.name}", log.read_text()))
            report.sections.append((f"limpetadm -Ln; -Lnc of {director.host.name}", director.everything_listed()))


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

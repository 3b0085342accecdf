# SPDX-License-Identifier: Apache-2.0
"""What XDP needs on veth, where a packet never was on a wire: `--door xdp` prepares the network with this.

XDP_TX and redirects enter a veth only if its peer runs an XDP program as well, and a checksum that the sender's stack
left to the hardware is lost on the way, so the senders have to compute theirs.
"""
import subprocess
from pathlib import Path

from namespaces import Host
from topology import Topology

PASS_ALL = 'int pass(void *context) __attribute__((section("xdp"), used)); int pass(void *context) { return 2; }\n'


def compile_pass_all(directory: Path) -> Path:
    program = directory / "pass_all.o"
    if not program.exists():
        subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-x", "c", "-c", "-", "-o", program], input=PASS_ALL,
                       text=True, check=True)
    return program


def prepare_cable(topology: Topology, port: str, host: Host, device: str, directory: Path) -> None:
    topology.switch.run("ip", "-force", "link", "set", "dev", port, "xdpdrv", "object", compile_pass_all(directory),
                        "section", "xdp")
    host.run("ethtool", "-K", device, "tx", "off")


def prepare(topology: Topology, directory: Path) -> None:
    """Harmless when it is done again."""
    for host in (topology.director, *topology.servers):
        prepare_cable(topology, f"{host.name}-lan", host, "eth0", directory)
    prepare_cable(topology, "router-lan", topology.router, "eth1", directory)
    for host in (topology.client1, topology.client2, topology.router):
        host.run("ethtool", "-K", "eth0", "tx", "off")

# SPDX-License-Identifier: Apache-2.0
"""Marks set by the user's own rules, in the three ways users have."""
from namespaces import Host
from topology import VIP

TABLES = ("mangle", "nat", "filter")


def mark_with_iptables(program: str, host: Host, mark: int, *match: str, chain="PREROUTING") -> None:
    host.run(program, "-t", "mangle", "-A", chain, *match, "-j", "MARK", "--set-mark", mark)


def mark_with_nft(host: Host, mark: int, match: str) -> None:
    host.run("nft", "-f", "-", input=f"""
        table ip marks {{
          chain prerouting {{
            type filter hook prerouting priority mangle; policy accept;
            {match} meta mark set {mark}
          }}
        }}""")


def mark_ports(tool: str, host: Host, mark: int, *ports: int) -> None:
    """Marks what comes for these TCP ports of the VIP, with "iptables-legacy", "iptables-nft" or "nft"."""
    if tool == "nft":
        mark_with_nft(host, mark, f"ip daddr {VIP} tcp dport {{ {', '.join(map(str, ports))} }}")
        return
    for port in ports:
        mark_with_iptables(tool, host, mark, "-d", VIP, "-p", "tcp", "--dport", str(port))


def forget_rules(host: Host) -> None:
    """Everything the above and a test may have added; legacy tables are only looked at once they exist."""
    host.run("nft", "flush", "ruleset")
    with host.inside(), open("/proc/net/ip_tables_names") as names:
        legacy = names.read().split()
    for table in legacy:
        host.run("iptables-legacy", "-t", table, "-F")

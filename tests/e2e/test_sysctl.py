# SPDX-License-Identifier: Apache-2.0
"""limpet sysctl, the sysctl files, and what the settings do to real connections."""
import pytest

from clients import Connection, ask, eventually
from packets import Wire, tcp_frame
from test_persistence import ONE, TWO, commands
from topology import VIP

pytestmark = pytest.mark.any_door

WEB = "-t 192.168.2.11:80"
# limpetd in a mount namespace whose /etc/sysctl.d is a directory of the test.
ITS_FILES = ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc/sysctl.d && shift && exec "$@"', "sh"]


def value(director, name: str) -> str:
    return director.limpet(f"sysctl -n net.ipv4.vs.{name}").strip()


def test_settings_are_shown_and_set_as_by_sysctl(director):
    assert director.limpet("sysctl net.ipv4.vs.conn_reuse_mode") == "net.ipv4.vs.conn_reuse_mode = 1\n"
    assert director.limpet("sysctl -w net/ipv4/vs/sloppy_tcp=1 net.ipv4.vs.conn_reuse_mode=0x3") == \
        "net.ipv4.vs.sloppy_tcp = 1\nnet.ipv4.vs.conn_reuse_mode = 0x3\n"
    assert value(director, "conn_reuse_mode") == "3"
    assert director.limpet("sysctl -w 'net.ipv4.vs.conn_reuse_mode = 1'") == "net.ipv4.vs.conn_reuse_mode = 1\n"
    everything = director.limpet("sysctl -a")
    assert "net.ipv4.vs.sloppy_tcp = 1\n" in everything and "net.ipv4.vs.sync_threshold = 3\t50\n" in everything
    assert director.limpet("sysctl net.ipv4.vs") == everything
    done = director.command("limpet", "sysctl -w net.ipv4.vs.nonesuch=1 net.ipv4.vs.drop_entry=9 net.ipv4.vs.conntrack=1 "
                                      "kernel.hostname=x net.ipv4.vs.sloppy_tcp=0")
    assert (done.returncode, done.stdout) == (1, "net.ipv4.vs.sloppy_tcp = 0\n"), "those that are right are done"
    for told in ("net.ipv4.vs.nonesuch: there is no such setting", "net.ipv4.vs.drop_entry: 9 is not from 0 to 3",
                 "net.ipv4.vs.conntrack: nothing but the default", '"kernel.hostname" is none of net.ipv4.vs.*'):
        assert told in done.stderr


def test_settings_outlive_limpetd_and_files_count_when_they_are_new(director, work):
    files = work / "sysctl.d"
    files.mkdir()
    (files / "50-ipvs.conf").write_text("net.ipv4.vs.expire_nodest_conn = 1\nnet.ipv4.vs.sloppy_tcp=1\n"
                                        "net.ipv4.vs.nonesuch=1\n-net.ipv4.vs.conntrack=1\n")
    shown = [lambda name=name: value(director, name) for name in ("expire_nodest_conn", "sloppy_tcp", "conn_reuse_mode")]
    director.unload()
    director.start(*ITS_FILES, files)
    assert [ask() for ask in shown] == ["1", "1", "1"]
    assert "50-ipvs.conf:3: net.ipv4.vs.nonesuch: there is no such setting" in director.log_since_start()
    assert "conntrack" not in director.log_since_start(), "its line begins with a minus"
    director.limpet("sysctl -w net.ipv4.vs.sloppy_tcp=0 net.ipv4.vs.conn_reuse_mode=0")
    director.kill()
    director.start(*ITS_FILES, files)
    assert [ask() for ask in shown] == ["1", "0", "0"], "what was set by hand is still in force"
    (files / "60-more.conf").write_text("net.ipv4.vs.conn_reuse_mode=2\n")
    director.stop()
    director.start(*ITS_FILES, files)
    assert [ask() for ask in shown] == ["1", "0", "2"], "only what is new in the files is put in force"
    director.unload()
    director.start(*ITS_FILES, files)
    assert [ask() for ask in shown] == ["1", "1", "2"], "new tables begin with the files"


def test_expire_nodest_conn_ends_a_removed_servers_connections(director, network):
    director.adm(*commands(WEB))
    with Connection(network.client1, 80) as first, Connection(network.client1, 80) as second:
        assert [first.who(), second.who()] == [TWO, ONE]
        director.adm(f"-d {WEB} -r 192.168.2.30")
        assert first.is_silent(0.5), "by default its packets are dropped"
        director.adm(f"-a {WEB} -r 192.168.2.30 -g")
        assert first.line() == TWO, "and it goes on with its server"
        director.limpet("sysctl -w net.ipv4.vs.expire_nodest_conn=1")
        director.adm(f"-d {WEB} -r 192.168.2.30")
        eventually(lambda: not director.connections("192.168.2.30:80"), "the connection ends in the background")
        assert second.who() == ONE
        assert not first.is_silent(2), "this host resets it"


def half_open(director) -> int:
    return len(director.connections("SYN_RECV"))


def test_the_defences_work_and_are_told(director, network):
    director.adm(*commands(WEB))
    assert ask(network.client1) == TWO
    director.limpet("sysctl -w net.ipv4.vs.amemthresh=2147483647 net.ipv4.vs.drop_packet=1")
    assert value(director, "drop_packet") == "2", "memory is short by that measure, as the value says"
    assert "drop_packet is in force" in director.limpet("status")
    assert ask(network.client1, timeout=0.3) == "silent"
    director.limpet("sysctl -w net.ipv4.vs.amemthresh=0")
    assert value(director, "drop_packet") == "1"
    assert ask(network.client1) == ONE

    wire = Wire(network.router, "eth1")
    to, own = network.director.mac(), network.router.mac("eth1")
    for port in range(2001, 2201):
        wire.send(tcp_frame(to, own, "10.1.0.77", port, VIP, 80))
    wire.socket.close()
    eventually(lambda: half_open(director) == 200)
    director.limpet("sysctl -w net.ipv4.vs.drop_entry=3")
    eventually(lambda: half_open(director) < 200, "one in 32 is dropped each second", seconds=20)
    assert "drop_entry is in force" in director.limpet("status")

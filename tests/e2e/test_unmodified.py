# SPDX-License-Identifier: Apache-2.0
"""Programs that know only IPVS, by `limpet run`: the distribution's ipvsadm, and one that speaks netlink by itself."""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import Connection, ask
from director import LISTING_HEAD
from netfilter import mark_ports
from topology import CLIENT1, CLIENT2

pytestmark = pytest.mark.any_door

PROGRAM = Path(__file__).with_name("netlink_program.py")
NO_IPVS = ("Can't initialize ipvs: Protocol not available\n"
           "Are you sure that IP Virtual Server is built in the kernel or as module?\n")
# An ipvsadm that finds no IPVS executes /sbin/modprobe, as root on this machine: there it is /bin/true.
WITHOUT_MODPROBE = ["unshare", "--mount", "sh", "-ec",
                    'if real=$(readlink -e /sbin/modprobe); then mount --bind /bin/true "$real"; fi; exec "$@"', "sh"]


def ipvsadm(director, words, host=None, program="ipvsadm", **options):
    return director.command("limpet", f"run -- {program} {words}", host=host, **options)


def ipvsadm_without_ipvs(director, words, host):
    return host.run(*WITHOUT_MODPROBE, director.programs / "limpet", "run", "--", "ipvsadm", words, check=False,
                    env=director.environment)


def each(director, *lines):
    for words in lines:
        done = ipvsadm(director, words)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_the_three_forms_of_persistence_are_set_up_by_the_distributions_ipvsadm_and_keep_clients(director, topology):
    servers = [f"-r 192.168.2.{n} -g" for n in (20, 30)]
    mark_ports("nft", topology.director, 10, 443)
    each(director, "-A -t 192.168.2.11:0 -s rr -p 600", *(f"-a -t 192.168.2.11:0 {server}" for server in servers),
         "-A -t 192.168.2.11:80 -s rr -p 600", *(f"-a -t 192.168.2.11:80 {server}" for server in servers),
         "-A -f 10 -s rr -p 600", *(f"-a -f 10 {server}" for server in servers))
    for port in (22, 80, 443):
        first, second = ask(topology.client1, port), ask(topology.client2, port)
        assert {first, second} == {"server1", "server2"}, f"round robin on port {port}"
        assert (ask(topology.client1, port), ask(topology.client2, port)) == (first, second)

    listed = ipvsadm(director, "-Ln --persistent-conn").stdout
    assert listed == director.adm("-Ln --persistent-conn")
    templates = [line.split()[3:5] for line in ipvsadm(director, "-Lnc").stdout.splitlines() if "ASSURED" in line]
    for client in (CLIENT1, CLIENT2):
        for virtual in ("192.168.2.11:0", "192.168.2.11:80", "0.0.0.10:0"):
            assert [f"{client}:0", virtual] in templates

    with Connection(topology.client1, 22, source_port=40001) as connection:
        assert connection.greeting == "server1" or connection.greeting == "server2"
        rows = ipvsadm(director, "/proc/net/ip_vs_conn", program="cat").stdout
        assert "TCP 0A010001 9C41 C0A8020B 0016 " in rows
    assert "  -> C0A80214:0050      Route   1 " in ipvsadm(director, "/proc/net/ip_vs", program="cat").stdout
    assert ipvsadm(director, "/proc/net/ip_vs_nosuch", program="cat").returncode == 1
    assert ipvsadm(director, "/proc/net/snmp", program="cat").stdout.startswith("Ip:"), "still the kernel's"

    each(director, "-Z", "-d -f 10 -r 192.168.2.20", "-C")
    assert ipvsadm(director, "-Ln").stdout == LISTING_HEAD


def test_a_long_table_is_restored_and_listed_by_the_distributions_ipvsadm(director):
    services = [f"192.168.2.11:{port}" for port in range(1000, 1200)]
    rules = "".join(f"-A -t {service} -s rr\n-a -t {service} -r 192.168.2.20:80 -g\n" for service in services)
    done = ipvsadm(director, "-R", input=rules)
    assert (done.returncode, done.stderr) == (0, "")
    assert director.adm("-Ln").count("-> 192.168.2.20:") == len(services)
    for words in ("-Ln", "-Sn"):
        assert ipvsadm(director, words).stdout == director.adm(words)


def test_refusals_are_told_as_by_the_kernel_and_without_limpetd_there_is_no_ipvs(director, topology):
    each(director, "-A -t 192.168.2.11:80 -s rr")
    before = director.adm("-Sn")
    for words, text in (("-A -t [fd00::1]:80", "Operation not supported with specified address family"),
                        ("-A --sctp-service 192.168.2.11:9", "Protocol not supported"),
                        ("-a -t 192.168.2.12:80 -r 192.168.2.20", "Service not defined"),
                        ("-A -t 192.168.2.11:80", "Service already exists")):
        done = ipvsadm(director, words)
        assert (done.returncode, done.stderr) == (255, text + "\n"), words
    assert "refused over netlink: limpet cannot carry" in director.log.read_text()

    stranger = ipvsadm(director, "--reuid 65534 --regid 65534 --clear-groups ipvsadm -C", program="setpriv")
    assert (stranger.returncode, stranger.stderr.splitlines()[0]) == (
        2, "Can't initialize ipvs: Permission denied (you must be root)")
    elsewhere = ipvsadm_without_ipvs(director, "-C", topology.client1)
    assert (elsewhere.returncode, elsewhere.stderr) == (2, NO_IPVS)
    assert director.adm("-Sn") == before

    director.stop()
    begun = time.monotonic()
    alone = ipvsadm_without_ipvs(director, "-Ln", director.host)
    assert (alone.returncode, alone.stderr) == (2, NO_IPVS)
    assert time.monotonic() - begun < 5, "it does not wait"
    assert ipvsadm(director, "/proc/net/ip_vs", program="cat").returncode == 1


def test_a_program_that_cannot_be_run_is_told_as_by_a_shell(programs):
    def run(*words):
        done = subprocess.run([programs / "limpet", "run", *words], capture_output=True, text=True)
        return done.returncode, done.stderr

    assert run("nosuch", "--option") == (127, "limpet: nosuch: not found\n")
    assert run("--", "/etc/passwd") == (126, "limpet: /etc/passwd: Permission denied\n")
    assert run("--run-dir", "/nosuch", "--", "sh", "-c", 'test "$LIMPET_RUN_DIR" = /nosuch && exit 7') == (7, "")
    told = 'test "$LIMPET_RUN_DIR" = "$PWD/there" && exit 8'
    before = subprocess.run([programs / "limpet", "--run-dir=/nosuch", "run", "--run-dir=there", "sh", "-c", told])
    assert before.returncode == 8, "a directory of its own has the last word, and becomes absolute"
    for nothing in ([], ["--"], ["--run-dir", "/nosuch"]):
        assert run(*nothing) == (1, "limpet: run: no program is given\n")
    for nowhere in (["--run-dir="], ["--run-dir", ""], ["--run-dir", "-x"]):
        assert run(*nowhere, "true")[0] == 1, "the current directory is not meant"
    assert run("-x") == (127, "limpet: -x: not found\n")
    assert run("--help")[0] == 0


def test_a_program_that_the_library_is_not_loaded_into_is_not_run(programs):
    def refused(program, *user):
        done = subprocess.run([*user, programs / "limpet", "run", program], capture_output=True, text=True)
        return done.returncode == 126 and done.stderr == (
            f"limpet: {program} {why}: the library that leads it to limpetd cannot be loaded\n")

    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o755)
        why = "is statically linked"
        static = place / "static"
        subprocess.run(["cc", "-static", "-nostdlib", "-x", "c", "-", "-o", static], input=b"void _start(void) {}", check=True)
        assert refused(static)

        plain = place / "true"
        shutil.copy("/bin/true", plain)
        why = "is a 32-bit program"
        narrow = place / "narrow"
        image = bytearray(plain.read_bytes())
        image[4] = 1  # EI_CLASS, ELFCLASS32
        narrow.write_bytes(image)
        narrow.chmod(0o755)
        assert refused(narrow)

        why = "runs as another user or group"
        for owner, group, mode in ((65534, 0, 0o4755), (0, 65534, 0o2755)):
            os.chown(plain, owner, group)
            plain.chmod(mode)
            assert refused(plain)

        os.chown(plain, 0, 0)
        why = "has file capabilities"
        os.setxattr(plain, "security.capability", struct.pack("<5I", 0x02000001, 1 << 12, 0, 0, 0))  # CAP_NET_ADMIN
        assert refused(plain, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
        assert not refused(plain), "root has them anyway"


def test_fortified_programs_read_the_files_of_proc(director, tmp_path):
    director.adm("-A -t 192.168.2.11:80 -s rr")
    source = Path(__file__).with_name("fortified_program.c")
    for options in ([], ["-D_FILE_OFFSET_BITS=64"]):
        program = tmp_path / "fortified"
        subprocess.run(["cc", "-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", *options, source, "-o", program], check=True)
        used = subprocess.run(["nm", "-D", "--undefined-only", program], capture_output=True, text=True, check=True).stdout
        for name in ("__open64_2", "__openat64_2") if options else ("__open_2", "__openat_2"):
            assert f" {name}@" in used
        for way in ("open", "openat", "fopen", "read"):
            done = ipvsadm(director, f"{way} /proc/net/ip_vs", program=program)
            assert (done.returncode, "TCP  C0A8020B:0050 rr" in done.stdout) == (0, True), way
            assert ipvsadm(director, f"{way} /proc/net/ip_vs_nosuch", program=program).returncode == 1
            done = ipvsadm(director, f"{way} /proc/net/snmp", program=program)
            assert done.stdout.startswith("Ip:"), "still the kernel's"


def test_one_netlink_socket_is_polled_copied_inherited_and_goes_on_with_a_limpetd_started_again(director):
    with director.host.start(director.programs / "limpet", "run", sys.executable, PROGRAM, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True, env=director.environment) as program:
        def does(line):
            program.stdin.write(line + "\n")
            program.stdin.flush()
            return program.stdout.readline().strip()

        assert does("family nlctrl") == "found", "another family, before"
        assert does("family IPVS") == "found"
        assert does("info") == "0x10201"
        assert does("family nlctrl") == "found", "another family, after"
        assert does("family limpetnosuch") == "ENOENT"
        assert (does("info"), does("ready"), does("child"), does("copy")) == ("0x10201", "ready", "exit 0", "0x10201")
        assert does("buffers") == "whole"
        assert does("threads") == "400 {'0x10201'}"
        assert does("forgotten") == "0x10201"
        assert (does("dropped"), does("info")) == ("EINVAL", "0x10201")
        with ExitStack() as idle:
            for _ in range(300):  # more than there is room for
                idle.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)).connect(
                    str(director.run_directory / "ipvs.sock"))
            assert (does("info"), does("family IPVS"), does("info")) == ("0x10201", "found", "0x10201")
        director.restart_daemon()
        assert does("info") == "0x10201"
        director.stop()
        director.launch()
        assert does("info") == "0x10201", "it waits a moment for a daemon that is about to be there"
        director.eventually_ready()
        director.kill()
        assert does("info") == "EINVAL", "keepalived takes ENOENT for success when it deletes"
        assert does("family IPVS") == "ENOENT", "the kernel says so, in its own words"
        director.start()
        assert (does("family IPVS"), does("info")) == ("found", "0x10201")
        assert does("capped") == "found 0x10201"
        assert does("family nlctrl") == "found"
        program.stdin.close()

# SPDX-License-Identifier: Apache-2.0
"""What a script written for ipvsadm does, by ipvsadm's names; and what limpetadm adds to it."""
import re
import subprocess

import pytest

from clients import Connection, eventually
from director import LISTING_HEAD

pytestmark = pytest.mark.any_door

HTTP = "-t 192.168.2.11:80"


def names(director, work):
    """ipvsadm's names in a directory of their own, as they are installed."""
    directory = work / "ipvs-names"
    directory.mkdir(exist_ok=True)
    for name in ("ipvsadm", "ipvsadm-save", "ipvsadm-restore"):
        link = directory / name
        if not link.exists():
            link.symlink_to(director.programs / "limpetadm")
    return directory


def by_name(director, directory, script, text=""):
    """A shell script that finds limpetadm where it looks for ipvsadm."""
    environment = {**director.environment, "PATH": f"{directory}:/usr/bin:/bin"}
    return director.host.run("sh", "-ec", script, input=text, check=False, env=environment)


def test_a_script_for_ipvsadm_runs_by_the_name_alone(director, work):
    script = f"""
        ipvsadm -C
        ipvsadm -A {HTTP} -s rr -p 600
        ipvsadm -a {HTTP} -r 192.168.2.20 -g
        ipvsadm -a {HTTP} -r 192.168.2.30 -g -w 3
        ipvsadm -A -f 10 -s wlc
        ipvsadm-save -n > rules
        ipvsadm -C
        ipvsadm -Ln | tail -n +4
        (echo '# saved by cron'; cat rules) | ipvsadm-restore
        ipvsadm --set 700 0 0
        ipvsadm -L --timeout
        ipvsadm -Ln
        rm rules
    """
    done = by_name(director, names(director, work), f"cd {work}; {script}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("Timeout (tcp tcpfin udp): 700 120 300\n" + LISTING_HEAD +
                           "TCP  192.168.2.11:80 rr persistent 600\n"
                           "  -> 192.168.2.20:80              Route   1      0          0         \n"
                           "  -> 192.168.2.30:80              Route   3      0          0         \n"
                           "FWM  10 wlc\n")


def test_by_ipvsadms_name_a_restore_goes_on_after_a_refusal_and_ends_at_a_comment(director, work):
    directory = names(director, work)
    rules = f"-D {HTTP}\n-A {HTTP} -s rr\n"
    done = by_name(director, directory, "ipvsadm -R", rules)
    assert (done.returncode, done.stderr) == (0, "No such service\n")
    done = by_name(director, directory, "ipvsadm -R", "# a comment\n-C\n")
    assert done.returncode == 255
    assert director.adm("-Sn") == f"-A {HTTP} -s rr\n"


def test_an_atomic_restore_is_all_or_nothing_and_names_the_bad_line(director):
    director.adm(f"-A {HTTP} -s rr", f"-a {HTTP} -r 192.168.2.20 -g")
    before = director.adm("-Sn")

    def restore(rules):
        done = director.command("limpetadm", "-R --atomic", input=rules)
        return done.returncode, done.stderr

    good = f"-C\n-A {HTTP} -s wrr\n# a comment\n-a {HTTP} -r 192.168.2.30 -g -w 7\n-A -f 10 -s rr\n"
    assert restore(good + "-A -f 10\n") == (255, "line 6: -A -f 10: Service already exists\n")
    assert restore(good + "-A -f 11 -w 1\n") == (
        2, "line 6: -A -f 11 -w 1: Illegal 'weight' option with the 'add-service' command\n")
    assert restore(good + "-A -f 11 -6\n") == (255, "line 6: -A -f 11 -6: limpet cannot carry IPv6 yet: fwm6/11\n")
    assert restore(good + "--start-daemon master --mcast-interface nosuch0\n")[1].endswith(": No such device\n")
    assert director.adm("-Sn") == before

    assert restore(good) == (0, "")
    after = f"-A {HTTP} -s wrr\n-a {HTTP} -r 192.168.2.30:80 -g -w 7\n-A -f 10 -s rr\n"
    assert director.adm("-Sn") == after
    director.kill()
    director.start()
    assert director.adm("-Sn") == after, "it is in the journal, too"


def test_a_service_that_an_atomic_restore_leaves_as_it_is_goes_on_serving_and_counting(director, topology):
    rules = f"-A {HTTP} -s rr -p 600\n-a {HTTP} -r 192.168.2.20 -g\n-a {HTTP} -r 192.168.2.30 -g\n"
    assert director.command("limpetadm", "-R --atomic", input=rules).returncode == 0
    with Connection(topology.client1, 80) as connection:
        first = connection.who()
        assert director.command("limpetadm", "-R --atomic", input="-C\n" + rules).returncode == 0
        assert connection.who() == first, "the connection goes on"
    with Connection(topology.client1, 80) as connection:
        assert connection.who() == first, "and so does persistence"
    eventually(lambda: re.search(r"192\.168\.2\.11:80 +2 ", director.adm(f"-Ln --stats {HTTP}")))


def many(count):
    """Rules for so many services with a server each, in the order in which they are saved."""
    lines = []
    for i in range(count):
        service = f"-t 10.9.{i // 250}.{1 + i % 250}:80"
        lines += [f"-A {service} -s rr\n", f"-a {service} -r 192.168.2.20:80 -g -w 1\n"]
    return lines


def test_a_table_of_thousands_is_cleared_and_zeroed_and_comes_back(director):
    rules = "".join(many(3000))
    for option in ("", " --atomic"):
        done = director.command("limpetadm", "-R" + option, input=rules)
        assert (done.returncode, done.stderr) == (0, "")
        assert director.adm("-Sn") == rules
        director.adm("-Z", "-C")
        assert director.adm("-Sn") == ""
        assert director.adm("-Ln") == LISTING_HEAD


def test_other_changes_come_between_a_long_atomic_restore_and_both_are_there(director):
    rules = many(4000)
    path = director.state_directory / "rules"
    path.write_text("-C\n" + "".join(rules))
    director.adm(f"-A {HTTP} -s rr")
    with path.open() as text:
        restore = director.host.start(director.programs / "limpetadm", "-R", "--atomic", stdin=text,
                                      env=director.environment)
    mark = 0
    while restore.poll() is None:
        mark += 1
        director.adm(f"-A -f {mark} -s rr")
    assert restore.returncode == 0
    saved = director.adm("-Sn").splitlines(keepends=True)
    assert [line for line in saved if " -t " in line] == rules
    # Marks that came before the swap went with -C; the later ones are there.
    assert set(saved) - set(rules) <= {f"-A -f {each} -s rr\n" for each in range(1, mark + 1)}
    director.kill()
    director.start()
    assert director.adm("-Sn").splitlines(keepends=True) == saved


def test_an_atomic_restore_whose_client_goes_away_is_whole_or_has_changed_nothing(director):
    director.adm(f"-A {HTTP} -s rr")
    before, rules = director.adm("-Sn"), many(3000)
    path = director.state_directory / "rules"
    path.write_text("-C\n" + "".join(rules))
    for wait in (0.0, 0.05, 0.1, 0.2, 0.4, 0.8):
        with path.open() as text:
            restore = director.host.start(director.programs / "limpetadm", "-R", "--atomic", stdin=text,
                                          env=director.environment)
        try:
            restore.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            restore.kill()
            restore.wait()
        assert director.adm("-Sn") in (before, "".join(rules))
        director.adm("-C", f"-A {HTTP} -s rr")
        assert director.adm("-Sn") == before


def test_synchronisation_daemons_are_kept_listed_and_said_to_do_nothing_yet(director):
    interface = "eth0"
    director.adm(f"--start-daemon master --mcast-interface {interface} --syncid 5",
                 f"--start-daemon backup --mcast-interface {interface} --mcast-port 9000")
    listed = (f"master sync daemon (mcast={interface}, syncid=5, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
              f"backup sync daemon (mcast={interface}, syncid=0, maxlen=1472, group=224.0.0.81, port=9000, ttl=1)\n")
    assert director.adm("-L --daemon") == listed
    for words, message in ((f"--start-daemon master --mcast-interface {interface}", "Daemon has already run"),
                           ("--start-daemon master --mcast-interface nosuch0", "No such device")):
        done = director.command("limpetadm", words)
        assert (done.returncode, done.stderr) == (255, message + "\n")
    assert "synchronised yet" in director.limpet("status")
    director.stop()
    director.start()
    assert director.adm("-L --daemon") == listed
    director.adm("--stop-daemon master", "--stop-daemon backup")
    done = director.command("limpetadm", "--stop-daemon backup")
    assert (done.returncode, done.stderr) == (255, "No daemon is running\n")
    assert director.adm("-L --daemon") == ""

# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` puts where: ipvsadm's names beside the distribution's, and completion."""
import subprocess

import pytest

pytestmark = pytest.mark.any_door


@pytest.fixture(scope="module")
def installed(programs, work):
    """The installed tree, below a directory of its own."""
    subprocess.run(["cmake", "--install", programs.parent, "--prefix", work / "installed"], check=True,
                   stdout=subprocess.DEVNULL)
    return work / "installed"


def alternatives(installed, directory, what):
    for name in ("alternatives", "admin", "sbin"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LINKS": str(directory / "sbin"),
                   "ALTERNATIVES": f"update-alternatives --altdir {directory}/alternatives --admindir {directory}/admin "
                                   f"--log {directory}/log"}
    return subprocess.run([installed / "lib/limpet/ipvs-alternatives", what], env=environment, capture_output=True,
                          text=True)


def test_limpet_finds_its_commands_and_its_library(installed):
    def limpet(*words):
        return subprocess.run([installed / "bin/limpet", *words], capture_output=True, text=True, check=True).stdout

    assert limpet("-V").startswith("limpet ")
    assert f"LD_PRELOAD={installed}/lib/limpet/liblimpet-ipvs.so" in limpet("run", "env").splitlines()


def test_ipvsadms_names_are_installed_aside_and_work(installed):
    directory = installed / "lib/limpet/ipvs-names"
    assert sorted(path.name for path in directory.iterdir()) == ["ipvsadm", "ipvsadm-restore", "ipvsadm-save"]
    shown = subprocess.run([directory / "ipvsadm", "-v"], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("ipvsadm v1.31 (limpetadm ")
    assert not (installed / "sbin/ipvsadm").exists()


def test_the_alternatives_group_comes_and_goes(installed, work):
    directory = work / "group"
    assert alternatives(installed, directory, "install").returncode == 0
    links = directory / "sbin"
    for name in ("ipvsadm", "ipvsadm-save", "ipvsadm-restore"):
        assert (links / name).resolve() == (installed / "sbin/limpetadm").resolve()
    assert alternatives(installed, directory, "remove").returncode == 0
    assert list(links.iterdir()) == []


def test_a_file_of_another_package_is_never_replaced(installed, work):
    directory = work / "owned"
    (directory / "sbin").mkdir(parents=True)
    (directory / "sbin/ipvsadm-save").write_text("the distribution's\n")
    refused = alternatives(installed, directory, "install")
    assert refused.returncode == 1
    assert "stays" in refused.stderr and "PATH=" in refused.stderr
    assert (directory / "sbin/ipvsadm-save").read_text() == "the distribution's\n"
    assert not (directory / "sbin/ipvsadm").is_symlink()


def completed(installed, director, program, *words):
    """What bash offers for the last word."""
    script = f"""
        . {installed}/share/bash-completion/completions/{program}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _limpetadm {director.programs}/limpetadm
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return director.host.run("bash", "-c", script, "bash", program, *words,
                             env=director.environment).stdout.split()


def test_bash_completes_commands_options_and_what_is_configured(installed, director):
    director.adm("-A -t 192.168.2.11:80 -s rr", "-a -t 192.168.2.11:80 -r 192.168.2.20 -g", "-A -f 10 -s rr")
    assert completed(installed, director, "limpetadm", "--add") == ["--add-service", "--add-server"]
    assert completed(installed, director, "limpetadm", "-A", "--sched") == ["--scheduler", "--sched-flags"]
    assert completed(installed, director, "limpetadm", "-D", "-t", "") == ["192.168.2.11:80"]
    assert completed(installed, director, "limpetadm", "-D", "-f", "") == ["10"]
    assert completed(installed, director, "limpetadm", "-d", "-t", "192.168.2.11:80", "-r", "") == ["192.168.2.20:80"]
    assert completed(installed, director, "ipvsadm", "--start-daemon", "") == ["master", "backup"]

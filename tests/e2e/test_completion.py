# SPDX-License-Identifier: Apache-2.0
"""What bash completes after limpet and limpetd is what their help names."""
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_door

COMPLETIONS = Path(__file__).resolve().parents[2] / "packaging/completions"


def completed(program: str, *words: str) -> list[str]:
    """The candidates for the last word, as bash has them."""
    script = f'source {COMPLETIONS / program}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _{program}; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-uec", script, "bash", program, *words], check=True, capture_output=True, text=True)
    return done.stdout.split()


def long_options(programs: Path, program: str, *words: str) -> set[str]:
    done = subprocess.run([programs / program, *words, "--help"], check=True, capture_output=True, text=True)
    return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", done.stdout, re.MULTILINE))


def subcommands(programs: Path) -> set[str]:
    done = subprocess.run([programs / "limpet", "--help"], check=True, capture_output=True, text=True)
    return set(re.findall(r"^  ([a-z-]+) ", done.stdout.split("Subcommands:")[1].split("\n\n")[0], re.MULTILINE))


def test_limpets_subcommands_and_options_are_completed(programs):
    assert set(completed("limpet", "")) == subcommands(programs) | long_options(programs, "limpet")
    assert completed("limpet", "se") == ["services", "sessions"]


def test_each_subcommands_options_are_completed(programs):
    for subcommand in subcommands(programs):
        options = long_options(programs, "limpet", subcommand) | {"--run-dir"}
        assert set(completed("limpet", subcommand, "--")) == options, subcommand
        assert set(completed("limpet", "--run-dir", "/tmp", subcommand, "--")) == options, subcommand


def test_what_only_the_user_knows_is_not_guessed():
    assert completed("limpet", "sessions", "--client", "") == []


def test_limpetds_options_and_their_values_are_completed(programs):
    assert set(completed("limpetd", "--")) == long_options(programs, "limpetd")
    assert completed("limpetd", "--door", "x") == ["xdp"]
    assert completed("limpetd", "--log-level", "") == ["trace", "debug", "info", "warning", "error"]
    assert "lo" in completed("limpetd", "--interface", "")


@pytest.mark.parametrize("program", ["limpet", "limpetd"])
def test_directories_are_completed(program, tmp_path):
    (tmp_path / "there").mkdir()
    assert completed(program, "--run-dir", f"{tmp_path}/t") == [f"{tmp_path}/there"]

# SPDX-License-Identifier: Apache-2.0
"""keepalived as Debian distributes it, in a director: it reaches limpetd as every program that was written for IPVS."""
import os
import re
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from director import Director

PAGE = Path(__file__).resolve().parents[2] / "docs/keepalived.md"


def example(language: str) -> str:
    """The page's first block in this language: what is written there is what is tested."""
    return re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]


class Keepalived:
    def __init__(self, director: Director, configuration: str):
        self.director = director
        self.directory = director.log.parent
        self.file = self.directory / "keepalived.conf"
        self.log = self.directory / "keepalived.log"
        self.process: subprocess.Popen | None = None
        self.write(configuration)

    def write(self, configuration: str) -> None:
        self.file.write_text(configuration)

    def start(self) -> None:
        pid_files = [word for option, name in (("-p", "parent"), ("-c", "checker"), ("-r", "vrrp"))
                     for word in (option, self.directory / f"keepalived-{name}.pid")]
        with self.log.open("a") as log:
            self.process = self.director.host.start(
                self.director.programs / "limpet", "run", "--", "/usr/sbin/keepalived", "--dont-fork", "--log-console",
                "--log-detail", "--no-syslog", "-f", self.file, *pid_files, stdout=log, stderr=log,
                env=self.director.environment)

    def reload(self, configuration: str) -> None:
        """A new file, and SIGHUP as `systemctl reload` sends it."""
        self.write(configuration)
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """SIGTERM, as `systemctl stop` sends it."""
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0

    def kill(self) -> None:
        """kill -9 of all its processes: nothing is taken back. A child that sees its parent die would do that."""
        pid_files = [self.directory / f"keepalived-{name}.pid" for name in ("checker", "vrrp", "parent")]
        children = [int(path.read_text()) for path in pid_files[:2] if path.exists()]
        for child in children:
            os.kill(child, signal.SIGSTOP)
        self.process.kill()
        self.process.wait()
        for child in children:
            os.kill(child, signal.SIGKILL)
        for path in pid_files:  # /run is empty after a crash of the host
            path.unlink(missing_ok=True)


@contextmanager
def running_keepalived(director: Director, configuration: str):
    subject = Keepalived(director, configuration)
    subject.start()
    try:
        yield subject
    finally:
        if subject.process.poll() is None:
            subject.process.terminate()
            subject.process.wait(timeout=10)


Table = dict[str, dict[str, str]]


def table(director: Director) -> Table:
    """What unmodified ipvsadm lists: of each service its servers, each with its method and weight."""
    services: Table = {}
    for line in director.limpet("run -- ipvsadm -Ln").splitlines()[3:]:
        if line.startswith("  -> "):
            server, method, weight = line.split()[1:4]
            services[service][server] = f"{method} {weight}"
        else:
            service = line.strip()
            services[service] = {}
    return services

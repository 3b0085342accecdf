# SPDX-License-Identifier: Apache-2.0
"""Real parts on the real servers: nginx with certificates of an own authority, and sshd; curl and ssh to ask them."""
import random
import re
import subprocess
from contextlib import suppress
from pathlib import Path

from clients import Connection, eventually
from namespaces import Host
from topology import VIP, Topology

SITE = "www.limpet.test"
PRIVILEGE_SEPARATION = Path("/run/sshd")  # compiled into Debian's sshd
MADE_HERE = PRIVILEGE_SEPARATION / ".made-by-limpet-tests"  # by a run of these tests: the last one takes it away

NGINX = """\
daemon off;
worker_processes 1;
user www-data;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  ssl_certificate {directory}/site.pem;
  ssl_certificate_key {directory}/site.key;
  server {{
    listen 80;
    listen 443 ssl;
    location / {{ return 200 "{name}\\n"; }}
    location = /big {{ default_type application/octet-stream; alias {common}/big; }}
  }}
}}
"""

SSHD = """\
Port 22
HostKey {directory}/host_key
AuthorizedKeysFile {common}/client_key.pub
PidFile {directory}/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes yes
UsePAM {pam}
PrintMotd no
ForceCommand echo {name}
"""


class RealServers:
    """nginx and sshd on server1 and server2. The directory must be writable by root alone, up to /: StrictModes."""

    def __init__(self, topology: Topology, directory: Path):
        self.topology, self.directory = topology, directory
        self.web_servers: dict[Host, subprocess.Popen] = {}
        self.needs_privilege_separation = PRIVILEGE_SEPARATION / f".{topology.prefix}"
        self.big_file = directory / "big"  # the same on both

    def __enter__(self):
        self.directory.mkdir(mode=0o755, exist_ok=True)
        if not PRIVILEGE_SEPARATION.exists():
            PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
            MADE_HERE.touch()
        self.needs_privilege_separation.touch()
        self.big_file.write_bytes(random.Random(0).randbytes(4_000_000))
        self._make_authority()
        self._make_key(self.directory / "client_key")
        hosts = [self.topology.server1, self.topology.server2]
        for host in hosts:
            self._start(host)
        for host in hosts:
            for port in (80, 443, 22):
                eventually(lambda: self._listens(host, port), f"{host.name} listens on {port}")
        return self

    def __exit__(self, *_):
        for host in (self.topology.server1, self.topology.server2):
            host.stop()
        self.needs_privilege_separation.unlink()
        if list(PRIVILEGE_SEPARATION.iterdir()) == [MADE_HERE]:
            with suppress(OSError):  # another run ends in this moment, or begins
                MADE_HERE.unlink()
                PRIVILEGE_SEPARATION.rmdir()

    def _openssl(self, *words) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def _make_authority(self) -> None:
        self._openssl("req", "-x509", "-newkey", "rsa:3072", "-nodes", "-sha256", "-days", 30, "-subj",
                      "/CN=Limpet test authority", "-keyout", self.directory / "ca.key", "-out",
                      self.directory / "ca.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def _make_certificate(self, directory: Path) -> None:
        """As the classic guides have it: a key and a request on the server, signed by the authority."""
        extensions = directory / "site.ext"
        extensions.write_text(f"subjectAltName=DNS:{SITE},IP:{VIP}\nextendedKeyUsage=serverAuth\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-subj", f"/CN={SITE}", "-keyout",
                      directory / "site.key", "-out", directory / "site.csr")
        self._openssl("x509", "-req", "-sha256", "-days", 30, "-in", directory / "site.csr", "-CA",
                      self.directory / "ca.pem", "-CAkey", self.directory / "ca.key", "-CAcreateserial", "-extfile",
                      extensions, "-out", directory / "site.pem")

    def _make_key(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "limpet test", "-f", path], check=True)

    def _start(self, host: Host) -> None:
        directory = self.directory / host.name
        directory.mkdir(mode=0o755, exist_ok=True)
        self._make_certificate(directory)
        self._make_key(directory / "host_key")
        with (self.directory / "known_hosts").open("a") as known:
            known.write(f"real-server {(directory / 'host_key.pub').read_text()}")
        words = {"directory": directory, "common": self.directory, "name": host.name, "pam": _pam()}
        (directory / "nginx.conf").write_text(NGINX.format(**words))
        (directory / "sshd_config").write_text(SSHD.format(**words))
        self._launch_web(host)
        with (directory / "log").open("a") as log:
            host.start("/usr/sbin/sshd", "-D", "-e", "-f", directory / "sshd_config", stdout=log, stderr=log)

    def _launch_web(self, host: Host) -> None:
        directory = self.directory / host.name
        with (directory / "log").open("a") as log:
            self.web_servers[host] = host.start("/usr/sbin/nginx", "-e", directory / "nginx.log", "-c",
                                                directory / "nginx.conf", stdout=log, stderr=log)

    def stop_web(self, host: Host) -> None:
        """nginx is gone: its ports refuse connections."""
        self.web_servers[host].terminate()
        self.web_servers[host].wait(timeout=5)

    def start_web(self, host: Host) -> None:
        """After stop_web(); where nginx runs, nothing is done."""
        if self.web_servers[host].poll() is not None:
            self._launch_web(host)
        eventually(lambda: self._listens(host, 443), f"{host.name} listens again")

    def _listens(self, host: Host, port: int) -> bool:
        return f":{port} " in host.run("ss", "-Hltn").stdout

    # The questions; each returns the name of the server that answered.

    def http(self, client: Host, to=VIP) -> str:
        return self._curl(client, f"http://{SITE}/", to, 80)

    def https(self, client: Host, to=VIP) -> str:
        return self._curl(client, f"https://{SITE}/", to, 443)

    def http_again(self, connection: Connection) -> str:
        """One more request on a connection that stays open."""
        connection.say(f"GET / HTTP/1.1\r\nHost: {SITE}\r\n\r")
        while connection.line():
            pass
        return connection.line()

    def ssh(self, client: Host, to=VIP) -> str:
        key, known_hosts = self.directory / "client_key", self.directory / "known_hosts"
        options = ["-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oHostKeyAlias=real-server", "-oConnectTimeout=3",
                   "-oIdentitiesOnly=yes", "-oLogLevel=ERROR", f"-oUserKnownHostsFile={known_hosts}"]
        return client.run("ssh", "-F", "none", "-i", key, *options, f"root@{to}").stdout.strip()

    def _curl(self, client: Host, url: str, to: str, port: int) -> str:
        return client.run("curl", "-sS", "--max-time", 5, "--noproxy", "*", "--cacert", self.directory / "ca.pem",
                          "--resolve", f"{SITE}:{port}:{to}", url).stdout.strip()


def _pam() -> str:
    """No PAM where it can be: but without it, sshd refuses a locked account even with a key, and some images lock root."""
    fields = re.search(r"^root:([^:]*)", Path("/etc/shadow").read_text(), re.MULTILINE)
    return "yes" if fields and fields[1].startswith("!") else "no"

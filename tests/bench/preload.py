#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the distribution's ipvsadm costs with limpetd in the kernel's place, beside the same to the kernel's ip_vs.

Usage: preload.py DIRECTORY-OF-THE-PROGRAMS [ROUNDS]

Each side is a process in network namespaces of its own. A round has every command carried out on both sides, on tables
that have never seen its services. The medians of all rounds are shown, and their ratio. The time is that of a command
from its start to its end, as its user waits for it.
"""
import ctypes
import os
import pickle
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_NETWORK, NEW_MOUNTS = 0x40000000, 0x00020000
REPEATS = 10  # of a command that is over in a millisecond, in a round
SERVERS = 3  # of each service
SERVICES_LISTED = 100
SERVICES_RESTORED = 75  # with their servers, 300 lines
BY_HAND = "limpet run ipvsadm"
IPVSADM = shutil.which("ipvsadm", path="/usr/sbin:/sbin") or sys.exit("the distribution's ipvsadm is not installed")


def shell(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)


def unshare(what):
    if LIBC.unshare(what) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def rules(first, services):
    """As for ipvsadm -R: so many services, each with its servers."""
    lines = []
    for number in range(first, first + services):
        service = f"-t 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:80"
        lines.append(f"-A {service} -s wlc\n")
        lines += [f"-a {service} -r 192.0.2.{server}:80 -m -w 1\n" for server in range(10, 10 + SERVERS)]
    return "".join(lines)


class Side:
    """How to have commands carried out: by the kernel."""

    by_hand = ()  # the words before a command that somebody types in a shell of his own

    def __init__(self, directory):
        self.directory = directory
        self.environment = dict(os.environ)

    def begin_round(self):
        """A new namespace: what the kernel keeps of servers that are gone slows no later round down."""
        unshare(NEW_NETWORK)
        make_network()

    def end_round(self):
        pass

    def end(self):
        pass

    def timed(self, *words, lines=None, by_hand=False):
        """Seconds until the command had ended."""
        inputs = "/dev/null"
        if lines is not None:
            inputs = f"{self.directory}/rules"
            with open(inputs, "w", encoding="ascii") as file:
                file.write(lines)
        files = [(os.POSIX_SPAWN_OPEN, 0, inputs, os.O_RDONLY, 0),
                 (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        command = [*(self.by_hand if by_hand else ()), IPVSADM, *words]
        environment = os.environ if by_hand else self.environment
        begin = time.perf_counter()
        child = os.posix_spawn(command[0], command, environment, file_actions=files)
        status = os.waitpid(child, 0)[1]
        seconds = time.perf_counter() - begin
        if status != 0:
            raise RuntimeError(f"ipvsadm {' '.join(words)}: status {status}")
        return seconds

    def round(self, number):
        """Seconds by the row's name."""
        self.begin_round()
        first = 1 + number * 1000
        times = {}

        def take(row, *words, **options):
            times.setdefault(row, []).append(self.timed(*words, **options))

        for one in range(first, first + REPEATS):
            service = ("-t", f"10.{one >> 16 & 255}.{one >> 8 & 255}.{one & 255}:80")
            server = (*service, "-r", "192.0.2.10:80")
            self.timed("-C")
            take("-A", "-A", *service, "-s", "wlc")
            take("-a", "-a", *server, "-m", "-w", "1")
            take("-e", "-e", *server, "-m", "-w", "2")
            take("-Ln", "-Ln")
            take("-d", "-d", *server)
            take(f"{BY_HAND} -Ln", "-Ln", by_hand=True)
        self.timed("-C")
        first += REPEATS
        take(f"-R of {SERVICES_RESTORED * (1 + SERVERS)} lines", "-R", lines=rules(first, SERVICES_RESTORED))
        first += SERVICES_RESTORED
        self.timed("-R", lines=rules(first, SERVICES_LISTED - SERVICES_RESTORED))
        for _ in range(2):
            take(f"-Ln of {SERVICES_LISTED} services", "-Ln")
        self.timed("-C")
        self.end_round()
        return {row: statistics.median(values) for row, values in times.items()}


class LimpetSide(Side):
    """... by a limpetd."""

    def __init__(self, directory, programs):
        super().__init__(directory)
        self.programs = programs
        self.by_hand = (f"{programs}/limpet", "run")
        unshare(NEW_NETWORK | NEW_MOUNTS)
        shell("mount --make-rprivate /; mount -t sysfs none /sys")
        make_network()
        os.environ["LIMPET_RUN_DIR"] = f"{directory}/run"
        self.limpetd = subprocess.Popen(
            [f"{programs}/limpetd", "--run-dir", f"{directory}/run", "--state-dir", f"{directory}/state"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.come_up()
        except BaseException:
            self.end()
            raise
        self.end_round()

    def come_up(self):
        programs = self.programs
        until = time.monotonic() + 60
        while subprocess.run([f"{programs}/limpetadm", "-L"], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until:
                raise RuntimeError("limpetd has not come up")
            time.sleep(0.05)
        # What `limpet run` gives the program that it starts, and this to its own.
        listed = subprocess.run([f"{programs}/limpet", "run", "env", "-0"], capture_output=True, text=True, check=True)
        self.environment = dict(line.split("=", 1) for line in listed.stdout.split("\0") if line)

    def begin_round(self):
        self.limpetd.send_signal(signal.SIGCONT)

    def end_round(self):
        """What a limpetd does of its own accord is no part of what the kernel's commands cost."""
        self.limpetd.send_signal(signal.SIGSTOP)

    def end(self):
        self.begin_round()
        subprocess.run([f"{self.programs}/limpet", "unload"], check=False)
        try:
            self.limpetd.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.limpetd.kill()
            self.limpetd.wait()


def make_network():
    """The servers have a way, behind which nobody is."""
    shell("""ip link set lo up; ip link add in0 type veth peer name far0; ip link set far0 up; ip link set in0 up
        ip addr add 192.0.2.1/24 dev in0""")


def in_a_child(make):
    """A side in a process of its own, ready; how to have it do a round, and to end."""
    ask_read, ask = os.pipe()
    answer_read, answer_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ask)
        with tempfile.TemporaryDirectory(prefix="limpet-bench-") as directory, \
                os.fdopen(answer_write, "wb") as answer, os.fdopen(ask_read, "rb") as questions:
            side = make(directory)
            pickle.dump(None, answer)
            answer.flush()
            try:
                while (number := questions.readline().strip()) not in (b"", b"end"):
                    pickle.dump(side.round(int(number)), answer)
                    answer.flush()
            finally:
                side.end()
        os._exit(0)
    os.close(ask_read)
    os.close(answer_write)
    answers = os.fdopen(answer_read, "rb")

    def hear():
        try:
            return pickle.load(answers)
        except EOFError:
            sys.exit("a side failed")

    def do_round(number):
        os.write(ask, f"{number}\n".encode())
        return hear()

    def end():
        os.write(ask, b"end\n")
        os.waitpid(child, 0)

    hear()
    return do_round, end


def kernel_has_ip_vs():
    if not os.path.exists("/proc/net/ip_vs") and shutil.which("modprobe", path="/usr/sbin:/sbin"):
        for module in ("ip_vs", "ip_vs_wlc"):
            subprocess.run(["/sbin/modprobe", "-q", module], check=False)
    return os.path.exists("/proc/net/ip_vs")


def main():
    programs = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    sides = {"limpetd": in_a_child(lambda directory: LimpetSide(directory, programs))}
    if kernel_has_ip_vs():
        sides["kernel"] = in_a_child(Side)
    else:
        print("This kernel has no ip_vs to compare with: limpetd's times stand alone.")
    times = {name: [] for name in sides}
    for number in range(rounds):
        for name, (do_round, _) in sides.items():
            times[name].append(do_round(number))
    for _, end in sides.values():
        end()
    print(f"{'ipvsadm':24}" + "".join(f"{name:>12}" for name in sides) + (f"{'ratio':>8}" if len(sides) == 2 else ""))
    for row in times["limpetd"][0]:
        medians = [statistics.median(one[row] for one in times[name]) * 1e6 for name in sides]
        ratio = f"{medians[0] / medians[1]:8.2f}" if len(medians) == 2 else ""
        print(f"{row:24}" + "".join(f"{value:9.0f} us" for value in medians) + ratio)


if __name__ == "__main__":
    main()

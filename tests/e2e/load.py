# SPDX-License-Identifier: Apache-2.0
"""What goes on beside a scenario: clients that ask all the time and remember who answered; limpetd killed again and
again."""
import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from clients import ask
from topology import SERVERS


@dataclass
class Answer:
    """One request: who asked what, when it began and ended, and the server's name or what went wrong."""

    client: str
    port: int
    began: float
    ended: float
    server: str

    @property
    def failed(self) -> bool:
        return self.server not in SERVERS


class Load:
    """Some threads, each asking for one client after the other until the end of the block."""

    def __init__(self, host, clients: list[str], ports: list[int], threads=3, pause=0.0, asking: Callable = ask):
        self.host, self.clients, self.ports, self.pause, self.asking = host, clients, ports, pause, asking
        self.answers: list[Answer] = []
        # No port is used again soon: a connection that the director still remembers would go where that one went.
        self.ports_of = {client: itertools.cycle(range(10000, 60000)) for client in clients}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(threads)]

    def _ask(self, number: int) -> None:
        order = random.Random(number)
        while not self._stop.is_set():
            client, port = order.choice(self.clients), order.choice(self.ports)
            began = time.monotonic()
            server = self.asking(self.host, port, source=client, source_port=next(self.ports_of[client]))
            self.answers.append(Answer(client, port, began, time.monotonic(), server))
            if self.pause:
                self._stop.wait(self.pause)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.failed]

    def servers_of_clients(self) -> dict[str, set[str]]:
        """Which servers each client has seen."""
        seen: dict[str, set[str]] = {}
        for answer in self.answers:
            if not answer.failed:
                seen.setdefault(answer.client, set()).add(answer.server)
        return seen


class Killer:
    """Kills limpetd and starts it again, as fast as it goes: mostly in the middle of its start, sometimes beyond."""

    def __init__(self, director, seed: int):
        self.director, self.random = director, random.Random(seed)
        began = time.monotonic()
        self.director.kill()
        self.director.start()
        self.start_time = time.monotonic() - began

    def kill_once(self) -> None:
        self.director.kill()
        self.director.launch()
        time.sleep(self.random.uniform(0, 1.25 * self.start_time))
        assert self.director.process.poll() is None, self.director.log.read_text()

"""The viewer under load. In: a running dashboard. Out: how long health, tiles and overlay take, alone and for many."""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any

import numpy as np

from qc.bench.viewer_server import Served
from qc.dashboard.tiles import TOKEN_HEADER

_HEALTH = "/_stcore/health"
_ACROSS, _DOWN = 3, 2
_CLASSES = "2-3-4-5-6"


@dataclass(frozen=True)
class Load:
    """Answers to requests of one kind.

    Attributes:
        name: What was asked for, and by how many at once.
        milliseconds: Time of each request, from sending to the last byte.
        refused: Requests that were not answered with 200.
        seconds: Time of all.
    """

    name: str
    milliseconds: Sequence[float]
    refused: int
    seconds: float

    def percentile(self, percent: float) -> float:
        """Time within which so many per cent were answered, milliseconds."""
        return float(np.percentile(self.milliseconds, percent))


@dataclass
class Client:
    """One connection and what it measured."""

    served: Served
    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0
    connection: HTTPConnection | None = None

    def get(self, path: str, token: str = "") -> bytes:
        """Ask once."""
        self.connection = self.connection or self.served.connect()
        started = time.perf_counter()
        try:
            status, body = self._asked(self.connection, path, token)
        except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):  # servers close idle connections
            self.connection.close()
            status, body = self._asked(self.connection, path, token)
        self.milliseconds.append(1000 * (time.perf_counter() - started))
        self.refused += status != 200
        return body

    def close(self) -> None:
        """End the connection."""
        if self.connection is not None:
            self.connection.close()

    @staticmethod
    def _asked(connection: HTTPConnection, path: str, token: str) -> tuple[int, bytes]:
        connection.request("GET", path, headers={TOKEN_HEADER: token})
        answer = connection.getresponse()
        return answer.status, answer.read()


def measure(served: Served, requests: int, people: int, seconds: float, pause_s: float) -> list[Load]:
    """Health, tiles and overlay one after another, tiles six at once as a browser does, then many people.

    Args:
        served: The dashboard.
        requests: Requests of each kind.
        people: People who look at once.
        seconds: How long they look.
        pause_s: Seconds that a person looks at a view, on average.
    """
    slides = {slide_id: _about(served, slide_id) for slide_id in served.tokens}
    tiles = _sample(slides, requests, "tiles")
    return [
        _one_by_one("health, one after another", served, [(_HEALTH, "")] * requests),
        _one_by_one("slide tiles, one after another", served, tiles),
        _one_by_one("overlay tiles, one after another", served, _sample(slides, requests, "overlay")),
        _at_once("slide tiles, six at once", served, tiles, 6),
        _many(served, slides, people, seconds, pause_s),
    ]


def _about(served: Served, slide_id: str) -> dict[str, Any]:
    token = served.tokens[slide_id]
    with closing(Client(served)) as client:
        return {**json.loads(client.get(f"/qc/slide/{slide_id}.json", token)), "token": token}


def _sample(slides: dict[str, dict[str, Any]], requests: int, kind: str) -> list[tuple[str, str]]:
    chance = random.Random(1)
    found = []
    for _ in range(requests):
        about = chance.choice(list(slides.values()))
        level = chance.randrange(len(about["levels"]))
        columns, rows = _tiles(about, level)
        found.append((_url(about, kind, level, chance.randrange(columns), chance.randrange(rows)), about["token"]))
    return found


def _tiles(about: dict[str, Any], level: int) -> tuple[int, int]:
    size, side = about["levels"][level], about["tile_px"]
    return -(-size["width"] // side), -(-size["height"] // side)


def _url(about: dict[str, Any], kind: str, level: int, column: int, row: int) -> str:
    end = f"png?classes={_CLASSES}" if kind == "overlay" else "jpg"
    return f"/qc/{kind}/{about['slide_id']}/{level}/{column}_{row}.{end}"


def _one_by_one(name: str, served: Served, asked: Sequence[tuple[str, str]]) -> Load:
    return _at_once(name, served, asked, 1)


def _at_once(name: str, served: Served, asked: Sequence[tuple[str, str]], connections: int) -> Load:
    def work(number: int) -> Client:
        with closing(Client(served)) as client:
            for path, token in asked[number::connections]:
                client.get(path, token)
        return client

    return _timed(name, work, connections)


def _many(served: Served, slides: dict[str, dict[str, Any]], people: int, seconds: float, pause_s: float) -> Load:
    """Each person opens views of a slide: six tiles with fill and outlines over them, then a pause to look."""
    end = time.monotonic() + seconds
    idle = threading.Event()

    def work(number: int) -> Client:
        chance = random.Random(number)
        about = list(slides.values())[number % len(slides)]
        with closing(Client(served)) as client:
            while time.monotonic() < end:
                idle.wait(chance.uniform(0.5, 1.5) * pause_s)
                for path in _view(about, chance):
                    client.get(path, about["token"])
        return client

    return _timed(f"{people} people at once, a new view every {pause_s:g} s each", work, people)


def _view(about: dict[str, Any], chance: random.Random) -> list[str]:
    level = chance.randrange(len(about["levels"]))
    columns, rows = _tiles(about, level)
    left, top = chance.randrange(max(1, columns - _ACROSS + 1)), chance.randrange(max(1, rows - _DOWN + 1))
    cells = [(x, y) for y in range(top, min(rows, top + _DOWN)) for x in range(left, min(columns, left + _ACROSS))]
    return [_url(about, kind, level, x, y) for kind in ("tiles", "overlay") for x, y in cells]


def _timed(name: str, work: Callable[[int], Client], connections: int) -> Load:
    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        clients = list(pool.map(work, range(connections)))
    milliseconds = [one for client in clients for one in client.milliseconds]
    return Load(name, milliseconds, sum(client.refused for client in clients), time.perf_counter() - started)

#!/usr/bin/env python3
"""Reads beside sign-ins: latency of reads by a system token while 50 people a second give their passwords, and without
them, in turn on one server; and how many of the sign-ins are let in a second.

    make signin                                   SQLite
    make signin SIGNIN="--rate 50 --reads 200 --turns 5 --json"

Both are sent at fixed times, whether or not earlier ones were answered, and counted from when they were to be sent. A
password costs tenths of a second of one processor, so most of 50 a second are told to come again (503): what is kept is
what the threads for passwords hash. The sign-ins come from many addresses of loopback, as those of many people would.
The reads are sent and timed by a process of their own, so that what the threads of the sign-ins do in this one is no part
of their latency.
"""

import argparse
import collections
import multiprocessing
import queue
import threading
import time
import typing
from urllib.parse import urlencode

import measuring
from measuring import Connection

import check_signin
from check_signin import PASSWORD, Forms
from smart import BackendClient

WORKERS = 64


class Pace:
    """Calls of some threads at fixed times from `begun` on (time.monotonic, which all processes share); each is told when
    it was to begin."""

    def __init__(self, rate, seconds, workers, call, begun):
        self.times = queue.Queue()
        for number in range(int(rate * seconds)):
            self.times.put(begun + number / rate)
        self.threads = [threading.Thread(target=self.work, args=(call, number), daemon=True) for number in range(workers)]
        self.failures = []

    def work(self, call, number):
        state = {}
        try:
            while True:
                at = self.times.get_nowait()
                time.sleep(max(0.0, at - time.monotonic()))
                call(number, at, state)
        except queue.Empty:
            pass
        except Exception as error:  # noqa: BLE001: told by who waits for the end.
            self.failures.append(error)
        finally:
            if "connection" in state:
                state["connection"].close()

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise SystemExit(f"a request failed: {self.failures[0]!r}")


class Where(typing.NamedTuple):
    """What a connection has to know of a server, in another process."""

    http: str
    ca: str


def read(pipe, where, bearer, rate, seconds):
    """Reads from the time that comes by a pipe on; sends their latencies in milliseconds, or what went wrong."""
    found, lock = [], threading.Lock()
    headers = {"Authorization": f"Bearer {bearer}"}

    def call(number, at, state):
        connection = state.setdefault("connection", Connection(where))
        status, _, body = connection.send("GET", "/fhir/Patient/bench", headers)
        if status != 200:
            raise RuntimeError(f"{status} {body[:200]!r}")
        with lock:
            found.append((time.monotonic() - at) * 1000)

    pipe.send("ready")
    pace = Pace(rate, seconds, 8, call, pipe.recv())
    pace.start()
    try:
        pace.join()
        pipe.send(found)
    except SystemExit as failure:
        pipe.send(str(failure))


class Readers:
    """A process that reads."""

    def __init__(self, server, backend, rate, seconds):
        # Spawned, not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=read, args=(theirs, Where(server.http, server.ca), backend.bearer(), rate, seconds), daemon=True)
        self.process.start()
        theirs.close()
        self.told()

    def told(self):
        try:
            return self.pipe.recv()
        except EOFError:
            raise SystemExit("the process of the reads ended before its end") from None

    def start(self, begun):
        self.pipe.send(begun)

    def join(self):
        """Latencies in milliseconds."""
        found = self.told()
        self.process.join()
        if isinstance(found, str):
            raise SystemExit(found)
        return found


def sign_ins(server, rate, seconds, accounts, begun):
    """What becomes of each: statuses and latencies."""
    found, lock = [], threading.Lock()

    def call(number, at, state):
        if "connection" not in state:
            state["connection"] = Connection(server, source=f"127.0.{1 + number}.1")
            status, fields, page = state["connection"].send("GET", "/account/sign-in")
            form = Forms(page.decode()).form("/account/sign-in")
            if status != 200 or form is None:
                raise RuntimeError(f"no page of sign-in: {status}")
            state["form"] = {name: value for name, value in form.items() if name}
            state["cookies"] = "; ".join(text.split(";")[0] for text in fields.get_all("Set-Cookie") or [])
        body = urlencode({**state["form"], "name": accounts[number % len(accounts)], "password": PASSWORD})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        if state["cookies"]:
            headers["Cookie"] = state["cookies"]
        status, _, _ = state["connection"].send("POST", "/account/sign-in", headers, body)
        with lock:
            found.append((status, (time.monotonic() - at) * 1000))

    return Pace(rate, seconds, WORKERS, call, begun), found


def measure(given, kind):
    with measuring.server(given, kind) as (server, folder):
        backend = BackendClient(server, "system", "ES384", "system/*.cruds", folder)
        server.start()
        backend.session().put(
            server.fhir + "/Patient/bench", timeout=30,
            json={"resourceType": "Patient", "id": "bench", "name": [{"family": "Bench"}]}).raise_for_status()
        accounts = [f"person{number}" for number in range(given.accounts)]
        for number, name in enumerate(accounts):
            measuring.progress(f"{kind}: {number} of {len(accounts)} accounts")
            check_signin.choose_password(server, name, check_signin.add(server, name, "practitioner"))
        alone, beside, people = [], [], []
        for turn in range(given.turns):
            measuring.progress(f"{kind}: turn {turn + 1} of {given.turns}, alone")
            readers = Readers(server, backend, given.reads, given.seconds)
            readers.start(time.monotonic() + 0.2)
            alone += readers.join()
            measuring.progress(f"{kind}: turn {turn + 1} of {given.turns}, beside sign-ins")
            readers = Readers(server, backend, given.reads, given.seconds)
            begun = time.monotonic() + 0.2
            others, signed = sign_ins(server, given.rate, given.seconds, accounts, begun)
            others.start()
            readers.start(begun)
            beside += readers.join()
            others.join()
            people += signed
        statuses = collections.Counter(status for status, _ in people)
        kept = [taken for status, taken in people if status in (200, 303)]
        unforeseen = set(statuses) - {200, 303, 429, 503}
        if unforeseen or not kept:
            raise SystemExit(f"sign-ins were answered {dict(statuses)}")
        p50, p99 = (lambda values: measuring.percentile(values, 0.5)), (lambda values: measuring.percentile(values, 0.99))
        return {
            "database": kind, "reads": len(beside), "alone_p50_ms": round(p50(alone), 2),
            "alone_p99_ms": round(p99(alone), 2), "beside_p50_ms": round(p50(beside), 2),
            "beside_p99_ms": round(p99(beside), 2), "p99_beside_over_alone": round(p99(beside) / p99(alone), 2),
            "sign_ins": len(people), "kept": len(kept),
            "kept_per_s": round(len(kept) / (given.turns * given.seconds), 1), "sign_in_p50_ms": round(p50(kept)),
            "statuses": {str(status): count for status, count in sorted(statuses.items())}}


def work():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=50, help="sign-ins a second")
    parser.add_argument("--reads", type=float, default=200, help="reads a second")
    parser.add_argument("--seconds", type=float, default=10, help="of each half of a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--accounts", type=int, default=8)
    given = measuring.arguments(parser)
    rows = [measure(given, kind) for kind in measuring.databases(given)]
    measuring.tell(given, rows, [
        ("database", "database"), ("p50 alone", "alone_p50_ms"), ("p99 alone", "alone_p99_ms"),
        ("p50 beside", "beside_p50_ms"), ("p99 beside", "beside_p99_ms"), ("p99 ratio", "p99_beside_over_alone"),
        ("sign-ins", "sign_ins"), ("kept", "kept"), ("kept a second", "kept_per_s"), ("their p50", "sign_in_p50_ms")])


if __name__ == "__main__":
    measuring.main(work)

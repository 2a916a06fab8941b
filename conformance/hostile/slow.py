"""Thousands of peers that send a byte a second, or nothing, on every door, while good clients work.

Each must be closed within its door's deadline, and the good clients' slowest percentile must stay within twice what it
was without them. Only loopback, a bounded number of connections, and an end of its own.
"""

import http.client
import multiprocessing
import pathlib
import selectors
import shutil
import socket
import sys
import tempfile
import threading
import time
from urllib.parse import urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from hilum_server import HilumServer  # noqa: E402

GOOD_CLIENTS = 20
# Below this many seconds the good clients' own clock decides, not the server.
NOISE = 0.005
# How late a deadline may be noticed: the drips look once a second.
TOLERANCE = 3.0


class Kind:
    """Peers of one kind: what they send first, what they drip, and when they must be gone."""

    def __init__(self, name, share, first, drip, deadline):
        self.name, self.share, self.first, self.drip, self.deadline = name, share, first, drip, deadline
        self.opened = 0
        self.lived = []

    def report(self):
        ok = len(self.lived) == self.opened and max(self.lived, default=0) <= self.deadline + TOLERANCE
        longest = f"{max(self.lived):.1f}" if self.lived else "none closed"
        return ok, f"| {self.name} | {self.opened} | {len(self.lived)} | {longest} | {self.deadline} | {'yes' if ok else 'NO'} |"


def kinds():
    body = (b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 9000\r\n\r\n")
    return {
        "http": [Kind("HTTP, silent", 0.25, b"", b"", 10), Kind("HTTP, header", 0.5, b"GET / HTTP/1.1\r\nX-A: ", b"a", 10),
                 Kind("HTTP, body", 0.25, body, b"a", 30)],
        "mllp": [Kind("MLLP, open frame", 1.0, b"\x0bMSH|", b"a", 30)],
        "dimse": [Kind("DIMSE, silent", 0.5, b"", b"", 30), Kind("DIMSE, PDU", 0.5, b"\x01\x00\x00\x00\x01\x00", b"\x00", 30)],
    }


class Drips(threading.Thread):
    """Holds the slow peers until each was closed or the time is over."""

    def __init__(self):
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        self.stopped = threading.Event()

    def open(self, port, kind, count):
        for _ in range(count):
            peer = socket.create_connection(("127.0.0.1", port), timeout=10)
            peer.setblocking(False)
            if kind.first:
                peer.send(kind.first)
            kind.opened += 1
            self.selector.register(peer, selectors.EVENT_READ, (kind, time.monotonic()))

    def run(self):
        last = time.monotonic()
        while self.selector.get_map() and not self.stopped.is_set():
            for key, _ in self.selector.select(0.2):
                self.look(key)
            if time.monotonic() - last >= 1:
                last = time.monotonic()
                for key in list(self.selector.get_map().values()):
                    if key.data[0].drip:
                        self.look(key, key.data[0].drip)

    def look(self, key, drip=None):
        kind, begun = key.data
        try:
            if drip:
                key.fileobj.send(drip)
                return
            if key.fileobj.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        kind.lived.append(time.monotonic() - begun)
        self.selector.unregister(key.fileobj)
        key.fileobj.close()

    def end(self):
        self.stopped.set()
        self.join(10)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def good_clients(port, seconds):
    """What each answer took, in seconds, to 20 clients that ask up to a hundred times a second each; and what failed."""
    times, failures = [], []

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                connection.request("GET", "/fhir/.well-known/smart-configuration")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                failures.append(type(error).__name__)
                return
            times.append(time.monotonic() - begun)
            time.sleep(0.01)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(GOOD_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, failures


def slowest_percentile(times):
    return sorted(times)[int(len(times) * 0.99)] if times else float("inf")


def run(arguments):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hilum-slow."))
    server = HilumServer(folder / "hilum", log=folder / "hilum.log", options=["--plain-loopback"])
    counts = {"http": arguments.http, "mllp": arguments.mllp, "dimse": arguments.dimse}
    drips, all_kinds = Drips(), kinds()
    try:
        server.init()
        settings = server.folder / "hilum.yaml"
        # All peers come from one address here.
        settings.write_text(settings.read_text().replace("log-level: info", "log-level: error") + (
            f"limits: {{ connections: {arguments.http + arguments.mllp + arguments.dimse + 500}, "
            f"http-connections: {arguments.http + 100}, http-connections-per-address: {arguments.http + 100}, "
            f"dimse-connections-per-address: {arguments.dimse + 50}, "
            f"mllp-connections: {arguments.mllp + 50}, mllp-connections-per-peer: {arguments.mllp + 50}, "
            f"dimse-associations: {arguments.dimse + 50}, dimse-associations-per-peer: {arguments.dimse + 50} }}\n"))
        server.start()
        ports = {"http": urlsplit(server.http).port, "mllp": server.mllp["port"], "dimse": server.dimse["port"]}
        # In a process of their own, so that their clock does not wait for the drips.
        pool = multiprocessing.get_context("spawn").Pool(1)
        alone, failures = pool.apply(good_clients, (ports["http"], 4))
        before = server.rss_kib() / 1024
        for door, some in all_kinds.items():
            for kind in some:
                drips.open(ports[door], kind, round(counts[door] * kind.share))
        drips.start()
        beside, worst, peak = [], 0.0, 0.0
        until = time.monotonic() + 30 + TOLERANCE + 2
        while time.monotonic() < until and drips.is_alive():
            more, new = pool.apply(good_clients, (ports["http"], 4))
            beside, failures = beside + more, failures + new
            worst = max(worst, slowest_percentile(more))
            peak = max(peak, server.rss_kib() / 1024)
        drips.end()
        pool.terminate()
        code = server.stop()
    finally:
        if server.is_running():
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    rows = [kind.report() for some in all_kinds.values() for kind in some]
    usual, slowest = slowest_percentile(alone), slowest_percentile(beside)
    is_quick = slowest <= max(2 * usual, NOISE)
    text = "\n".join([
        "# Slow peers on every door", "",
        f"Made by `make slow` on {time.strftime('%Y-%m-%d')}: all at once, while {GOOD_CLIENTS} good clients ask.", "",
        "| peers | opened | closed | the last after, s | deadline, s | met |", "|---|---|---|---|---|---|",
        *[row for _, row in rows], "",
        f"Good clients: {len(alone) + len(beside)} answers, {len(failures)} failures; slowest percentile "
        f"{usual * 1e3:.1f} ms alone, {slowest * 1e3:.1f} ms beside them (at most {worst * 1e3:.1f} ms in 4 s). Resident: {before:.0f} MB, at most {peak:.0f} MB.", ""])
    print(text)
    findings = [ok for ok, _ in rows] + [is_quick, not failures, code == 0]
    if not is_quick:
        print("the good clients became slower than twice")
    for failure in failures[:5]:
        print(f"a good client failed: {failure}")
    return text, findings

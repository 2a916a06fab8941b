"""Good clients: what a hospital does all day, one item of each door after the other, with success and time of each.

They run in a process of their own, so that their clock does not wait for the hostile ones. Every object that was
acknowledged is remembered, to be read back afterwards.
"""

import http.client
import io
import multiprocessing
import queue
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context

import ledger

# A good sender tries again after a passing failure, as its standard asks of it.
TRIES = 3


class Good:
    """One client of each door against a server that runs."""

    def __init__(self, where, source="127.0.0.1"):
        self.where, self.source = where, source
        self.tls = ssl.create_default_context(cafile=where["ca"]) if where["tls"] else None

    def socket(self, port):
        made = socket.create_connection(("127.0.0.1", port), timeout=8, source_address=(self.source, 0))
        return self.tls.wrap_socket(made, server_hostname="localhost") if self.tls else made

    def mllp(self, item):
        text = (f"MSH|^~\\&|GOOD|G|HILUM|H|20260101120000||ADT^A08^ADT_A01|{item}|P|2.5.1\rEVN|A08|20260101120000\r"
                f"PID|1||{item}^^^HOSP^MR||Good^Gwen||19700101|F\rPV1|1|O\r")
        with self.socket(self.where["mllp"]) as made:
            made.sendall(b"\x0b" + text.encode() + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                more = made.recv(65536)
                if not more:
                    raise ConnectionError("closed")
                answer += more
        if b"MSA|AA" not in answer:
            raise ConnectionError(answer[-120:].decode(errors="replace"))

    def http(self, item):
        connection = http.client.HTTPConnection("127.0.0.1", self.where["http"], timeout=8)
        connection.sock = self.socket(self.where["http"])
        connection.request("GET", "/fhir/metadata", headers={"Host": f"localhost:{self.where['http']}"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise ConnectionError(f"status {answer.status}")

    def store(self, item):
        ae = AE(ae_title="GOOD")
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 8
        ae.requested_contexts = [build_context(ledger.CT, ExplicitVRLittleEndian)]
        association = ae.associate(
            "127.0.0.1", self.where["dimse"], ae_title="HILUM", bind_address=(self.source, 0),
            tls_args=(self.tls, "localhost") if self.tls else None)
        if not association.is_established:
            raise ConnectionError("no association")
        data = ledger.instance(item)
        ledger.part10(data)
        try:
            status = association.send_c_store(data).get("Status")
        finally:
            association.release()
        if status != 0:
            raise ConnectionError(f"C-STORE {status}")


DOORS = ["http", "mllp", "store"]


def _work(where, prefix, stop, out):
    def door(name):
        good, number = Good(where), 0
        while not stop.is_set():
            number += 1
            item = f"{prefix}{name}-{number}"
            begun, failure = time.monotonic(), None
            for attempt in range(TRIES):
                try:
                    getattr(good, name)(item)
                    failure = None
                    break
                except Exception as error:  # what went wrong is told, not judged here
                    failure = f"{type(error).__name__}: {error}"[:160]
                    time.sleep(0.2)
            out.put((name, item, time.monotonic() - begun, failure))
            time.sleep(0.02)

    threads = [threading.Thread(target=door, args=(name,), daemon=True) for name in DOORS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Measure:
    """Good clients over a time: `with Measure(...) as measure: ...`, then its figures."""

    def __init__(self, where, prefix):
        context = multiprocessing.get_context("spawn")
        self.stop, self.out = context.Event(), context.Queue()
        self.process = context.Process(target=_work, args=(where, prefix, self.stop, self.out), daemon=True)
        self.items = []

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        end = time.monotonic() + 40
        while (self.process.is_alive() or not self.out.empty()) and time.monotonic() < end:
            self.take()
        self.take()
        if self.process.is_alive():
            self.process.terminate()

    def take(self):
        while True:
            try:
                self.items.append(self.out.get(timeout=0.1))
            except queue.Empty:
                return

    def of(self, door):
        return [item for item in self.items if item[0] == door]

    def succeeded(self, door):
        done = self.of(door)
        return (sum(1 for item in done if item[3] is None), len(done))

    def stored(self):
        return [item[1] for item in self.of("store") if item[3] is None]

    def failures(self):
        return [f"{item[1]}: {item[3]}" for item in self.items if item[3] is not None]

#!/usr/bin/env python3
"""`$import` of many resources: resources a second from kick-off to the manifest, and the server's peak memory.

    make bulk                                      exports and imports, both databases
    .build-tools/venv/bin/python conformance/bench/import.py --counts 100000 1000000

Each count has a server of its own. The files are made beforehand, one patient to twenty observations of about 1 KiB, and
served over TLS on loopback, with ranges and entity tags.
"""

import argparse
import http.server
import json
import pathlib
import re
import threading
import time

import measuring

import own_certificate
from export import observation
from smart import BackendClient

FILE_LINES = 100_000
PATIENTS = 1_000


def write(folder, count, waiting):
    """NDJSON files of so many resources, as (type, name)."""
    files = []
    patients = min(PATIENTS, count)
    path = folder / "Patient.ndjson"
    path.write_text("".join(json.dumps({
        "resourceType": "Patient", "id": f"bench-{number}", "name": [{"family": "Bench", "given": [str(number)]}],
        "birthDate": "1970-01-01"}) + "\n" for number in range(patients)))
    files.append(("Patient", path.name))
    for first in range(0, count - patients, FILE_LINES):
        path = folder / f"Observation.{first // FILE_LINES}.ndjson"
        with open(path, "w") as file:
            for number in range(first, min(first + FILE_LINES, count - patients)):
                file.write(json.dumps({**observation(number), "id": f"bench-{number}"}) + "\n")
        files.append(("Observation", path.name))
        waiting.tell(f"{first + FILE_LINES} lines written")
    return files


class Files:
    """A folder over TLS, with ranges from a byte on."""

    def __init__(self, folder):
        key, self.certificate, _ = own_certificate.make(folder, "files")

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def do_GET(self):
                path = folder / pathlib.PurePosixPath(self.path).name
                if not path.is_file():
                    return self.send_error(404)
                size = path.stat().st_size
                asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                first = int(asked.group(1)) if asked else 0
                self.send_response(206 if asked else 200)
                if asked:
                    self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", f'"{path.name}-{size}"')
                self.send_header("Content-Type", "application/fhir+ndjson")
                self.send_header("Content-Length", str(size - first))
                self.end_headers()
                try:
                    with open(path, "rb") as file:
                        file.seek(first)
                        while piece := file.read(1 << 18):
                            self.wfile.write(piece)
                except OSError:
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = own_certificate.server_context(key, self.certificate).wrap_socket(
            self.server.socket, server_side=True)
        self.base = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def measure(given, kind, count):
    waiting = measuring.Waiting(f"{kind}, {count}")
    with measuring.server(given, kind) as (server, folder):
        files = Files(folder)
        try:
            with open(server.folder / "hilum.yaml", "a") as file:
                file.write(f"\noutbound: {{ allow-networks: [127.0.0.0/8], authorities: {files.certificate} }}\n")
            written = write(folder, count, waiting)
            size = sum((folder / name).stat().st_size for _, name in written)
            backend = BackendClient(server, "importer", "ES384", "system/*.cruds", folder)
            server.start()
            idle = server.rss_kib() / 1024
            before, begun = measuring.cpu_seconds(server), time.monotonic()
            start = backend.session().post(
                server.fhir + "/$import", timeout=60, headers={"Prefer": "respond-async"},
                json={"inputFormat": "application/fhir+ndjson",
                      "input": [{"type": type, "url": f"{files.base}/{name}"} for type, name in written]})
            if start.status_code != 202:
                raise SystemExit(f"kick-off: {start.status_code} {start.text[:300]}")
            while True:
                status = backend.session().get(start.headers["Content-Location"], timeout=60)
                if status.status_code == 200:
                    break
                if status.status_code not in (202, 429):
                    raise SystemExit(f"status: {status.status_code} {status.text[:300]}")
                waiting.tell(status.headers.get("X-Progress", ""))
                time.sleep(0.5)
            taken = time.monotonic() - begun
            told = status.json()
            made = told["extension"]["created"]
            if made != count or told["error"]:
                raise SystemExit(f"{made} of {count} were made; {told['error'][:1]}")
            return {"database": kind, "resources": count, "mib": round(size / (1 << 20), 1), "seconds": round(taken, 1),
                    "per_s": round(count / taken), "cpu_s": round(measuring.cpu_seconds(server) - before, 1),
                    "idle_mib": round(idle, 1), "peak_mib": round(measuring.peak_mib(server), 1)}
        finally:
            files.stop()


def work():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000])
    given = measuring.arguments(parser)
    rows = [measure(given, kind, count) for kind in measuring.databases(given) for count in given.counts]
    measuring.tell(given, rows, [
        ("database", "database"), ("resources", "resources"), ("MiB", "mib"), ("seconds", "seconds"),
        ("a second", "per_s"), ("CPU s", "cpu_s"), ("idle MiB", "idle_mib"), ("peak MiB", "peak_mib")])


if __name__ == "__main__":
    measuring.main(work)

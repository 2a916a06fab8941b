"""`$export` of many resources: resources a second from kick-off to the last byte, and the server's peak memory.

    make bulk                                      exports and imports, both databases
    .build-tools/venv/bin/python conformance/bench/export.py --counts 100000 1000000 --only sqlite

Each count has a server of its own in a temporary folder. It is filled by transactions, started anew, so that its peak is
the export's, and exports system-wide; the files are read to the end and their lines counted.
"""

import argparse
import concurrent.futures
import itertools
import json
import time

import measuring

from smart import BackendClient

ENTRIES = 2_000


def observation(number):
    """About 1 KiB, as laboratories send them."""
    return {
        "resourceType": "Observation", "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                                  "code": "laboratory", "display": "Laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0",
                             "display": "Glucose [Mass/volume] in Blood"}], "text": "Glucose"},
        "subject": {"reference": f"Patient/bench-{number % 1000}"},
        "effectiveDateTime": f"2024-{1 + number % 12:02}-{1 + number % 28:02}T08:30:00+01:00",
        "valueQuantity": {"value": 60 + number % 120, "unit": "mg/dL", "system": "http://unitsofmeasure.org",
                          "code": "mg/dL"},
        "interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                                        "code": "N", "display": "Normal"}]}],
        "referenceRange": [{"low": {"value": 70, "unit": "mg/dL"}, "high": {"value": 110, "unit": "mg/dL"},
                            "text": "70 to 110 mg/dL, fasting, venous plasma"}],
        "note": [{"text": f"Sample {number}: " + "taken fasting and without a tourniquet. " * 4}],
    }


def fill(server, backend, count, waiting):
    def send(start):
        entries = [{"resource": observation(n), "request": {"method": "POST", "url": "Observation"}}
                   for n in range(start, min(start + ENTRIES, count))]
        answer = backend.session().post(
            server.fhir, data=json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}),
            headers={"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}, timeout=300)
        answer.raise_for_status()

    starts = iter(range(0, count, ENTRIES))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        # A few at a time, so that an end from outside does not wait for all that is left.
        while batch := list(itertools.islice(starts, 8)):
            list(pool.map(send, batch))
            waiting.tell(f"{batch[-1] + ENTRIES} filled")


def measure(given, kind, count):
    waiting = measuring.Waiting(f"{kind}, {count}")
    with measuring.server(given, kind) as (server, folder):
        backend = BackendClient(server, "everything", "ES384", "system/*.cruds", folder)
        server.start()
        begun = time.monotonic()
        fill(server, backend, count, waiting)
        filled = time.monotonic() - begun
        server.stop(120)
        server.start(120)
        session = backend.session()
        idle = server.rss_kib() / 1024
        # The program's own pages are read when its parts first work: what the export takes itself is told apart.
        own = own_most = measuring.anonymous_mib(server)
        before, begun = measuring.cpu_seconds(server), time.monotonic()
        start = session.get(f"{server.fhir}/$export", timeout=60, params={"_type": "Observation"},
                            headers={"Accept": "application/fhir+json", "Prefer": "respond-async"})
        if start.status_code != 202:
            raise SystemExit(f"kick-off: {start.status_code} {start.text[:300]}")
        while True:
            own_most = max(own_most, measuring.anonymous_mib(server))
            status = backend.session().get(start.headers["Content-Location"], timeout=60)
            if status.status_code == 200:
                break
            if status.status_code not in (202, 429):
                raise SystemExit(f"status: {status.status_code} {status.text[:300]}")
            waiting.tell(status.headers.get("X-Progress", ""))
            time.sleep(0.25)
        written = time.monotonic() - begun
        (lines, size) = (0, 0)
        for output in status.json()["output"]:
            with backend.session().get(output["url"], stream=True, timeout=600,
                                       headers={"Accept-Encoding": "identity"}) as file:
                for piece in file.iter_content(1 << 20):
                    own_most = max(own_most, measuring.anonymous_mib(server))
                    lines += piece.count(b"\n")
                    size += len(piece)
            waiting.tell(f"{lines} lines read")
        read = time.monotonic() - begun
        if lines != count:
            raise SystemExit(f"{lines} lines of {count}")
        return {"database": kind, "resources": count, "bytes": size, "fill_s": round(filled, 1),
                "written_s": round(written, 2), "read_s": round(read, 2), "written_per_s": round(count / written),
                "read_per_s": round(count / read), "cpu_s": round(measuring.cpu_seconds(server) - before, 1),
                "idle_mib": round(idle, 1), "peak_mib": round(measuring.peak_mib(server), 1),
                "own_mib": round(own_most - own, 1)}


def work():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000])
    given = measuring.arguments(parser)
    rows = [measure(given, kind, count) for kind in measuring.databases(given) for count in given.counts]
    measuring.tell(given, rows, [
        ("database", "database"), ("resources", "resources"), ("written s", "written_s"),
        ("to the last byte s", "read_s"), ("a second", "read_per_s"), ("CPU s", "cpu_s"), ("idle MiB", "idle_mib"),
        ("peak MiB", "peak_mib"), ("own MiB beside idle", "own_mib")])
    for kind in measuring.databases(given):
        peaks = [row["peak_mib"] for row in rows if row["database"] == kind]
        if len(peaks) > 1 and not given.json:
            print(f"{kind}: peak memory apart: {max(peaks) - min(peaks):.1f} MiB (at most 16)")


if __name__ == "__main__":
    measuring.main(work)

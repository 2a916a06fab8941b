"""`$export` of many resources: resources a second from kick-off to the last byte, and the server's peak memory.

    .build-tools/venv/bin/python conformance/bench/export.py [--counts 100000 1000000] [--postgres URL] [--keep]

Each count has a server of its own in a temporary folder. It is filled by transactions, started anew, so that its peak is
the export's, and exports system-wide; the files are read to the end and their lines counted.
"""

import argparse
import concurrent.futures
import json
import pathlib
import shutil
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from hilum_server import HilumServer  # noqa: E402
from smart import BackendClient  # noqa: E402

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


def fill(server, backend, count):
    def send(start):
        entries = [{"resource": observation(n), "request": {"method": "POST", "url": "Observation"}}
                   for n in range(start, min(start + ENTRIES, count))]
        answer = backend.session().post(
            server.fhir, data=json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}),
            headers={"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}, timeout=300)
        answer.raise_for_status()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(send, range(0, count, ENTRIES)):
            pass


def peak_kib(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def measure(count, postgres):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hilum-export."))
    server = HilumServer(folder / "hilum", postgres=postgres, log=folder / "hilum.log")
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # The same address after the second start: tokens are of it.
        server.init(ports=(port, 0, 0))
        backend = BackendClient(server, "everything", "ES384", "system/*.cruds", folder)
        server.start()
        begun = time.monotonic()
        fill(server, backend, count)
        filled = time.monotonic() - begun
        server.stop(120)
        server.start(120)
        session = backend.session()
        idle = server.rss_kib()
        begun = time.monotonic()
        start = session.get(f"{server.fhir}/$export", timeout=60, params={"_type": "Observation"},
                            headers={"Accept": "application/fhir+json", "Prefer": "respond-async"})
        assert start.status_code == 202, start.text
        while True:
            status = session.get(start.headers["Content-Location"], timeout=60)
            if status.status_code == 200:
                break
            assert status.status_code in (202, 429), status.text
            time.sleep(0.25)
        written = time.monotonic() - begun
        (lines, size) = (0, 0)
        for output in status.json()["output"]:
            with backend.session().get(output["url"], stream=True, timeout=600,
                                       headers={"Accept-Encoding": "identity"}) as file:
                for piece in file.iter_content(1 << 20):
                    lines += piece.count(b"\n")
                    size += len(piece)
        read = time.monotonic() - begun
        assert lines == count, f"{lines} lines of {count}"
        return {"resources": count, "bytes": size, "fill_s": round(filled, 1), "written_s": round(written, 2),
                "read_s": round(read, 2), "written_per_s": round(count / written), "read_per_s": round(count / read),
                "idle_mib": round(idle / 1024, 1), "peak_mib": round(peak_kib(server) / 1024, 1)}
    finally:
        server.stop(120)
        if not ARGUMENTS.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--postgres", help="a connection URL, of a database for each count to begin empty: one count only")
    parser.add_argument("--keep", action="store_true")
    ARGUMENTS = parser.parse_args()
    found = []
    for number in ARGUMENTS.counts:
        found.append(measure(number, ARGUMENTS.postgres))
        print(json.dumps(found[-1]), flush=True)
    if len(found) > 1:
        print(f"peak memory apart: {max(f['peak_mib'] for f in found) - min(f['peak_mib'] for f in found):.1f} MiB (at most 16)")

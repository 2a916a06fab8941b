"""Bulk Data Access: levels, parameters, manifests, files that are resumed and compressed, and an export that is killed."""

import hashlib
import json
import pathlib
import time

import requests

from check_query_retrieve import free_port
from hilum_server import HilumServer
from report import equal, expect
from smart import BackendClient

ASYNC = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
JSON = {"Content-Type": "application/fhir+json"}


def put(server, session, *resources):
    for resource in resources:
        answer = session.put(f"{server.fhir}/{resource['resourceType']}/{resource['id']}", data=json.dumps(resource),
                             headers=JSON, timeout=30)
        expect(answer.status_code in (200, 201), f"{resource['id']}: {answer.status_code} {answer.text[:200]}")


def observation(name, patient, **more):
    return {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "bulk"},
            "subject": {"reference": f"Patient/{patient}"}, **more}


def wait(session, where, seconds=300):
    """The answer to the status request that is not 202."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = session.get(where, timeout=30)
        if status.status_code not in (202, 429):
            return status
        time.sleep(min(float(status.headers.get("Retry-After", "0.2")), 0.5))
    raise AssertionError(f"not complete after {seconds} s: {status.status_code} {status.headers.get('X-Progress')}")


def export(server, session, path, headers=None, body=None, **parameters):
    """The manifest and the lines of the files of its `output`."""
    url = f"{server.fhir}/{path}"
    if body is None:
        start = session.get(url, params=parameters, headers={**ASYNC, **(headers or {})}, timeout=30)
    else:
        start = session.post(url, data=json.dumps(body), headers={**ASYNC, **JSON, **(headers or {})}, timeout=30)
    equal(start.status_code, 202, f"kick-off of {path} ({start.text[:200]})")
    status = wait(session, start.headers["Content-Location"])
    equal(status.status_code, 200, f"status of {path}")
    expect(status.headers.get("Expires"), "Expires")
    manifest = status.json()
    return manifest, [line for output in manifest["output"] for line in lines(session, output)]


def lines(session, output):
    file = session.get(output["url"], headers={"Accept": "application/fhir+ndjson"}, timeout=60)
    equal(file.status_code, 200, "file")
    found = [json.loads(line) for line in file.text.splitlines()]
    equal(len(found), output["count"], "count")
    return found


def names(resources):
    return sorted(f"{r['resourceType']}/{r['id']}" for r in resources)


def check(report, server, backend, folder):
    session = backend.session()
    put(server, session,
        *({"resourceType": "Patient", "id": f"bulk-p{n}", "gender": gender, "birthDate": birth}
          for n, gender, birth in ((1, "female", "1950-02-01"), (2, "male", "1951-02-01"), (3, "female", "2020-02-01"))),
        {"resourceType": "Practitioner", "id": "bulk-dr", "name": [{"family": "Bulk"}]},
        observation("bulk-o1", "bulk-p1", performer=[{"reference": "Practitioner/bulk-dr"}]),
        observation("bulk-o2", "bulk-p2"),
        {"resourceType": "Group", "id": "bulk-members", "type": "person", "actual": True, "member": [
            {"entity": {"reference": "Patient/bulk-p1"}},
            {"entity": {"reference": "Patient/bulk-p2"}, "inactive": True}]},
        {"resourceType": "Group", "id": "bulk-empty", "type": "person", "actual": True},
        {"resourceType": "Group", "id": "bulk-women", "type": "person", "actual": False, "characteristic": [
            {"code": {"coding": [{"system": "http://loinc.org", "code": "76689-9"}]}, "exclude": False,
             "valueCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/administrative-gender",
                                                  "code": "female"}]}},
            {"code": {"coding": [{"system": "http://loinc.org", "code": "30525-0"}]}, "exclude": False,
             "valueRange": {"low": {"value": 50, "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}}}]},
        *({"resourceType": "Provenance", "id": name, "target": [{"reference": "Observation/bulk-o1"}],
           "recorded": recorded, "agent": [{"who": {"display": "x"}}]}
          for name, recorded in (("bulk-old", "2024-01-01T00:00:00Z"), ("bulk-new", "2025-01-01T00:00:00Z"))))

    def groups():
        _, found = export(server, session, "Group/bulk-members/$export", _type="Patient,Observation,Practitioner,Group")
        equal(names(found), ["Group/bulk-members", "Observation/bulk-o1", "Patient/bulk-p1", "Practitioner/bulk-dr"], "of a group")
        manifest, found = export(server, session, "Group/bulk-empty/$export", _type="Patient,Observation,Practitioner")
        equal((manifest["output"], manifest["error"], found), ([], [], []), "of an empty group")
        _, found = export(server, session, "Group/bulk-women/$export", _type="Patient")
        expect("Patient/bulk-p1" in names(found) and not {"Patient/bulk-p2", "Patient/bulk-p3"} & set(names(found)),
               f"of a group by characteristics: {names(found)}")

    report.check("bulk", "Group exports: members, inactive ones, none, characteristics", groups, "Bulk Data 2.0")

    def by_post():
        body = {"resourceType": "Parameters", "parameter": [
            {"name": "_type", "valueString": "Observation"},
            {"name": "patient", "valueReference": {"reference": "Patient/bulk-p2"}}]}
        _, found = export(server, session, "Patient/$export", body=body)
        equal(names(found), ["Observation/bulk-o2"], "of one patient")
        url = f"{server.fhir}/Patient/$export?_type=Patient"
        equal(session.post(url, data=json.dumps(body), headers={**ASYNC, **JSON}, timeout=30).status_code, 400,
              "parameters in the URL of a POST")

    report.check("bulk", "Patient export by POST with patient", by_post, "Bulk Data 2.0")

    def associated():
        for value, expected in (("RelevantProvenanceResources", {"Provenance/bulk-new", "Provenance/bulk-old"}),
                                ("LatestProvenanceResources", {"Provenance/bulk-new"})):
            _, found = export(server, session, "Group/bulk-members/$export", _type="Observation",
                              includeAssociatedData=value)
            equal(set(names(found)), {"Observation/bulk-o1"} | expected, value)
        _, found = export(server, session, "Group/bulk-members/$export", _type="Provenance")
        equal(set(names(found)), {"Provenance/bulk-new", "Provenance/bulk-old"}, "where nothing is asked of Provenance")
        put(server, session,
            {"resourceType": "Binary", "id": "bulk-b", "contentType": "text/plain", "data": "QUJD",
             "securityContext": {"reference": "Observation/bulk-o1"}})
        _, found = export(server, session, "Group/bulk-members/$export", _type="DocumentReference")
        equal([(r["subject"]["reference"], r["content"][0]["attachment"]["url"]) for r in found],
              [("Patient/bulk-p1", f"{server.fhir}/Binary/bulk-b")], "a Binary of a patient")

    report.check("bulk", "includeAssociatedData: Provenance of what is exported", associated, "Bulk Data 2.0")

    def organized():
        manifest, found = export(server, session, "Group/bulk-members/$export", _type="Patient,Observation",
                                 organizeOutputBy="Patient")
        equal(manifest["outputOrganizedBy"], "Patient", "outputOrganizedBy")
        expect(all("type" not in output for output in manifest["output"]), "output.type of files of several types")
        equal(found[0]["parameter"][0]["valueReference"]["reference"], "Patient/bulk-p1", "header")
        equal(names(found[1:]), ["Observation/bulk-o1", "Patient/bulk-p1"], "behind the header")

    report.check("bulk", "organizeOutputBy=Patient", organized, "Bulk Data 3.0")

    def lenient():
        manifest, _ = export(server, session, "Group/bulk-members/$export", _type="Patient", bogus="1",
                             headers={"Prefer": "respond-async, handling=lenient"})
        equal([output["type"] for output in manifest["error"]], ["OperationOutcome"], "error")
        equal(lines(session, manifest["error"][0])[0]["issue"][0]["severity"], "warning", "severity")

    report.check("bulk", "handling=lenient: what was passed over is in error", lenient, "Bulk Data 2.0")

    def since():
        put(server, session, observation("bulk-gone", "bulk-p1"))
        before = export(server, session, "$export", _type="Observation")[0]["transactionTime"]
        equal(session.delete(f"{server.fhir}/Observation/bulk-gone", timeout=30).status_code in (200, 204), True, "delete")
        put(server, session, observation("bulk-late", "bulk-p1"))
        manifest, found = export(server, session, "$export", _type="Observation", _since=before)
        equal(names(found), ["Observation/bulk-late"], "since the last export")
        urls = [b["entry"][0]["request"] for output in manifest["deleted"] for b in lines(session, output)]
        equal(urls, [{"method": "DELETE", "url": "Observation/bulk-gone"}], "deleted")

    report.check("bulk", "_since: changes and deletions", since, "Bulk Data 2.0")

    def files():
        manifest, found = export(server, session, "$export", _type="Patient,Observation")
        output = manifest["output"][0]
        plain = session.get(output["url"], headers={"Accept-Encoding": "identity"}, timeout=60)
        equal(int(plain.headers["Content-Length"]), len(plain.content), "Content-Length")
        equal(plain.headers["Accept-Ranges"], "bytes", "Accept-Ranges")
        tag = plain.headers["ETag"]
        half = len(plain.content) // 2
        rest = session.get(output["url"], timeout=60,
                           headers={"Accept-Encoding": "identity", "Range": f"bytes={half}-", "If-Range": tag})
        equal((rest.status_code, plain.content[:half] + rest.content), (206, plain.content), "a resumed download")
        other = session.get(output["url"], headers={"Accept-Encoding": "identity", "Range": f"bytes={half}-", "If-Range": '"x"'}, timeout=60)
        equal((other.status_code, other.content), (200, plain.content), "If-Range of another file")
        beyond = session.get(output["url"], headers={"Range": f"bytes={len(plain.content)}-"}, timeout=60)
        equal((beyond.status_code, beyond.headers["Content-Range"]), (416, f"bytes */{len(plain.content)}"), "beyond the end")
        packed = session.get(output["url"], headers={"Accept-Encoding": "gzip"}, timeout=60)
        equal(packed.content, plain.content, "what gzip held")
        if len(plain.content) >= 1024:
            equal(packed.headers.get("Content-Encoding"), "gzip", "Content-Encoding")
            expect(packed.headers["ETag"].startswith("W/"), "a strong tag of compressed bytes")
        equal(requests.get(output["url"], headers={"Range": "bytes=0-1"}, verify=server.verify, timeout=30).status_code, 401,
              "a part without a token")
        return f"{len(found)} resources"

    report.check("bulk", "files: Range, If-Range, 416, gzip, Content-Length", files, "RFC 9110 §14")

    def objects():
        manifest, studies = export(server, session, "$export", _type="ImagingStudy", includeAssociatedData="_DICOMObjects")
        listed = [line for file in manifest.get("extension", {}).get("dicomObjects", []) for line in lines(session, file)]
        online = [line for line in listed if line["availability"] == "ONLINE"]
        for line in online[:: max(1, len(online) // 5)]:
            answer = session.get(line["url"], timeout=60, headers={
                "Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*', "Accept-Encoding": "identity"})
            equal(answer.status_code, 200, line["url"])
            content = answer.content.split(b"\r\n\r\n", 1)[1]
            content = content[:line["size"]]
            equal(hashlib.sha256(content).hexdigest(), line["sha256"], f"SHA-256 of {line['url']}")
        refused = session.get(f"{server.fhir}/$export", headers={**ASYNC, "Prefer": "respond-async, handling=lenient"},
                              params={"includeAssociatedData": "_DICOMObjects:nobody"}, timeout=30)
        equal(refused.status_code, 400, "an unknown de-identification, however leniently")
        return f"{len(studies)} studies, {len(listed)} lines"

    report.check("bulk", "DICOM objects beside ImagingStudy: WADO-RS URL, size, SHA-256", objects, "Bulk Data 2.0")

    def refusals():
        for path, query, status in (
                ("$export", {"_outputFormat": "text/csv"}, 400), ("$export", {"includeAssociatedData": "Bogus"}, 400),
                ("$export", {"organizeOutputBy": "Patient"}, 400), ("$export", {"allowPartialManifests": "perhaps"}, 400),
                ("$export", {"_since": "yesterday"}, 400), ("$export", {"_typeFilter": "Patient?_count=1"}, 400),
                ("Group/bulk-none/$export", {}, 404)):
            answer = session.get(f"{server.fhir}/{path}", params=query, headers=ASYNC, timeout=30)
            equal(answer.status_code, status, f"{path} {query}")
            equal(answer.json()["resourceType"], "OperationOutcome", f"{path} {query}")

    report.check("bulk", "refused kick-offs are OperationOutcomes", refusals, "Bulk Data 2.0")
    report.check("bulk", "kill -9 in the middle: nothing twice, nothing missing", lambda: killed(folder), "promise: jobs")


def killed(folder, count=40_000):
    """An export whose server is killed again and again until it is complete."""
    folder = pathlib.Path(folder) / "killed"
    folder.mkdir()
    server = HilumServer(folder / "hilum", log=folder / "hilum.log")
    # The same address after each start: tokens are of it.
    server.init(ports=(free_port(), 0, 0))
    backend = BackendClient(server, "everything", "ES384", "system/*.cruds", folder)
    server.start()
    try:
        session = backend.session()
        for start in range(0, count, 2_000):
            entries = [{"resource": observation(f"k{n}", f"kp{n % 50}", note=[{"text": "x" * 1_000}]),
                        "request": {"method": "PUT", "url": f"Observation/k{n}"}} for n in range(start, start + 2_000)]
            answer = session.post(server.fhir, timeout=120, headers={**JSON, "Prefer": "return=minimal"},
                                  data=json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
            equal(answer.status_code, 200, "fill")
        begun = session.get(f"{server.fhir}/$export", params={"_type": "Observation"}, headers=ASYNC, timeout=30)
        equal(begun.status_code, 202, "kick-off")
        where = begun.headers["Content-Location"]
        kills = 0
        for delay in (0.02, 0.1, 0.2, 0.3, 0.4):
            time.sleep(delay)
            server.kill()
            kills += 1
            server.start()
        manifest = wait(backend.session(), where).json()
        found = []
        for output in manifest["output"]:
            found += names(lines(backend.session(), output))
        equal(len(found), len(set(found)), "resources that stand in the files twice")
        equal(set(found), {f"Observation/k{n}" for n in range(count)}, "resources")
        return f"{kills} kills, {len(manifest['output'])} files"
    finally:
        server.stop()

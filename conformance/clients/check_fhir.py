"""FHIR R4 with fhirpy and requests, bulk export with smart-fetch; fhirkit-rs judges every FHIR body that came back."""

import gzip
import json
import os
import pathlib
import subprocess
import time
import zlib

import fhirkit
import requests
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from report import equal, expect
from smart import BackendClient


class Judge:
    """Looks at each answer of every `requests` session in this process that carries FHIR."""

    def __init__(self):
        self.bodies = 0
        self.problems = {}
        self._send = requests.Session.send

    def __enter__(self):
        judge = self

        def send(session, request, **options):
            answer = judge._send(session, request, **options)
            # A part of a file is no body of its own.
            whole = not options.get("stream") and answer.status_code != 206
            if whole and "fhir" in answer.headers.get("Content-Type", ""):
                judge.look(request, answer)
            return answer

        requests.Session.send = send
        return self

    def __exit__(self, *_):
        requests.Session.send = self._send

    def look(self, request, answer):
        if "ndjson" in answer.headers["Content-Type"]:
            bodies = [line for line in answer.content.splitlines() if line.strip()]
        else:
            bodies = [answer.content] if answer.content else []
        path = request.url.split("?")[0].split("/fhir/")[-1]
        for body in bodies:
            self.bodies += 1
            try:
                found = [f"{i.path}: {i.message}" for i in fhirkit.validate(body) if i.severity == "error"]
            except Exception as error:  # fhirkit raises for what is not FHIR at all
                found = [f"{type(error).__name__}: {error}"]
            for problem in found[:5]:
                self.problems.setdefault(problem, f"{request.method} {path} ({answer.status_code})")


PATIENT = {
    "identifier": [{"system": "urn:oid:1.2.3", "value": "FP1"}],
    "name": [{"family": "Clientson", "given": ["Fay", "Fern"]}],
    "birthDate": "1980-02-29", "gender": "female",
    "extension": [{"url": "http://example.org/unknown", "valueDecimal": 1.5}],
}


def headers(**more):
    return {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json", **more}


def check(report, server, backend, folder):
    session = backend.session()
    client = SyncFHIRClient(
        server.fhir, authorization=f"Bearer {backend.bearer()}", requests_config={"verify": server.verify})
    saved = {}

    def create():
        patient = client.resource("Patient", **PATIENT)
        patient.save()
        expect(patient.id, "no id")
        equal(patient["meta"]["versionId"], "1", "versionId")
        saved["patient"] = patient

    report.check("fhir", "create (fhirpy save)", create, "FHIR R4 http.html#create")

    def read():
        again = client.reference("Patient", saved["patient"].id).to_resource()
        equal(again["name"], PATIENT["name"], "name")
        equal(again["extension"], PATIENT["extension"], "an extension that nobody knows")

    report.check("fhir", "read (fhirpy to_resource)", read, "FHIR R4 http.html#read")

    def update():
        patient = saved["patient"]
        patient["active"] = True
        patient.save()
        equal(patient["meta"]["versionId"], "2", "versionId after update")

    report.check("fhir", "update (fhirpy save)", update, "FHIR R4 http.html#update")

    def search():
        found = client.resources("Patient").search(identifier="urn:oid:1.2.3|FP1").fetch_all()
        equal([p.id for p in found], [saved["patient"].id], "by system|value")
        equal([p.id for p in client.resources("Patient").search(identifier="urn:oid:9.9.9|FP1").fetch()], [], "other system")
        for parameters in ({"family": "clientSON"}, {"name": "fern"}, {"birthdate": "ge1980-02-29", "gender": "female"},
                           {"_id": saved["patient"].id}):
            found = client.resources("Patient").search(**parameters).fetch()
            expect(saved["patient"].id in [p.id for p in found], f"not found by {parameters}")

    report.check("fhir", "search by token, string, date, _id (fhirpy)", search, "FHIR R4 search.html")

    def paging():
        for index in range(5):
            client.resource("Observation", status="final", code={"coding": [{"system": "urn:t", "code": "page"}]},
                            valueInteger=index, subject={"reference": f"Patient/{saved['patient'].id}"}).save()
        found = client.resources("Observation").search(code="urn:t|page").limit(2).fetch_all()
        equal(sorted(o["valueInteger"] for o in found), [0, 1, 2, 3, 4], "all pages")
        url, pages = f"{server.fhir}/Observation?code=urn:t|page&_count=2&_sort=-_lastUpdated", 0
        while url:
            answer = session.get(url, timeout=30)
            equal(answer.status_code, 200, "page")
            pages += 1
            url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), None)
        equal(pages, 3, "pages of five in twos")

    report.check("fhir", "next links, _count, _sort", paging, "FHIR R4 http.html#paging")

    def include():
        answer = session.get(f"{server.fhir}/Observation", timeout=30,
                             params={"code": "urn:t|page", "_include": "Observation:subject", "_count": 10})
        modes = [(e["resource"]["resourceType"], e["search"]["mode"]) for e in answer.json()["entry"]]
        equal(modes.count(("Patient", "include")), 1, "included patients")
        equal(modes.count(("Observation", "match")), 5, "matches")

    report.check("fhir", "_include", include, "FHIR R4 search.html#include")

    def history():
        patient = saved["patient"].id
        answer = session.get(f"{server.fhir}/Patient/{patient}/_history", timeout=30)
        equal(answer.status_code, 200, "status")
        bundle = answer.json()
        equal((bundle["type"], len(bundle["entry"])), ("history", 2), "bundle")
        equal([e["resource"]["meta"]["versionId"] for e in bundle["entry"]], ["2", "1"], "newest first")
        first = session.get(f"{server.fhir}/Patient/{patient}/_history/1", timeout=30)
        expect(first.status_code == 200 and "active" not in first.json(), "version 1 by vread")
        equal(session.get(f"{server.fhir}/Patient/{patient}/_history/77", timeout=30).status_code, 404, "unknown version")

    report.check("fhir", "instance history and vread", history, "FHIR R4 http.html#history")

    def conditions():
        url = f"{server.fhir}/Patient/{saved['patient'].id}"
        answer = session.get(url, timeout=30)
        equal(answer.headers.get("ETag"), 'W/"2"', "ETag")
        expect(answer.headers.get("Last-Modified"), "Last-Modified")
        equal(session.get(url, headers={"If-None-Match": 'W/"2"'}, timeout=30).status_code, 304, "If-None-Match")
        body = json.dumps(answer.json())
        stale = session.put(url, data=body, headers=headers(**{"If-Match": 'W/"1"'}), timeout=30)
        equal(stale.status_code, 412, "If-Match of a stale version")
        fresh = session.put(url, data=body, headers=headers(**{"If-Match": 'W/"2"', "Prefer": "return=minimal"}), timeout=30)
        expect(fresh.status_code == 200 and not fresh.content, f"Prefer: return=minimal gave {len(fresh.content)} bytes")

    report.check("fhir", "ETag, If-Match, If-None-Match, Prefer", conditions, "FHIR R4 http.html#concurrency")

    def exact():
        body = ('{"resourceType":"Observation","id":"exact-1","status":"final","code":{"text":"x"},'
                '"valueQuantity":{"value":1.10,"unit":"mm"},"component":[{"code":{"text":"y"},"valueQuantity":{"value":1e-3}}]}')
        url = f"{server.fhir}/Observation/exact-1"
        made = session.put(url, data=body, headers=headers(), timeout=30)
        equal(made.status_code, 201, f"create by update ({made.text[:160]})")
        expect("1.10" in session.get(url, timeout=30).text, "1.10 lost its zero")
        expect("1e-3" in session.get(url, timeout=30).text.lower(), "1e-3 was rewritten")

    report.check("fhir", "create by update keeps number text", exact, "FHIR R4 json.html#primitive")

    def delete():
        gone = client.resource("Observation", status="final", code={"text": "short"})
        gone.save()
        gone.delete()
        url = f"{server.fhir}/Observation/{gone.id}"
        equal(session.get(url, timeout=30).status_code, 410, "read after delete")
        equal(session.get(url + "/_history/1", timeout=30).status_code, 200, "old version after delete")
        expect(session.delete(url, timeout=30).status_code in (200, 204), "delete again")
        try:
            client.reference("Observation", "no-such").to_resource()
        except (ResourceNotFound, OperationOutcome):
            return
        raise AssertionError("an unknown id did not raise")

    report.check("fhir", "delete, 410, 404", delete, "FHIR R4 http.html#delete")

    def outcome(answer, *wanted):
        expect(answer.status_code in wanted, f"status {answer.status_code}, not {wanted}: {answer.text[:160]}")
        equal(answer.json()["resourceType"], "OperationOutcome", "body")
        expect(answer.json()["issue"][0]["severity"] in ("error", "fatal"), "severity")

    url = server.fhir + "/Patient"
    deep = '{"resourceType":"Patient","extension":' + '[{"url":"a","extension":' * 40 + "[]" + "}]" * 40 + "}"
    bad = [
        ("not JSON", "{", (400,)),
        ("duplicate key", '{"resourceType":"Patient","active":true,"active":false}', (400,)),
        ("another type than the path", '{"resourceType":"Observation"}', (400, 422)),
        ("no resourceType", "{}", (400, 422)),
        ("wrong cardinality", '{"resourceType":"Patient","name":{"family":"x"}}', (400, 422)),
        ("bad code", '{"resourceType":"Patient","gender":"x y z"}', (400, 422)),
        ("bad date", '{"resourceType":"Patient","birthDate":"1980-02-30"}', (400, 422)),
        ("nested 80 levels", deep, (400, 422)),
        ("lone surrogate", '{"resourceType":"Patient","name":[{"family":"\\ud800"}]}', (400,)),
        ("NUL in a string", '{"resourceType":"Patient","name":[{"family":"\\u0000"}]}', (400,)),
        ("invalid UTF-8", b'{"resourceType":"Patient","name":[{"family":"\xff"}]}', (400,)),
        ("empty body", "", (400,)),
    ]
    for name, body, wanted in bad:
        data = body if isinstance(body, bytes) else body.encode()
        report.check("fhir", f"refused with an OperationOutcome: {name}", lambda data=data, wanted=wanted: outcome(
            session.post(url, data=data, headers=headers(), timeout=30), *wanted), "FHIR R4 http.html#create")
    def audit_events():
        # Another client reads; a third one asks who did, and the judge looks at every event.
        reader = BackendClient(server, "audit-reader", "ES384", "system/*.rs", folder)
        reviewer = BackendClient(server, "audit-reviewer", "ES384", "system/AuditEvent.rs", folder)
        patient = saved["patient"].id
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
        equal(reader.session().get(f"{server.fhir}/Patient/{patient}", timeout=30).status_code, 200, "the read")
        events = server.fhir + "/AuditEvent"
        looker = reviewer.session()
        found = looker.get(events, params={"patient": patient, "date": "ge" + started, "action": "R"}, timeout=30)
        equal(found.status_code, 200, "the search")
        mine = [entry["resource"] for entry in found.json().get("entry", [])
                if any(agent.get("name") == reader.id for agent in entry["resource"]["agent"])]
        equal(len(mine), 1, "events of the read")
        event = mine[0]
        equal(event["type"]["code"], "rest", "type")
        equal([code["code"] for code in event["subtype"]], ["read"], "subtype")
        equal(event["meta"]["profile"],
              ["https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"], "profile")
        expect(f"Patient/{patient}" in [entity.get("what", {}).get("reference") for entity in event["entity"]],
               "no entity is the patient")
        equal(looker.get(f"{events}/{event['id']}", timeout=30).json(), event, "the event by its id")
        every = looker.get(events, params={"_count": 200, "_total": "accurate"}, timeout=30).json()
        expect(every["total"] >= len(every["entry"]) > 1, "all events")
        refused = session.put(f"{events}/{event['id']}", data=json.dumps(event), headers=headers(), timeout=30)
        outcome(refused, 405)

    report.check("fhir", "AuditEvents of a patient after another client's read", audit_events, "IHE BALP 1.1")

    def compressed():
        place = f"{server.fhir}/Observation/gzip-1"
        body = json.dumps({"resourceType": "Observation", "id": "gzip-1", "status": "final",
                           "code": {"text": "x"}, "valueString": "long" * 1000}).encode()

        def put(data, coding):
            return session.put(place, data=data, headers=headers(**{"Content-Encoding": coding}), timeout=30)

        made = put(gzip.compress(body), "gzip")
        equal(made.status_code, 201, f"a gzipped body ({made.text[:160]})")
        coded = session.get(place, headers={"Accept-Encoding": "gzip"}, timeout=30)
        plain = session.get(place, headers={"Accept-Encoding": "gzip;q=0"}, timeout=30)
        equal(coded.headers.get("Content-Encoding"), "gzip", "Content-Encoding where gzip is accepted")
        equal(plain.headers.get("Content-Encoding"), None, "Content-Encoding where it is not")
        expect(coded.content == plain.content, "the two forms differ")
        outcome(put(zlib.compress(body), "deflate"), 415)
        outcome(put(gzip.compress(body)[:-9], "gzip"), 400)
        outcome(put(gzip.compress(b" " * (20 << 20)), "gzip"), 413)

    report.check("fhir", "gzip of requests and answers", compressed, "RFC 9110 §8.4")

    def unknown_element():
        # Streamed, so that the judge leaves this one out: an unknown element may be kept or refused, never dropped.
        answer = session.post(url, data='{"resourceType":"Patient","nope":1}', headers=headers(), timeout=30, stream=True)
        if answer.status_code in (400, 422):
            return "refused"
        equal(answer.status_code, 201, "status")
        equal(answer.json().get("nope"), 1, "the element")
        session.delete(f"{url}/{answer.json()['id']}", timeout=30)
        return "kept"

    report.check("fhir", "an unknown element is kept or refused, not dropped", unknown_element, "FHIR R4 http.html#create")
    others = [
        ("unknown type", lambda: outcome(session.get(server.fhir + "/Nobody", timeout=30), 404)),
        ("unknown search parameter (strict)", lambda: outcome(
            session.get(url, params={"nope": "1"}, headers={"Prefer": "handling=strict"}, timeout=30), 400)),
        ("bad date in a search", lambda: outcome(session.get(url, params={"birthdate": "yesterday"}, timeout=30), 400)),
        ("another media type", lambda: outcome(session.post(
            url, data="<Patient/>", headers={"Content-Type": "text/plain"}, timeout=30), 415)),
        ("another Accept", lambda: outcome(session.get(url, headers={"Accept": "image/png"}, timeout=30), 406)),
        ("wrong method", lambda: expect(session.request("PUT", url, data="{}", headers=headers(), timeout=30).status_code
                                        in (400, 404, 405), "PUT on a type")),
    ]
    for name, work in others:
        report.check("fhir", f"refused: {name}", work, "FHIR R4 http.html")

    def capabilities():
        answer = requests.get(server.fhir + "/metadata", verify=server.verify, timeout=30)
        equal(answer.status_code, 200, "without a token")
        statement = answer.json()
        equal((statement["resourceType"], statement["fhirVersion"]), ("CapabilityStatement", "4.0.1"), "statement")
        types = {r["type"] for r in statement["rest"][0]["resource"]}
        expect({"Patient", "ServiceRequest", "ImagingStudy", "DiagnosticReport", "Observation"} <= types, "types")
        return f"{len(types)} resource types"

    report.check("fhir", "CapabilityStatement", capabilities, "FHIR R4 http.html#capabilities")

    # Bulk data

    def export_by_hand():
        start = session.get(f"{server.fhir}/$export", params={"_type": "Patient,Observation"}, timeout=30,
                            headers={"Accept": "application/fhir+json", "Prefer": "respond-async"})
        equal(start.status_code, 202, f"kick-off ({start.text[:160]})")
        where = start.headers["Content-Location"]
        for _ in range(300):
            status = session.get(where, timeout=30)
            if status.status_code != 202:
                break
            expect(status.headers.get("X-Progress") or True, "")
            time.sleep(min(float(status.headers.get("Retry-After", "0.2")), 1))
        equal(status.status_code, 200, "status")
        manifest = status.json()
        for key in ("transactionTime", "request", "requiresAccessToken", "output", "error"):
            expect(key in manifest, f"manifest without {key}")
        equal({o["type"] for o in manifest["output"]}, {"Patient", "Observation"}, "types")
        lines = 0
        for output in manifest["output"]:
            file = session.get(output["url"], headers={"Accept": "application/fhir+ndjson"}, timeout=60)
            equal(file.status_code, 200, "file")
            equal(file.headers["Content-Type"].split(";")[0], "application/fhir+ndjson", "Content-Type")
            for line in file.text.splitlines():
                equal(json.loads(line)["resourceType"], output["type"], "type in a file")
                lines += 1
            if "count" in output:
                equal(output["count"], len(file.text.splitlines()), "count")
            if manifest["requiresAccessToken"]:
                equal(requests.get(output["url"], verify=server.verify, timeout=30).status_code, 401, "file without a token")
        equal(session.delete(where, timeout=30).status_code, 202, "delete")
        expect(session.get(where, timeout=30).status_code in (404, 410), "status after delete")
        return f"{lines} resources"

    report.check("bulk", "$export: kick-off, status, manifest, files, delete", export_by_hand, "Bulk Data 2.0")

    def no_prefer():
        answer = session.get(f"{server.fhir}/$export", timeout=30, headers={"Accept": "application/fhir+json"})
        expect(answer.status_code in (202, 400), f"status {answer.status_code}")
        unknown = session.get(f"{server.fhir}/$export", params={"_type": "Nobody"}, timeout=30,
                              headers={"Accept": "application/fhir+json", "Prefer": "respond-async"})
        equal(unknown.status_code, 400, "unknown type in _type")

    report.check("bulk", "refused: an unknown type in _type", no_prefer, "Bulk Data 2.0")

    def smart_fetch(alg="ES384"):
        import smart

        key = smart.Key(alg)
        identity = server.register_client("smart-fetch", smart.write_jwks(f"{folder}/fetch.jwks.json", [key]), "system/*.rs")
        private = pathlib.Path(folder) / "fetch.private.jwks"
        private.write_text(json.dumps({"keys": [key.private_jwk()]}))
        member = {"entity": {"reference": "Patient/fetch-in"}}
        for resource in (
                *({"resourceType": "Patient", "id": f"fetch-{name}", "name": [{"family": name}]} for name in ("in", "out")),
                *({"resourceType": "Observation", "id": f"fetch-{name}", "status": "final", "code": {"text": "fetched"},
                   **({} if name == "nobody" else {"subject": {"reference": f"Patient/fetch-{name}"}})}
                  for name in ("in", "out", "nobody")),
                {"resourceType": "Group", "id": "fetch", "type": "person", "actual": True, "member": [member]}):
            answer = session.put(f"{server.fhir}/{resource['resourceType']}/{resource['id']}", json=resource, timeout=30)
            expect(answer.status_code in (200, 201), f"{resource['id']}: {answer.status_code} {answer.text[:200]}")

        def fetched(level, *words):
            """The ids of `fetch-…` that it wrote, by type, and how many there are of others."""
            out = pathlib.Path(folder) / f"fetched-{level}"
            out.mkdir(exist_ok=True)
            # It names the whole system and Groups alone: for all patients it is told where to begin.
            begin = "import sys, smart_fetch.bulk_utils as bulk; from smart_fetch.cli.main import main_cli; "
            if level == "patients":
                begin += "bulk.export_url = lambda url, group: url + '/Patient'; "
            if level == "group":
                # It asks for the scopes of the types that it wants; who may not read Groups is refused.
                begin += "from smart_fetch import resources; resources.SCOPE_TYPES = {*resources.SCOPE_TYPES, 'Group'}; "
            done = subprocess.run(
                [os.sys.executable, "-c", begin + "sys.exit(main_cli())", "bulk", "--fhir-url", server.fhir,
                 "--smart-client-id", identity, "--smart-key", str(private), "--type", "Patient,Observation",
                 "--no-default-filters", "--no-compression", *words, str(out)],
                capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL,
                env={**os.environ, "SSL_CERT_FILE": server.ca})
            expect(done.returncode == 0, f"{level}: {(done.stdout + done.stderr)[-400:]}")
            found = [json.loads(line) for file in out.rglob("*.ndjson") for line in file.read_text().splitlines() if line]
            found = [each for each in found if each.get("resourceType") in ("Patient", "Observation")]
            ours = {f"{each['resourceType']}/{each['id']}" for each in found if each["id"].startswith("fetch-")}
            return ours, len(found) - len(ours)

        patients = {f"{kind}/fetch-{name}" for kind in ("Patient", "Observation") for name in ("in", "out")}
        equal(fetched("system")[0], patients | {"Observation/fetch-nobody"}, "of the system")
        equal(fetched("patients")[0], patients, "of all patients")
        equal(fetched("group", "--group", "fetch"), ({"Patient/fetch-in", "Observation/fetch-in"}, 0), "of the Group")

    report.check("bulk", "smart-fetch: token with ES384, and exports of the system, all patients and a Group", smart_fetch,
                 "Bulk Data 2.0, SMART 2.2")

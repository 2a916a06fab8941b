"""Whom people see who work here: a referrer, a reader, an administrator and a patient sign in, an application asks in their
name by scopes of the user level, and gets FHIR and DICOMweb of two patients; grants, emergencies, labels and refusals."""

import sys

import requests
from pydicom.uid import generate_uid

import check_launch
import check_signin
import small_images
from check_launch import REDIRECT, Launch
from check_signin import PASSWORD, Browser, Forms
from report import equal, expect

CLAUSE = "SMART 2.2 scopes"
SCOPE = "openid fhirUser user/*.rs"
MR = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
MULTIPART = 'multipart/related; type="application/dicom"; transfer-syntax=*'


class Clinic:
    """Two patients, each with an observation and a study, and an application for people who work here."""

    def __init__(self, server, backend):
        self.server, self.fhir = server, backend.session()
        self.doctor = self.create({"resourceType": "Practitioner", "name": [{"family": "Order"}]})
        self.patients, self.studies, self.numbers = {}, {}, {}
        for name in ("Amber", "Beryl"):
            number = "ROLES-" + name.upper()
            identifier = self.identifier(number)
            self.numbers[name] = number
            self.patients[name] = self.create(
                {"resourceType": "Patient", "name": [{"family": name}], "identifier": [identifier]})
            self.create({"resourceType": "Observation", "status": "final", "code": {"text": name},
                         "subject": {"reference": f"Patient/{self.patients[name]}"}})
            self.studies[name] = generate_uid()
            modality = "CT" if name == "Amber" else "MR"
            image = small_images.image(1, self.studies[name], generate_uid(), number, name, modality=modality)
            body = (b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + small_images.part10(image)
                    + b"\r\n--cut--\r\n")
            answer = self.fhir.post(
                server.dicomweb + "/studies", data=body, timeout=60,
                headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=cut',
                         "Accept": "application/dicom+json"})
            equal(answer.status_code, 200, answer.text[:300])
        out = server.command(
            "client", "register", server.folder, "--name", "Desk", "--public", "--redirect-uri", REDIRECT,
            "--launch", "https://viewer.example/launch", "--scope", "launch " + SCOPE)
        self.client = check_launch.Site.word(out, "client_id")

    def identifier(self, number):
        """As the site reads a record number of an image that names no issuer."""
        return {"type": MR, "system": self.system(), "value": number}

    def system(self):
        for line in (self.server.folder / "site.yaml").read_text().splitlines():
            words = line.split("#")[0].split()
            if words[:1] == ["patient_default:"]:
                return words[1].strip("\"'")
        return "urn:hilum:patient"

    def create(self, resource):
        answer = self.fhir.post(f"{self.server.fhir}/{resource['resourceType']}", json=resource, timeout=30)
        equal(answer.status_code, 201, answer.text[:300])
        return answer.json()["id"]

    def put(self, resource):
        answer = self.fhir.put(
            f"{self.server.fhir}/{resource['resourceType']}/{resource['id']}", json=resource, timeout=30)
        expect(answer.status_code in (200, 201), answer.text[:300])

    def delete(self, path):
        expect(self.fhir.delete(f"{self.server.fhir}/{path}", timeout=30).status_code in (200, 204), path)

    def token(self, **fields):
        return requests.post(self.server.http + "/oauth/token", data=fields, verify=self.server.verify, timeout=30)

    def account(self, name, role, *words):
        check_signin.choose_password(self.server, name, check_signin.add(self.server, name, role, *words))


class Person:
    """Somebody who is signed in, and an application with a token of theirs."""

    def __init__(self, clinic, name, scope=SCOPE):
        self.clinic, self.server = clinic, clinic.server
        launch = Launch(clinic, clinic.client, scope)
        launch.browser.get(launch.path())
        launch.browser.post("/account/sign-in", name=name, password=PASSWORD)
        launch.browser.get(Forms(launch.browser.page.text).refresh)
        answer = launch.redeem(launch.allow()["code"])
        equal(answer.status_code, 200, answer.text)
        self.headers = {"Authorization": "Bearer " + answer.json()["access_token"]}

    def get(self, path, accept=None):
        headers = {**self.headers, **({"Accept": accept} if accept else {})}
        return requests.get(self.server.http + path, headers=headers, verify=self.server.verify, timeout=60)

    def seen(self):
        """Whose data is seen, by reading, searching, its total, and QIDO-RS, which must agree."""
        names = sorted(self.clinic.patients)
        read = [n for n in names if self.get(f"/fhir/Patient/{self.clinic.patients[n]}").status_code == 200]
        texts = {n: self.clinic.patients[n] for n in names}
        found = self.get("/fhir/Observation?code:text=Amber,Beryl&_total=accurate")
        equal(found.status_code, 200, found.text[:300])
        bundle = found.json()
        subjects = {e["resource"]["subject"]["reference"] for e in bundle.get("entry", [])}
        equal(sorted(n for n in names if f"Patient/{texts[n]}" in subjects), read, "by a search")
        equal(bundle["total"], len(read), "total")
        answer = self.get("/dicomweb/studies?limit=1000", "application/dicom+json")
        expect(answer.status_code in (200, 204), answer.text[:300])
        uids = [s["0020000D"]["Value"][0] for s in answer.json()] if answer.status_code == 200 else []
        equal([n for n in names if self.clinic.studies[n] in uids], read, "by QIDO-RS")
        return read

    def images(self):
        """Whose objects are given by WADO-RS; of all others the answer is that of an unknown study."""
        unknown = self.get("/dicomweb/studies/1.2.3.4.5", MULTIPART)
        given = []
        for name, uid in sorted(self.clinic.studies.items()):
            answers = [self.get(f"/dicomweb/studies/{uid}", MULTIPART),
                       self.get(f"/dicomweb/studies/{uid}/metadata", "application/dicom+json"),
                       self.get(f"/dicomweb/studies/{uid}/rendered", "image/png")]
            states = {answer.status_code for answer in answers}
            if states == {404}:
                equal(len(answers[0].content), len(unknown.content), "as long as of an unknown study")
                continue
            equal(states, {200}, f"images of {name}")
            given.append(name)
        return given


def check(report, server, backend):
    clinic = Clinic(server, backend)
    amber, beryl = clinic.patients["Amber"], clinic.patients["Beryl"]

    def referrer():
        clinic.account("rolf", "referrer", "--fhir-user", f"Practitioner/{clinic.doctor}")
        rolf = Person(clinic, "rolf")
        equal(rolf.seen(), [], "before an order")
        order = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": {"text": "CT"},
                 "subject": {"reference": f"Patient/{amber}"}, "requester": {"reference": f"Practitioner/{clinic.doctor}"}}
        order["id"] = clinic.create(order)
        equal(rolf.seen(), ["Amber"], "with an order, by the same token")
        equal(rolf.images(), ["Amber"], "images with an order")
        clinic.put({**order, "status": "entered-in-error"})
        equal(rolf.seen(), [], "with an order entered in error")
        equal(rolf.images(), [], "images with an order entered in error")
        changed = requests.put(server.http + f"/fhir/Patient/{amber}", headers=rolf.headers, verify=server.verify,
                               json={"resourceType": "Patient", "id": amber}, timeout=30)
        equal(changed.status_code, 403, "a change")

    report.check("roles", "a referrer sees the patients of their orders, as these stand now", referrer, CLAUSE)

    def reader():
        clinic.account("rita", "reader")
        rita = Person(clinic, "rita")
        equal(rita.seen(), [], "without a desk")
        for words, whom in ((("--modality", "MR", "--station", "*"), ["Beryl"]),
                            (("--modality", "CT", "--modality", "MR", "--station", "*"), ["Amber", "Beryl"]),
                            (("--modality", "CT", "--station", "ELSEWHERE"), []), (("--none",), [])):
            server.command("user", "desk", server.folder, "rita", *words)
            equal(rita.seen(), whom, f"desk {words}")
            equal(rita.images(), whom, f"images, desk {words}")

    report.check("roles", "a reader sees the patients of their desk's modalities and stations", reader, CLAUSE)

    def administrator():
        clinic.account("adam", "administrator")
        adam = Person(clinic, "adam")
        equal(adam.seen(), ["Amber", "Beryl"], "all patients")
        equal(adam.images(), [], "no images")
        server.command("user", "grant", server.folder, "adam", "--patient", beryl, "--hours", "1", "--reason", "audit")
        equal(adam.images(), ["Beryl"], "images of a patient who was granted")
        expect("open" in server.command("user", "grants", server.folder, "adam"), "listed")
        server.command("user", "revoke-grant", server.folder, "adam", "--patient", beryl)
        equal(adam.images(), [], "images after the grant was revoked")

    report.check("roles", "an administrator sees everything but images that were not granted", administrator, CLAUSE)

    def emergency():
        clinic.account("emma", "referrer", "--fhir-user", "Practitioner/none")
        emma = Person(clinic, "emma")
        equal(emma.seen(), [], "before")
        browser = Browser(server)
        browser.sign_in("emma")
        for fields, text in (({"number": "nobody", "reason": "x"}, "no patient"),
                             ({"number": clinic.numbers["Beryl"], "reason": " "}, "Give a reason")):
            browser.get("/account/emergency")
            browser.post("/account/emergency", **fields)
            equal(browser.page.status_code, 403, str(fields))
            expect(text in browser.page.text, browser.page.text[:500])
        equal(emma.seen(), [], "after what was refused")
        browser.get("/account/emergency")
        browser.post("/account/emergency", number=clinic.numbers["Beryl"], reason="found <b>unconscious</b>")
        equal(browser.page.status_code, 200, browser.page.text[:500])
        expect("Patient/" + beryl in browser.page.text and "<b>" not in browser.page.text, "what is open")
        equal(emma.seen(), ["Beryl"], "in an emergency")
        equal(emma.images(), ["Beryl"], "images in an emergency")
        equal(browser.get("/account/emergencies").status_code, 404, "the operators' list")
        rows = clinic.fhir.get(f"{server.fhir}/AuditEvent?patient={beryl}&_count=100", timeout=30).text
        expect("break-glass" in rows or "BTG" in rows, "an audit row")
        expect("purposeOfEvent" in rows and '"110127"' in rows, "which says for what it was done")
        server.command("user", "revoke-grant", server.folder, "emma", "--patient", beryl)
        equal(emma.seen(), [], "after it was ended")
        nobody = Browser(server)
        nobody.sign_in("adam")
        equal(nobody.get("/account/emergency").status_code, 404, "the page for an administrator")

    report.check("roles", "break-glass: a reason, an audit row, an end", emergency, "IHE BALP; HL7 v3 ActReason BTG")

    def cuts():
        clinic.account("cleo", "referrer")
        server.command("user", "grant", server.folder, "cleo", "--patient", amber)
        cleo = Person(clinic, "cleo")
        patient = {"resourceType": "Patient", "id": amber, "name": [{"family": "Amber"}],
                   "identifier": [clinic.identifier(clinic.numbers["Amber"])]}
        equal((cleo.seen(), cleo.images()), (["Amber"], ["Amber"]), "before")
        for code, whom in (("R", []), ("N", ["Amber"]), ("V", [])):
            clinic.put({**patient, "meta": {"security": [{"system": CONFIDENTIALITY, "code": code}]}})
            equal((cleo.seen(), cleo.images()), (whom, whom), f"a patient labelled {code}")
        clinic.put({**patient, "meta": {"security": [{"system": CONFIDENTIALITY, "code": "N"}]}})
        consent = {"resourceType": "Consent", "status": "active", "patient": {"reference": f"Patient/{amber}"},
                   "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
                                         "code": "patient-privacy"}]},
                   "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
                   "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                              "code": "OPTOUT"}]},
                   "provision": {"type": "deny"}}
        consent["id"] = clinic.create(consent)
        equal((cleo.seen(), cleo.images()), ([], []), "with a refusal")
        clinic.put({**consent, "status": "inactive"})
        equal((cleo.seen(), cleo.images()), (["Amber"], ["Amber"]), "with a refusal that was taken back")
        clinic.delete("Consent/" + consent["id"])

    report.check("roles", "labels R and V and a Consent that denies hide a patient, and their images", cuts,
                 "FHIR R4 security-labels.html, consent.html")

    def patient():
        clinic.account("amber", "patient", "--fhir-user", f"Patient/{amber}", "--patient", amber)
        own = Person(clinic, "amber")
        equal((own.seen(), own.images()), (["Amber"], ["Amber"]), "their own")
        server.command("user", "role", server.folder, "amber", "--role", "referrer")
        equal(own.get(f"/fhir/Patient/{amber}").status_code in (200, 401), True, "a token within its minute")
        expect("referrer" in server.command("user", "list", server.folder), "the new role")

    report.check("roles", "a patient sees their own data and images", patient, CLAUSE)


if __name__ == "__main__":
    import alone
    from smart import BackendClient

    sys.exit(alone.run("roles", check, lambda server, folder: BackendClient(
        server, "everything", "ES384", "system/*.cruds", folder)))

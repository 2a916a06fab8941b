"""The pages for operators as a browser without scripts drives them: each page, a parked message that is replayed, a
study of the quarantine that is decided about, and who is not let in."""

import html
import pathlib
import re
import sys
import time

import requests

import alone
import check_dicom
import check_hl7_out
import check_signin
import dicom_files
from check_signin import PASSWORD, Browser, Forms
from hilum_server import HilumServer
from report import equal, expect
from ris import Receiver, answer
from smart import BackendClient

GROUP = "operations"
PAGES = ("", "/queues", "/messages", "/quarantine", "/conflicts", "/steps", "/fetches", "/commitments", "/exports",
         "/imports", "/peers", "/authorities", "/storage", "/audit")
PROFILE = """
destinations:
  ward:
    peer: WARD|EAST
    connect_seconds: 1
    send: [{ event: patient, as: ADT^A31 }]
"""


class Site:
    """A server with a receiver that refuses messages, and an operator who is signed in."""

    def __init__(self, folder, plain=False, postgres=None):
        self.server = HilumServer(
            folder / "operations", postgres=check_hl7_out.own_database(postgres, "operations"),
            log=folder / "operations.log", options=["--plain-loopback"] if plain else [])
        self.server.init()
        self.receiver = Receiver(lambda arrival: [
            answer(arrival, "AE", more=["ERR|||207^Application internal error^HL70357|E"])])
        with open(self.server.folder / "site.yaml", "a") as file:
            file.write(PROFILE)
        self.server.command("peer", "add", self.server.folder, "--mllp-app", "WARD", "--mllp-facility", "EAST",
                            "--host", "127.0.0.1", "--port", self.receiver.port, "--may", "adt", "--offers", "all")
        self.backend = BackendClient(self.server, "ehr", "ES384", "system/*.cruds", folder)
        self.olga = check_signin.add(self.server, "olga", "operator")
        self.anna = check_signin.add(self.server, "anna", "practitioner", "--fhir-user", "Practitioner/1")
        self.server.start()
        self.session = self.backend.session()

    def put_patient(self, id):
        found = self.session.put(f"{self.server.fhir}/Patient/{id}", timeout=30, json={
            "resourceType": "Patient", "id": id, "name": [{"family": "<b>Evil</b>"}],
            "identifier": [{"system": "urn:hilum:site:mrn", "value": id.upper()}]})
        expect(found.status_code in (200, 201), f"PUT Patient/{id}: {found.status_code} {found.text[:300]}")

    def close(self):
        self.receiver.stop()
        return self.server.stop()


def wait_for(browser, path, text, seconds=90):
    """Opens a page until it holds a text."""
    until = time.monotonic() + seconds
    while True:
        page = browser.get(path)
        equal(page.status_code, 200, path)
        if text in page.text:
            return page.text
        expect(time.monotonic() < until, f"{path} has no {text!r} after {seconds} s")
        time.sleep(0.2)


def check(report, folder, plain=False, postgres=None):
    site = Site(pathlib.Path(folder), plain, postgres)
    try:
        drive(report, site)
    finally:
        code = site.close()
    report.check(GROUP, "SIGTERM drains and exits 0", lambda: equal(code, 0, "exit code"))


def drive(report, site):
    server = site.server
    browser = Browser(server)

    def sign_in():
        check_signin.choose_password(server, "olga", site.olga)
        browser.get("/operations/queues?patient=1")
        equal(Forms(browser.page.text).form("/account/sign-in")["return"], "/operations/queues", "goes on to")
        browser.post("/account/sign-in", name="olga", password=PASSWORD)
        browser.get("/account/enrolment")
        check_signin.enrol(browser)
        expect('href="/operations"' in browser.get("/account").text, "the account leads to the pages")

    report.check(GROUP, "an operator signs in with two factors and is led on", sign_in, "OWASP ASVS 5.0 V6")

    def pages():
        for path in PAGES:
            page = browser.get("/operations" + path)
            equal(page.status_code, 200, path)
            expect("<h1>" in page.text and "<script" not in page.text and "style=" not in page.text, path)
            forms = Forms(page.text)
            expect(forms.ids <= forms.labels, f"{path}: fields {forms.ids - forms.labels} without labels")
            equal(page.headers["Cache-Control"], "no-store", path)
        return f"{len(PAGES)} pages"

    report.check(GROUP, "every page opens, needs no script, and labels its fields", pages, "CSP Level 3 §6; WCAG 2.2")

    def overview():
        page = browser.get("/operations").text
        for text in ("database", "listeners", "Days until it ends:", "Series in quarantine"):
            expect(text in page or (text.startswith("Days") and server.options), text)

    report.check(GROUP, "the first page tells of health, doors and certificates", overview)

    def replay():
        site.put_patient("ops1")
        text = wait_for(browser, "/operations/queues?state=parked", "/replay")
        expect("hl7/ward" in text and "Evil" not in text, "the destination, and nothing of the message")
        number = re.search(r'action="/operations/queues/(\d+)/replay"', text).group(1)
        form = Forms(text).form(f"/operations/queues/{number}/replay")
        refused = browser.send("POST", f"/operations/queues/{number}/replay", {**form, "csrf": "x"})
        equal(refused.status_code, 403, "a form without the token")
        site.receiver.script = lambda arrival: [answer(arrival)]
        browser.get("/operations/queues?state=parked")
        equal(browser.post(f"/operations/queues/{number}/replay").status_code, 200, "replayed")
        wait_for(browser, "/operations/queues?state=done&destination=hl7%2Fward", f"/operations/queues/{number}/replay")
        return f"entry {number}"

    report.check(GROUP, "a parked message is replayed and delivered", replay, "CWE-352")

    def quarantine():
        files, _ = dicom_files.test_files()
        name, path = next((name, path) for name, path in files if "CT_small" in name)
        sample = dicom_files.relabelled(name, path, "operations")
        stored = check_dicom.send_by_stow(report, server, site.backend, [sample])
        equal(len(stored), 1, "stored")
        place = f"/operations/quarantine/{sample.study}"
        expect(place in wait_for(browser, "/operations/quarantine", place), "listed")
        page = browser.get(place).text
        patient = html.escape(str(sample.data_set.PatientID))
        expect(patient in page and "No patient of that number" in page, "what the images say, and why it waits")
        refused = browser.post(place + "/accept", reason="looks right")
        equal(refused.status_code, 409, "accept of images that name no patient")
        expect("register the patient" in refused.text, "what to do next")
        browser.get(place)
        done = browser.post(place + "/relink", patient="ops1", reason="asked the ward")
        equal(done.status_code, 200, "relink")
        expect("Patient/ops1" in done.text and "asked the ward" in done.text, "the decision is shown")
        expect(place in browser.get("/operations/quarantine?state=decided").text, "listed as decided")
        browser.get(place)
        form = Forms(browser.page.text).form(place + "/accept")
        undone = browser.send("POST", place + "/undo", {**form, "reason": "no, not that one"})
        equal(undone.status_code, 200, "undo")
        expect(place in browser.get("/operations/quarantine?state=waiting").text, "waits again")
        rejected = browser.send("POST", place + "/reject", {**form, "reason": "a test"})
        equal(rejected.status_code, 200, "reject")
        expect(place in browser.get("/operations/quarantine?state=rejected").text, "listed as rejected")

    report.check(GROUP, "a study is shown with what it says, relinked, undone and rejected", quarantine, "IHE RAD IOCM")

    def audit():
        page = browser.get("/operations/audit?interaction=quarantine-relink").text
        expect("asked the ward" in page and "person " in page, "the decision and who made it")
        page = browser.get("/operations/audit?patient=ops1").text
        expect("Patient/ops1" in page, "rows of the patient")
        page = browser.get("/operations/audit?interaction=outbox").text
        expect("person " in page, "what operators looked at")
        none = browser.get("/operations/audit?until=2001-01-01").text
        expect("No row of those" in none, "an empty answer in words")

    report.check(GROUP, "the audit trail is searched by interaction, patient and time", audit)

    def others():
        check_signin.choose_password(server, "anna", site.anna)
        anna = Browser(server)
        anna.sign_in("anna")
        for path in PAGES:
            equal(anna.get("/operations" + path).status_code, 403, f"{path} of a practitioner")
        nobody = requests.get(server.http + "/operations/messages?patient=OPS1", verify=server.verify, timeout=30,
                              allow_redirects=False)
        equal(nobody.status_code, 303, "nobody")
        location = nobody.headers["Location"]
        expect(location.startswith("/account/sign-in?return=") and "OPS1" not in location, location)

    report.check(GROUP, "a practitioner is refused and nobody led to the sign-in", others, "CWE-862")


if __name__ == "__main__":
    sys.exit(alone.whole("operations", check))

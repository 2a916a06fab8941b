"""No patient's value in logs, metrics, error bodies, acknowledgments, links or file names: invented values in every field that
a patient has go through every door, well and badly, with the log at its wordiest, and are looked for afterwards. Refusals
name elements and parameters, which are no values.

    python check_canaries.py      # alone; HILUM names the binary
"""

import json
import pathlib
import re
import sys
import time
from urllib.parse import quote, urlencode, urlsplit

import pydicom
import requests
from pydicom.uid import generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import (
    CTImageStorage, ModalityWorklistInformationFind, PatientRootQueryRetrieveInformationModelFind as PATIENT_FIND,
    StudyRootQueryRetrieveInformationModelFind as STUDY_FIND, StudyRootQueryRetrieveInformationModelMove as STUDY_MOVE)

import alone
import check_signin
import small_images
from check_hl7 import FACILITY, SENDER, TLSClient, ask, msh
from check_hl7_out import own_database
from check_signin import Browser, Forms
from hilum_server import HilumServer
from outside_provider import Provider
from report import equal, expect
from smart import BackendClient

GROUP, PROMISE = "canaries", "promise: no patient data beside its doors"

# By the field that it stands in. None is a word, a number or a date that is anything else anywhere here.
CANARY = {
    "family": "Kanarvogel", "given": "Xuzanna", "maiden": "Kanargeborn", "number": "KNR773311", "ssn": "KNS884422",
    "account": "KNA995533", "visit": "KNV661177", "birth": "19431127", "street": "Kanargasse", "city": "Kanarstadt",
    "zip": "K9876", "phone": "0815kanar77", "mail": "kanar@vogel.example", "doctor": "Kanararzt", "kin": "Kanarmutter",
    "reason": "Kanarhusten", "finding": "Kanarbefund", "conclusion": "Kanarurteil", "comment": "Kanarbemerk",
    "accession": "KNACC5577", "placer": "KNPL5577", "filler": "KNFI5577", "description": "Kanarthorax",
}
# As FHIR writes the day of birth.
FOUND = [*CANARY.values(), "1943-11-27"]
# Doors that are shut where nothing is configured.
CONFIGURATION = """
outbound:
  allow-networks: [127.0.0.1/32]
  authorities: tls/outside.pem
sign-in:
  providers: [{{ name: hospital, issuer: "{issuer}", client: hilum, secret: keys/hospital.secret }}]
authorization-servers: [{{ issuer: "{issuer}", scopes: "patient/*.rs" }}]
registration: {{ dynamic: true }}
"""


def found(text):
    """The canaries in a text or in bytes, in whatever case and escaped as URLs are."""
    if isinstance(text, (bytes, bytearray)):
        text = text.decode("utf-8", "replace")
    text = text.lower()
    return sorted({each for each in FOUND if each.lower() in text or quote(each.lower(), safe="") in text})


class Watch:
    """Notes where a canary is that must not be."""

    def __init__(self):
        self.leaks = []
        self.looked = 0

    def look(self, where, text):
        self.looked += 1
        for each in found(text):
            self.leaks.append(f"{each} in {where}")


def pid(birth=None):
    c = CANARY
    return (f"PID|1||{c['number']}^^^TESTS^MR~{c['ssn']}^^^SSA^SS||{c['family']}^{c['given']}|{c['maiden']}|"
            f"{birth or c['birth']}|F|||{c['street']} 1^^{c['city']}^ST^{c['zip']}^USA||{c['phone']}^PRN^PH^{c['mail']}|"
            f"|||||{c['account']}^^^TESTS^AN|{c['ssn']}")


def messages():
    """Messages by name: what is carried out, and what is refused for every reason there is."""
    c = CANARY
    visit = f"PV1|1|I|WARD^1^1||||1234^{c['doctor']}^Dora|||||||||||{c['visit']}^^^TESTS^VN"
    order = [
        f"ORC|NW|{c['placer']}^CLIENTS|{c['filler']}^RIS||SC||^^^20260102090000^^R||20260101120000|||1234^{c['doctor']}^Dora",
        f"OBR|1|{c['placer']}^CLIENTS|{c['filler']}^RIS|CTCHEST^{c['description']}^L|||||||||{c['reason']}|||1234^{c['doctor']}"
        f"^Dora||{c['accession']}|RP1|SPS1|||CT||||||{c['reason']}|||||20260102090000",
        f"NTE|1||{c['comment']}"]
    result = [
        order[1], f"OBX|1|TX|F^{c['description']}||{c['finding']}||||||F",
        f"OBX|2|NM|S^Size^L||{c['finding']}|mm|||||F"]
    next_of_kin = f"NK1|1|{c['kin']}^Eva|MTH|{c['street']}|{c['phone']}"

    def message(kind, control, *lines):
        return "\r".join([msh(kind, control), "EVN|A04|20260101120000", *lines, ""])

    def plain(kind, control, *lines):
        return "\r".join([msh(kind, control), *lines, ""])

    broken = plain("ORU^R01^ORU_R01", "K-R2", pid(), result[0].replace("OBR|1|", "OBR|x|"), *result[1:])
    return {
        "register": message("ADT^A04^ADT_A01", "K-A1", pid(), next_of_kin, visit, f"ZZZ|{c['comment']}"),
        "register again": message("ADT^A08^ADT_A01", "K-A1", pid(), visit),
        "order": plain("ORM^O01^ORM_O01", "K-O1", pid(), visit, *order),
        "result": plain("ORU^R01^ORU_R01", "K-R1", pid(), visit, *result),
        "result that is no number": broken,
        "day that is none": message("ADT^A08^ADT_A01", "K-A2", pid("1943-" + c["birth"]), visit),
        "event that is none": message("ADT^A99^ADT_A01", "K-A3", pid()),
        "type that is none": plain("VXU^V04^VXU_V04", "K-A4", pid()),
        "without PID": message("ADT^A04^ADT_A01", "K-A5", visit, next_of_kin),
        "number in the wrong place": message("ADT^A04^ADT_A01", "K-A6", f"PID|{c['number']}|{c['family']}", visit),
        "merge into oneself": message("ADT^A40^ADT_A39", "K-A7", pid(), f"MRG|{c['number']}^^^TESTS^MR"),
        "another patient's visit": message(
            "ADT^A08^ADT_A01", "K-A8", pid().replace(c["number"], c["number"] + "B"), visit),
        "order control that is none": plain(
            "ORM^O01^ORM_O01", "K-O2", pid(), order[0].replace("ORC|NW", f"ORC|{c['family'][:2]}"), order[1]),
        "accession of another": plain(
            "ORM^O01^ORM_O01", "K-O3", pid().replace(c["number"], c["number"] + "C"), *order),
        "bytes that are no text": message("ADT^A04^ADT_A01", "K-A9", pid() + "\udcff\udcfe", visit),
        "escape that is none": message("ADT^A04^ADT_A01", "K-AA", pid().replace(c["family"], c["family"] + "\\Q9\\"), visit),
        "garbage": f"{c['family']}|{c['number']}",
        "very long name": message("ADT^A04^ADT_A01", "K-AB", pid().replace(c["family"], c["family"] * 300), visit),
        "version that is none": message("ADT^A04^ADT_A01", "K-AC", pid(), visit).replace("|2.5.1", "|9.9"),
    }


def patient(id=None, **more):
    c = CANARY
    return {"resourceType": "Patient", **({"id": id} if id else {}),
            "identifier": [{"system": "urn:canary", "value": c["number"]}],
            "name": [{"family": c["family"], "given": [c["given"]]}], "birthDate": "1943-11-27",
            "telecom": [{"system": "email", "value": c["mail"]}, {"system": "phone", "value": c["phone"]}],
            "address": [{"line": [c["street"]], "city": c["city"], "postalCode": c["zip"]}],
            "contact": [{"name": {"family": c["kin"]}}], **more}


def image(**more):
    c = CANARY
    it = small_images.image(1, generate_uid(), generate_uid(), c["number"], f"{c['family']}^{c['given']}",
                            description=c["description"], accession=c["accession"])
    it.PatientBirthDate, it.OtherPatientIDs, it.PatientAddress = c["birth"], c["ssn"], c["street"]
    it.PatientComments, it.ReferringPhysicianName = c["comment"], c["doctor"]
    it.PatientMotherBirthName, it.PatientTelephoneNumbers = c["kin"], c["phone"]
    for name, value in more.items():
        setattr(it, name, value)
    return it


class Site:
    def __init__(self, folder, postgres=None):
        self.folder = folder
        self.server = HilumServer(
            folder / "canaries", postgres=own_database(postgres, "canaries"), log=folder / "canaries.log")
        self.server.init()
        self.server.configure("log-level:", "log-level: trace")
        self.provider = Provider(folder, "canaries-provider", [(CANARY["number"], {
            "preferred_username": CANARY["family"], "name": f"{CANARY['given']} {CANARY['family']}", "email": CANARY["mail"]})])
        (self.server.folder / "tls" / "outside.pem").write_bytes(self.provider.certificate.read_bytes())
        secret = self.server.folder / "keys" / "hospital.secret"
        secret.write_text("a-secret-of-the-canaries\n")
        secret.chmod(0o600)
        with open(self.server.folder / "hilum.yaml", "a") as file:
            file.write(CONFIGURATION.format(issuer=self.provider.issuer))
        self.server.add_sender(SENDER, FACILITY)
        self.server.add_ae("CLIENTS")
        self.backend = BackendClient(self.server, "everything", "ES384", "system/*.cruds", folder)
        self.server.start()
        self.session = self.backend.session()
        self.watch = Watch()

    def send(self, method, path, **more):
        """A request; what is refused, and every header but those of the body, is looked at."""
        answer = self.session.request(method, self.server.http + path, timeout=60, allow_redirects=False, **more)
        where = f"{method} {path.split('?')[0]}: {answer.status_code}"
        if answer.status_code >= 400:
            self.watch.look(where, answer.content)
        self.watch.look(where + " headers", json.dumps(dict(answer.headers)))
        return answer


def fhir(site):
    c, send = CANARY, site.send
    kind = {"Content-Type": "application/fhir+json"}
    made = send("POST", "/fhir/Patient", json=patient(), headers=kind)
    equal(made.status_code, 201, made.text[:200])
    id = made.json()["id"]
    send("POST", "/fhir/Patient", json=patient(), headers={**kind, "If-None-Exist": f"identifier=urn:canary|{c['number']}"})
    statuses = []
    for body in (patient(birthDate=c["number"]), patient(gender=c["family"]), patient(managingOrganization=c["family"]),
                 patient(contact=[{"name": c["kin"]}]), patient(nothing=c["given"]), patient("other" + c["number"]),
                 patient(name=[{"family": c["family"] * 500}])):
        statuses.append(send("POST", "/fhir/Patient", json=body, headers=kind).status_code)
        send("PUT", f"/fhir/Patient/{id}", json={**body, "id": body.get("id", id)}, headers=kind)
    for data in (f'{{"resourceType":"Patient","name":"{c["family"]}', f'<Patient><name value="{c["family"]}"/></Patient>',
                 json.dumps(patient())[:-3]):
        statuses.append(send("POST", "/fhir/Patient", data=data.encode(), headers=kind).status_code)
    for patch in ([{"op": "replace", "path": f"/{c['given']}", "value": c["family"]}],
                  [{"op": "test", "path": "/birthDate", "value": c["family"]}],
                  [{"op": "replace", "path": "/birthDate", "value": c["family"]}]):
        statuses.append(send("PATCH", f"/fhir/Patient/{id}", json=patch,
                             headers={"Content-Type": "application/json-patch+json"}).status_code)
    send("GET", f"/fhir/Patient/{c['number']}")
    queries = [{"name": c["family"]}, {"identifier": f"urn:canary|{c['number']}"}, {"birthdate": c["family"]},
               {"birthdate": "1943-11-27"}, {"name:nothing": c["family"]}, {"_count": c["family"]},
               {"_sort": "nothing"}, {"_include": "Patient:nothing"}, {"general-practitioner.name": c["doctor"]},
               {"_lastUpdated": c["family"]}, {"_has:Observation:patient:code": c["finding"]},
               {"_filter": c["family"]}, {"_id": c["number"] + " x"}]
    for query in queries:
        for prefer in ("handling=lenient", "handling=strict"):
            answer = send("GET", "/fhir/Patient?" + urlencode(query), headers={"Prefer": prefer})
            answer = send("POST", "/fhir/Patient/_search", data=query, headers={"Prefer": prefer})
            # What goes on by itself in a browser or a log carries no values: `self` repeats what was asked. R4 search.html#conformance.
            if answer.status_code == 200:
                for link in answer.json().get("link", []):
                    if link["relation"] != "self":
                        site.watch.look(f"link {link['relation']}", link["url"])
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": patient(birthDate=c["number"]), "request": {"method": "POST", "url": "Patient"}},
        {"resource": {"resourceType": "Observation", "status": "final", "code": {"text": c["finding"]},
                      "subject": {"reference": f"Patient?identifier=urn:canary|{c['ssn']}"}},
         "request": {"method": "POST", "url": "Observation"}}]}
    for kind_of in ("transaction", "batch"):
        answer = send("POST", "/fhir", json={**bundle, "type": kind_of}, headers=kind)
        if answer.status_code == 200:
            for entry in answer.json()["entry"]:
                if not entry["response"]["status"].startswith("2"):
                    site.watch.look(f"entry of a {kind_of}", json.dumps(entry))
    send("PUT", f"/fhir/Patient/{id}", json=patient(id), headers={**kind, "If-Match": f'W/"{c["number"]}"'})
    send("POST", "/fhir/Subscription", headers=kind, json={
        "resourceType": "Subscription", "status": "requested", "reason": c["reason"],
        "criteria": f"Patient?name={c['family']}",
        "channel": {"type": "rest-hook", "endpoint": f"https://127.0.0.1/{c['number']}"}})
    send("POST", "/fhir/$export?" + urlencode({"_typeFilter": f"Patient?name={c['family']}", "_since": c["family"]}),
         headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})
    send("GET", "/fhir/$export?_type=" + c["family"], headers={"Prefer": "respond-async"})
    expect(all(400 <= status < 500 for status in statuses), f"refusals: {statuses}")
    return f"{len(queries)} queries, {len(statuses)} refusals"


def dicomweb(site):
    c, send = CANARY, site.send

    def store(*files, study="", boundary="cut"):
        body = b"".join(b"\r\n--cut\r\nContent-Type: application/dicom\r\n\r\n" + each for each in files) + b"\r\n--cut--\r\n"
        answer = send("POST", "/dicomweb/studies" + study, data=body, headers={
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json"})
        if answer.status_code == 202:
            site.watch.look("STOW 202", answer.content)
        return answer.status_code

    good = image()
    data = small_images.part10(good)
    equal(store(data), 200, "STOW")
    again = small_images.part10(image(SOPInstanceUID=good.SOPInstanceUID))
    store(again), store(data[:-5]), store(data[:400]), store(data.replace(b"DICM", b"DUCM")), store(data, boundary=c["number"])
    store(data, study="/1.2.3.4"), store(c["family"].encode() * 50)
    for bad in (image(StudyInstanceUID=c["number"]), image(PatientID="X" * 70 + c["number"]), image(SeriesInstanceUID="")):
        store(small_images.part10(bad))
    for query in ({"PatientName": c["family"]}, {"PatientID": c["number"]}, {"PatientBirthDate": c["family"]},
                  {"StudyInstanceUID": c["number"]}, {"Nothing": c["given"]}, {"limit": c["number"]},
                  {"offset": c["family"]}, {"PatientName": [c["family"], c["given"]]}, {"StudyDate": c["number"]}):
        send("GET", "/dicomweb/studies?" + urlencode(query, doseq=True), headers={"Accept": "application/dicom+json"})
    study = f"/dicomweb/studies/{good.StudyInstanceUID}"
    for path in ("", "/metadata", "/rendered", "/thumbnail", f"/series/{c['number']}", f"/series/{good.SeriesInstanceUID}/rendered?window="
                 + c["number"], f"/series/{good.SeriesInstanceUID}/instances/{good.SOPInstanceUID}/frames/{c['number']}"):
        send("GET", study + path)
    send("GET", f"/dicomweb/studies/{c['number']}")
    item = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": c["family"]}]}, "00100020": {"vr": "LO", "Value": [c["number"]]}}
    for path in ("/dicomweb/workitems", "/dicomweb/workitems?" + c["number"], "/dicomweb/workitems?2.25.77"):
        send("POST", path, json=[item], headers={"Content-Type": "application/dicom+json"})
    send("GET", "/dicomweb/workitems?" + urlencode({"PatientName": c["family"], "00404005": c["number"]}))
    return good


def dimse(site):
    c, watch, server = CANARY, site.watch, site.server
    entity = AE("CLIENTS")
    for model in (CTImageStorage, STUDY_FIND, PATIENT_FIND, ModalityWorklistInformationFind, STUDY_MOVE):
        entity.add_requested_context(model)

    def associate(ae=entity):
        return ae.associate("127.0.0.1", server.dimse["port"], ae_title=server.dimse["ae"], tls_args=server.dimse_tls())

    def look(what, status):
        for keyword in ("ErrorComment", "OffendingElement"):
            watch.look(f"{what}: {keyword}", str(getattr(status, keyword, "")))

    association = associate()
    expect(association.is_established, "the association")
    good = image()
    equal(association.send_c_store(good).Status, 0, "C-STORE")
    for bad in (image(SOPInstanceUID=good.SOPInstanceUID), image(StudyInstanceUID=""), image(PatientID="X" * 2000 + c["number"]),
                image(SeriesInstanceUID=c["number"])):
        try:
            look("C-STORE", association.send_c_store(bad))
        except (ValueError, RuntimeError):
            pass
        if not association.is_established:
            association = associate()
    keys = [("STUDY", STUDY_FIND, {"PatientName": c["family"]}), ("STUDY", STUDY_FIND, {"PatientID": c["number"]}),
            ("STUDY", STUDY_FIND, {"StudyDate": "x" + c["birth"]}), ("PATIENT", PATIENT_FIND, {"PatientBirthDate": c["birth"]}),
            (c["family"][:10].upper(), STUDY_FIND, {"PatientID": c["number"]}), ("IMAGE", STUDY_FIND, {"PatientName": c["family"]}),
            (None, ModalityWorklistInformationFind, {"PatientName": c["family"], "PatientID": c["number"]})]
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    for level, model, words in keys:
        asked = pydicom.Dataset()
        if level:
            asked.QueryRetrieveLevel = level
        for name, value in words.items():
            setattr(asked, name, value)
        for status, _ in association.send_c_find(asked, model):
            look("C-FIND", status)
        if not association.is_established:
            association = associate()
    asked = pydicom.Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", good.StudyInstanceUID
    for status, _ in association.send_c_move(asked, "NOBODY", STUDY_MOVE):
        look("C-MOVE", status)
    association.release()
    stranger = AE("STRANGER")
    stranger.add_requested_context(CTImageStorage)
    refused = associate(stranger)
    if refused.is_established:
        refused.release()


def hl7(site):
    kinds = {}
    for name, text in messages().items():
        data = text.encode("utf-8", "surrogateescape")
        try:
            answer = ask(site.server, data)
        except (OSError, AssertionError) as error:
            # A frame that is closed on is answered by nothing.
            kinds[name] = f"none ({type(error).__name__})"
            continue
        kinds[name] = (re.search(rb"MSA\|(\w\w)", answer) or [b"", b"?"])[1].decode()
        site.watch.look(f"the acknowledgment of {name}", answer)
    with TLSClient(site.server) as client:
        # Cut off in the middle.
        client.socket.sendall(b"\x0b" + messages()["register"].encode()[:200])
    expect(kinds["register"] == "AA" and kinds["order"] == "AA" and kinds["result"] == "AA", f"{kinds}")
    return ", ".join(f"{name}: {code}" for name, code in kinds.items() if code != "AA")


def tokens(site):
    c, server = CANARY, site.server
    for fields in ({"grant_type": c["family"]}, {"grant_type": "client_credentials", "scope": f"patient/{c['family']}.rs"},
                   {"grant_type": "client_credentials", "client_assertion": c["number"], "client_assertion_type": c["family"]},
                   {"grant_type": "authorization_code", "code": c["number"], "client_id": c["family"]}):
        answer = requests.post(server.http + "/oauth/token", data=fields, verify=server.verify, timeout=30)
        site.watch.look("/oauth/token", answer.content)
    for path in (f"/fhir/Patient?name={c['family']}", f"/dicomweb/studies?PatientName={c['family']}",
                 f"/account/{c['number']}?x={c['family']}", f"/operations/messages?patient={c['number']}",
                 f"/auth/authorize?client_id={c['number']}&redirect_uri=https://x.example/{c['family']}", f"/{c['family']}"):
        answer = requests.get(server.http + path, verify=server.verify, timeout=30, allow_redirects=False)
        site.watch.look(f"without a token: {path.split('?')[0].replace(c['number'], 'N').replace(c['family'], 'F')}", answer.content)
        site.watch.look("its headers", json.dumps(dict(answer.headers)))


class WatchedBrowser(Browser):
    """What it is led to, and what is refused, is looked at."""

    def __init__(self, site):
        super().__init__(site.server, leaves=True)
        self.watch = site.watch

    def send(self, method, path, data=None):
        self.watch.look("a path that a browser is led to", path)
        answer = super().send(method, path, data)
        where = f"{method} {path.split('?')[0]}: {answer.status_code}"
        self.watch.look(where + " headers", json.dumps(dict(answer.headers)))
        if answer.status_code >= 400:
            self.watch.look(where, answer.content)
        return answer


def emergency(site):
    c, path = CANARY, "/account/emergency"
    code = check_signin.add(site.server, "wera", "referrer", "--fhir-user", "Practitioner/none")
    check_signin.choose_password(site.server, "wera", code)
    browser = WatchedBrowser(site)
    browser.sign_in("wera")
    for fields in ({"number": c["number"] + "77", "reason": c["reason"]}, {"number": c["number"], "reason": " "},
                   {"number": c["family"], "system": c["ssn"], "reason": c["comment"]},
                   {"number": c["number"], "reason": c["comment"] * 60}):
        browser.get(path)
        equal(browser.post(path, **fields).status_code, 403, "status")
    foreign = browser.send("POST", path, {"csrf": "x", "number": c["number"], "reason": c["reason"]})
    expect(400 <= foreign.status_code < 500, f"a form that is none of this session's: {foreign.status_code}")
    browser.get(path)
    # Opened, or refused where several have the number; the person's own reason is shown to them.
    browser.post(path, number=c["number"], system="urn:canary", reason=c["reason"])
    expect(browser.page.status_code in (200, 403), f"status {browser.page.status_code}")


def outside(site):
    """A provider that knows somebody by patients' values, tokens of it, and applications that would be registered by them."""
    c, watch, server = CANARY, site.watch, site.server
    # What a browser asked for goes to no other server.
    browser = WatchedBrowser(site)
    Browser.send(browser, "GET", "/account/sign-in?" + urlencode({"return": f"/fhir/Patient?name={c['family']}"}))
    browser.post("/account/sign-in/outside/hospital")
    watch.look("the way to a provider", Forms(browser.page.text).refresh)
    browser = WatchedBrowser(site)
    browser.get("/account/sign-in")
    browser.post("/account/sign-in/outside/hospital")
    back = urlsplit(site.provider.sign_in(Forms(browser.page.text).refresh, c["number"]))
    equal(browser.get(f"{back.path}?{back.query}").status_code, 403, "nobody's account")
    for query in ({"error": c["family"], "error_description": c["finding"]}, {"code": c["number"], "state": c["family"]}):
        expect(Browser.send(browser, "GET", f"{back.path}?{urlencode(query)}").status_code >= 400, "status")
        watch.look("the way back from a provider", browser.page.content)
    good = site.provider.access_token(server.fhir, patient=c["number"])
    for token in (good, good[:-8], c["number"], f"{c['family']}.{c['given']}.{c['number']}"):
        answer = requests.get(server.fhir + "/Patient/" + c["number"], verify=server.verify, timeout=30,
                              headers={"Authorization": f"Bearer {token}"})
        expect(400 <= answer.status_code < 500, f"status {answer.status_code}")
        watch.look("a token of elsewhere", answer.content)
        watch.look("its headers", json.dumps(dict(answer.headers)))
    statuses = []
    for changes in ({"redirect_uris": [f"javascript:{c['family']}"]}, {"scope": c["family"]}, {"grant_types": [c["family"]]},
                    {"redirect_uris": [f"https://asks.example/{c['number']}#x"]}, {"software_statement": c["number"]},
                    {"jwks_uri": f"http://{c['family']}.example/{c['number']}"}, {"client_name": c["family"] * 300},
                    {"token_endpoint_auth_method": c["family"]}, {"id_token_signed_response_alg": c["number"]}):
        answer = requests.post(server.http + "/oauth/register", verify=server.verify, timeout=30, json={
            "client_name": "Asks", "redirect_uris": ["https://asks.example/cb"], "scope": "openid patient/*.rs",
            "token_endpoint_auth_method": "client_secret_basic", **changes})
        statuses.append(answer.status_code)
        if answer.status_code >= 400:
            watch.look("/oauth/register", answer.content)
        watch.look("its headers", json.dumps(dict(answer.headers)))
    expect(statuses.count(400) >= 6, f"{statuses}")
    return f"registrations: {statuses}"


def operations(site):
    c = CANARY
    for path in (f"/ops/messages?patient={c['number']}", f"/ops/messages?since={c['family']}", f"/ops/messages/{c['number']}",
                 "/ops/quarantine", f"/ops/quarantine/{c['number']}", f"/ops/outbox?number={c['number']}", "/ops/worklist/waiting",
                 "/ops/conflicts", "/health/ready", "/health/live"):
        answer = site.send("GET", path)
        if path.startswith("/health"):
            site.watch.look(path, answer.content)


def check(report, folder, postgres=None):
    site = Site(pathlib.Path(folder), postgres)
    server, watch = site.server, site.watch

    def add(title, work, clause=PROMISE):
        """The work, and that it let nothing out."""
        def run():
            before = len(watch.leaks)
            detail = work(site)
            expect(watch.leaks[before:] == [], f"{len(watch.leaks) - before} leaks: " + "; ".join(watch.leaks[before:][:12]))
            return detail if isinstance(detail, str) else ""

        report.check(GROUP, title, run, clause)

    try:
        add("messages that are taken and refused: acknowledgments name places, not values", hl7)
        add("FHIR: refusals and links hold no values", fhir)
        add("DICOMweb: refusals hold no values", dicomweb)
        add("DIMSE: error comments hold no values", dimse)
        add("tokens and pages: refusals and redirects hold no values", tokens)
        add("what operators read as JSON is refused without values", operations)
        add("an emergency is refused without what was typed", emergency)
        add("outside sign-in, tokens of elsewhere and registrations are refused without values", outside)

        def metrics(site):
            answer = site.session.get(server.http + "/metrics", timeout=30)
            equal(answer.status_code, 200, "metrics")
            watch.look("metrics", answer.content)
            return f"{len(answer.text.splitlines())} lines"

        add("metrics hold no values", metrics)
        # A restart carries on what was begun, and says so in the log.
        server.kill()
        server.start()
        time.sleep(2)
    finally:
        code = server.stop()
        site.provider.stop()
    report.check(GROUP, "SIGTERM drains and exits 0", lambda: equal(code, 0, "exit code"))

    def log(site):
        text = server.log_path.read_text(errors="replace")
        expect(len(text.splitlines()) > 50, "a wordy log")
        for line in text.splitlines():
            watch.look("the log: " + re.sub("|".join(map(re.escape, FOUND)), "…", line, flags=re.I)[:160], line)
        return f"{len(text.splitlines())} lines"

    def files(site):
        names = [str(path.relative_to(server.folder)) for path in server.folder.rglob("*")]
        for name in names:
            watch.look("file name " + name[:20], name)
        return f"{len(names)} files"

    add("the log at its wordiest holds no values", log)
    add("no file is named by a value", files)

    def commands(site):
        """What commands print of their own accord, and of a message without --raw."""
        for words in (("doctor",), ("outbox", "list"), ("message", "list"), ("audit", "verify")):
            try:
                watch.look("hilum " + " ".join(words), server.command(*words, server.folder))
            except Exception as error:
                watch.look("hilum " + " ".join(words), str(error))

    add("doctor and lists at the machine show no values", commands)


if __name__ == "__main__":
    sys.exit(alone.whole("canaries", check, keep="--keep" in sys.argv))

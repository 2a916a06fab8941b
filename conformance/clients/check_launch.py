"""SMART App Launch 2.2: applications launched by themselves and by an EHR, with people who sign in and consent on the
pages as a browser without scripts shows them. PyJWT verifies what is issued."""

import base64
import hashlib
import os
import secrets
import sys
from unittest import mock
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from fhirclient import client as fhirclient
from fhirclient.models.observation import Observation

import check_signin
import libjwt
from check_signin import PASSWORD, Browser, Forms
from report import equal, expect

CLAUSE = "SMART 2.2 app-launch"
REDIRECT = "https://viewer.example/cb"
SCOPE = "launch launch/patient openid fhirUser offline_access patient/*.rs"


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Site:
    """A practitioner with a patient of theirs, another patient, and a public and a confidential application."""

    def __init__(self, server, backend):
        self.server, self.fhir = server, backend.session()
        who = self.create({"resourceType": "Practitioner", "name": [{"family": "Reader"}]})
        patient = {"resourceType": "Patient", "name": [{"family": "Launch", "given": ["Ada"]}], "birthDate": "1960-01-02",
                   "generalPractitioner": [{"reference": f"Practitioner/{who}"}]}
        self.patient = self.create(patient)
        self.stranger = self.create({"resourceType": "Patient", "name": [{"family": "Stranger"}]})
        for subject in (self.patient, self.stranger):
            self.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                         "subject": {"reference": f"Patient/{subject}"}})
        self.practitioner = f"Practitioner/{who}"
        code = check_signin.add(server, "reader", "practitioner", "--fhir-user", self.practitioner)
        check_signin.choose_password(server, "reader", code)
        self.public = self.register("--public")
        self.secret = None
        out = self.register("--secret", whole=True)
        self.confidential = self.word(out, "client_id")
        self.secret = self.word(out, "client_secret")

    def create(self, resource):
        answer = self.fhir.post(f"{self.server.fhir}/{resource['resourceType']}", json=resource, timeout=30)
        equal(answer.status_code, 201, answer.text[:300])
        return answer.json()["id"]

    @staticmethod
    def word(out, name):
        return next(line.split(":", 1)[1].strip() for line in out.splitlines() if line.strip().startswith(name + ":"))

    def register(self, kind, whole=False):
        out = self.server.command(
            "client", "register", self.server.folder, "--name", "Viewer <b>", kind, "--redirect-uri", REDIRECT,
            "--launch", "https://viewer.example/launch", "--scope", SCOPE)
        return out if whole else self.word(out, "client_id")

    def token(self, **fields):
        auth = (self.confidential, self.secret) if fields.get("client_id") == self.confidential else None
        if auth:
            del fields["client_id"]
        return requests.post(self.server.http + "/oauth/token", data=fields, auth=auth, verify=self.server.verify,
                             timeout=30)


class Launch:
    """One authorization, up to its code, by a person of a name."""

    def __init__(self, site, client, scope=SCOPE, person="reader", **more):
        self.site, self.client, self.person = site, client, person
        self.verifier, self.state, self.nonce = (secrets.token_urlsafe(40) for _ in range(3))
        self.query = {
            "response_type": "code", "client_id": client, "redirect_uri": REDIRECT, "scope": scope,
            "state": self.state, "aud": site.server.fhir, "nonce": self.nonce, "code_challenge_method": "S256",
            "code_challenge": unpadded(hashlib.sha256(self.verifier.encode()).digest()), **more}
        self.browser = Browser(site.server, leaves=True)

    def path(self):
        return "/auth/authorize?" + urlencode({name: value for name, value in self.query.items() if value is not None})

    def open(self):
        """The page of consent, after the person has signed in."""
        self.browser.get(self.path())
        if self.browser.left is None and "/account/sign-in" in self.browser.page.url:
            self.browser.post("/account/sign-in", name=self.person, password=PASSWORD)
            self.browser.get(Forms(self.browser.page.text).refresh)
        return self.browser.page

    def send(self, patient=None, dropping=(), decision="allow", **chosen):
        """The form of the page, as the person fills it in."""
        form = Forms(self.browser.page.text).form("/auth/consent")
        expect(form is not None, self.browser.page.text[:500])
        choices = ("keep", "patient", "study", "encounter", None)
        fields = [(name, value) for name, value in form.items() if name not in choices]
        fields += [("keep", scope) for scope in self.offered() if scope not in dropping]
        if patient:
            fields.append(("patient", patient))
        self.browser.send("POST", "/auth/consent", fields + list(chosen.items()) + [("decision", decision)])
        return self.browser.page

    def allow(self, patient=None, dropping=(), decision="allow", **chosen):
        self.send(patient, dropping, decision, **chosen)
        return self.answer()

    def offered(self):
        text = self.browser.page.text
        return [part.split('"')[0] for part in text.split('name="keep"')[1:] for part in [part.split('value="', 1)[1]]]

    def answer(self):
        expect(self.browser.left, self.browser.page.text[:500])
        expect(self.browser.left.startswith(REDIRECT + "?"), self.browser.left)
        values = {name: value[0] for name, value in parse_qs(urlsplit(self.browser.left).query).items()}
        equal(values.get("state"), self.state, "state")
        equal(values.get("iss"), self.site.server.http, "iss")
        return values

    def redeem(self, code, **more):
        return self.site.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT,
                               client_id=self.client, **{"code_verifier": self.verifier, **more})


def check(report, server, backend):
    site = Site(server, backend)

    def bearer(token, path):
        return requests.get(f"{server.fhir}/{path}", headers={"Authorization": f"Bearer {token}"},
                            verify=server.verify, timeout=30)

    def standalone():
        launch = Launch(site, site.public, SCOPE.replace("launch ", "", 1))
        page = launch.open()
        expect("Viewer &lt;b&gt;" in page.text and "<b>" not in page.text, "the name is escaped")
        expect("Ada" in page.text and "Stranger" not in page.text, "the picker lists the person's patients alone")
        policy = page.headers["Content-Security-Policy"]
        expect("frame-ancestors 'none'" in policy and "https://viewer.example" in policy, policy)
        offered = launch.offered()
        expect("patient/*.rs" in offered and "offline_access" in offered, f"scopes to be dropped: {offered}")
        answer = launch.allow(site.patient)
        token = launch.redeem(answer["code"])
        equal(token.status_code, 200, token.text)
        equal(token.headers["Cache-Control"], "no-store", "Cache-Control")
        body = token.json()
        equal(body["patient"], site.patient, "patient")
        discovery = requests.get(server.http + "/.well-known/openid-configuration", verify=server.verify, timeout=30)
        jwks = requests.get(discovery.json()["jwks_uri"], verify=server.verify, timeout=30).json()
        kid = jwt.get_unverified_header(body["id_token"])["kid"]
        key = jwt.PyJWK(next(key for key in jwks["keys"] if key["kid"] == kid))
        claims = jwt.decode(body["id_token"], key.key, algorithms=["ES256"], audience=site.public,
                            issuer=discovery.json()["issuer"])
        equal(claims["nonce"], launch.nonce, "nonce")
        expect(claims["fhirUser"].endswith(site.practitioner), claims["fhirUser"])
        access = body["access_token"]
        for path, status in ((f"Patient/{site.patient}", 200), (f"Patient/{site.stranger}", 404)):
            equal(bearer(access, path).status_code, status, path)
        found = bearer(access, "Observation").json()
        equal([entry["resource"]["subject"]["reference"] for entry in found["entry"]], [f"Patient/{site.patient}"],
              "whose observations")
        expect(bearer(access, f"Observation?subject=Patient/{site.stranger}").json().get("entry") is None, "another's")
        refreshed = site.token(grant_type="refresh_token", refresh_token=body["refresh_token"], client_id=site.public)
        equal(refreshed.status_code, 200, refreshed.text)
        again = site.token(grant_type="refresh_token", refresh_token=body["refresh_token"], client_id=site.public)
        equal((again.status_code, again.json()["error"]), (400, "invalid_grant"), "a refresh token twice")
        family = site.token(grant_type="refresh_token", refresh_token=refreshed.json()["refresh_token"],
                            client_id=site.public)
        equal(family.json()["error"], "invalid_grant", "the family of a stolen refresh token")
        equal(bearer(refreshed.json()["access_token"], f"Patient/{site.patient}").status_code, 401, "its access token")
        return f"{len(offered)} scopes that may be dropped"

    report.check("launch", "standalone: picker, consent, PKCE, id_token, compartment, rotation", standalone, CLAUSE)

    def visit():
        """The page that follows the patient's, of which the answer may be none."""
        scope = "openid launch/patient launch/encounter patient/*.rs"
        out = server.command("client", "register", server.folder, "--name", "Visits", "--public", "--redirect-uri", REDIRECT,
                             "--scope", scope)
        client = site.word(out, "client_id")
        visits = {}
        for name, subject in (("Control", site.patient), ("Elsewhere", site.stranger)):
            visits[name] = site.create({
                "resourceType": "Encounter", "status": "finished", "type": [{"text": name}],
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                "subject": {"reference": f"Patient/{subject}"}, "period": {"start": "2026-01-05T08:00:00Z"}})
        bodies = {}
        for chosen in (visits["Control"], ""):
            launch = Launch(site, client, scope)
            launch.open()
            page = launch.send(site.patient)
            expect(launch.browser.left is None, "no code before the visit is chosen")
            expect("2026-01-05 08:00, Control" in page.text and "Elsewhere" not in page.text, page.text[:2000])
            page = launch.send(site.patient, encounter=visits["Elsewhere"])
            expect(launch.browser.left is None and 'role="alert"' in page.text, "another patient's visit is not taken")
            bodies[chosen] = launch.redeem(launch.allow(site.patient, encounter=chosen)["code"]).json()
        equal(bodies[visits["Control"]]["encounter"], visits["Control"], "encounter")
        expect("encounter" not in bodies[""] and "launch/encounter" not in bodies[""]["scope"].split(), "none was chosen")
        return "one, and none"

    report.check("launch", "standalone: a page to choose the visit, or none", visit, CLAUSE)

    def older():
        """A client that knows RS256 alone: its id_token verifies by the RSA key that is published, and by nothing else."""
        out = server.command(
            "client", "register", server.folder, "--name", "Older", "--public", "--redirect-uri", REDIRECT,
            "--id-token-alg", "RS256", "--scope", SCOPE.replace("launch ", "", 1))
        launch = Launch(site, site.word(out, "client_id"), "openid fhirUser launch/patient patient/*.rs")
        launch.open()
        body = launch.redeem(launch.allow(site.patient)["code"]).json()
        discovery = requests.get(server.http + "/.well-known/openid-configuration", verify=server.verify, timeout=30)
        expect("RS256" in discovery.json()["id_token_signing_alg_values_supported"], "discovery")
        jwks = requests.get(discovery.json()["jwks_uri"], verify=server.verify, timeout=30).json()
        head = jwt.get_unverified_header(body["id_token"])
        equal((head["alg"], head["typ"]), ("RS256", "JWT"), "header")
        key = jwt.PyJWK(next(key for key in jwks["keys"] if key["kid"] == head["kid"])).key
        expect(key.key_size >= 2048, f"{key.key_size} bits")
        claims = jwt.decode(body["id_token"], key, algorithms=["RS256"], audience=launch.client,
                            issuer=discovery.json()["issuer"])
        equal(claims["nonce"], launch.nonce, "nonce")
        pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        equal(libjwt.verify(body["id_token"], "RS256", pem)["sub"], claims["sub"], "by libjwt")
        equal(jwt.get_unverified_header(body["access_token"])["alg"], "ES256", "access tokens stay as they are")
        equal(bearer(body["id_token"], f"Patient/{site.patient}").status_code, 401, "an id_token at FHIR")
        return f"{key.key_size} bits"

    report.check("launch", "id_token by RS256, verified by PyJWT and libjwt", older, "OpenID Connect Discovery §3")

    def ehr():
        order = {"client_id": site.confidential, "patient": site.patient, "need_patient_banner": False,
                 "intent": "view", "fhirUser": site.practitioner}
        made = site.fhir.post(server.http + "/ops/launches", json=order, timeout=30)
        equal(made.status_code, 201, made.text)
        handle = made.json()["launch"]
        other = Launch(site, site.public, launch=handle)
        other.open()
        equal(other.answer()["error"], "invalid_request", "a handle with another client")
        launch = Launch(site, site.confidential, launch=handle)
        launch.open()
        answer = launch.allow(dropping=["offline_access"])
        body = launch.redeem(answer["code"]).json()
        equal((body["patient"], body["need_patient_banner"], body["intent"]), (site.patient, False, "view"), "context")
        expect("refresh_token" not in body and "offline_access" not in body["scope"], "what was dropped is not given")
        about = requests.post(server.http + "/oauth/introspect", data={"token": body["access_token"]},
                              auth=(site.confidential, site.secret), verify=server.verify, timeout=30).json()
        equal((about["active"], about["patient"]), (True, site.patient), "introspection")
        twice = Launch(site, site.confidential, launch=handle)
        twice.open()
        equal(twice.answer()["error"], "invalid_request", "a handle twice")
        stolen = launch.redeem(answer["code"])
        equal((stolen.status_code, stolen.json()["error"]), (400, "invalid_grant"), "a code twice")
        equal(bearer(body["access_token"], f"Patient/{site.patient}").status_code, 401, "what came of the code")

    report.check("launch", "by an EHR: one-use handle, context, dropped scope, introspection, code twice", ehr, CLAUSE)

    def refused():
        for changes, error in (
                ({"code_challenge_method": "plain"}, "invalid_request"), ({"code_challenge": None}, "invalid_request"),
                ({"aud": "https://other.example/fhir"}, "invalid_request"),
                ({"response_type": "token"}, "unsupported_response_type"),
                ({"scope": "system/*.rs"}, "invalid_scope"), ({"prompt": "none"}, "login_required")):
            launch = Launch(site, site.public, **{"scope": "openid patient/*.rs", **changes})
            launch.browser.get(launch.path())
            equal(launch.answer()["error"], error, str(changes))
        for changes in ({"redirect_uri": REDIRECT + "/"}, {"redirect_uri": "https://evil.example/cb"}):
            launch = Launch(site, site.public, **changes)
            page = launch.browser.get(launch.path())
            expect(launch.browser.left is None and page.status_code == 400, f"{changes}: {launch.browser.left}")
        denied = Launch(site, site.public, "openid launch/patient patient/*.rs")
        denied.open()
        equal(denied.allow(site.patient, decision="deny")["error"], "access_denied", "denied")
        launch = Launch(site, site.public, "openid launch/patient patient/*.rs")
        launch.open()
        code = launch.allow(site.patient)["code"]
        for changes in ({"code_verifier": "x" * 43}, {"redirect_uri": REDIRECT + "/"}):
            equal(launch.site.token(**{
                "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
                "client_id": site.public, "code_verifier": launch.verifier, **changes}).json()["error"],
                "invalid_grant", str(changes))

    report.check("launch", "plain PKCE, other audience, redirect, verifier; a person who says no", refused, CLAUSE)

    def by_library():
        """The whole of a launch as an application's author meets it: PyPI's fhirclient does all but the pages."""
        # What it calls trusts the server's own authority.
        with mock.patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": str(server.verify)}):
            smart = fhirclient.FHIRClient(settings={
                "app_id": site.public, "api_base": server.fhir, "redirect_uri": REDIRECT,
                "scope": "openid fhirUser offline_access patient/*.rs"})
            expect(not smart.ready, "ready before anybody signed in")
            launch = Launch(site, site.public)
            address = urlsplit(smart.authorize_url)
            equal(f"{address.scheme}://{address.netloc}", server.http, "where it leads")
            launch.path = lambda: f"{address.path}?{address.query}"
            launch.state = parse_qs(address.query)["state"][0]
            launch.open()
            launch.allow(site.patient)
            smart.handle_callback(launch.browser.left)
            expect(smart.ready, "not ready")
            equal(smart.patient.id, site.patient, "the patient in context")
            equal(smart.human_name(smart.patient.name[0]), "Ada Launch", "the name")
            found = Observation.where({}).perform_resources(smart.server)
            equal([entry.subject.reference for entry in found], [f"Patient/{site.patient}"], "whose observations")
            equal(smart.reauthorize(), True, "refreshed")
            equal(len(Observation.where({}).perform_resources(smart.server)), 1, "with the next token")

    report.check("launch", "PyPI's fhirclient launches, reads and refreshes", by_library, CLAUSE)

    def locked():
        launch = Launch(site, site.public, "openid offline_access launch/patient patient/*.rs")
        launch.open()
        body = launch.redeem(launch.allow(site.patient)["code"]).json()
        server.command("user", "lock", server.folder, "reader")
        answer = site.token(grant_type="refresh_token", refresh_token=body["refresh_token"], client_id=site.public)
        equal(answer.json()["error"], "invalid_grant", "a refresh token of a locked account")
        server.command("user", "unlock", server.folder, "reader")

    report.check("launch", "a locked account's applications end with it", locked, CLAUSE)


if __name__ == "__main__":
    import alone
    from smart import BackendClient

    sys.exit(alone.run("launch", check, lambda server, folder: BackendClient(
        server, "everything", "ES384", "system/*.cruds", folder)))

"""Sign-in at an outside OpenID provider, which a library from PyPI plays, and tokens of outside authorization servers, with
what hostile and broken ones do."""

import base64
import hashlib
import hmac
import json
import sys
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

import check_hl7_out
import check_signin
from check_signin import PASSWORD, Browser, Forms
from hilum_server import HilumServer
from outside_provider import Provider
from report import equal, expect
from smart import BackendClient, Key, assertion, post_token

GROUP = "outside"
OIDC = "OpenID Connect Core §3.1"
USERS = [
    ("anna-there", {"preferred_username": "anna", "name": "Anna"}),
    ("impostor", {"preferred_username": "anna", "name": "Anna, too"}),
    ("dora-there", {"preferred_username": "dora", "name": "Dora <b>", "groups": ["doctors"],
                    "fhirUser": "Practitioner/7"}),
    ("oscar-there", {"preferred_username": "oscar", "groups": ["admins"], "amr": ["pwd"]}),
    ("olivia-there", {"preferred_username": "olivia", "groups": ["admins"], "amr": ["pwd", "otp"]}),
    ("visitor", {"preferred_username": "visitor", "groups": ["visitors"]}),
]
CONFIGURATION = """
outbound:
  allow-networks: [127.0.0.1/32]
  authorities: tls/outside.pem
sign-in:
  providers:
    - name: hospital
      title: your hospital account
      issuer: {hospital}
      client: hilum
      secret: keys/hospital.secret
      account-claim: preferred_username
      make-accounts: true
      role-claim: groups
      roles: [{{ value: admins, role: operator }}, {{ value: doctors, role: referrer }}]
      fhir-user-claim: fhirUser
      algorithms: [RS256, PS256, EdDSA]
      second-factor: {{ amr: [otp] }}
    - {{ name: other, issuer: "{other}", client: hilum, secret: keys/hospital.secret }}
authorization-servers:
  - {{ issuer: "{hospital}", scopes: "patient/*.rs user/Patient.r", algorithms: [RS256, PS256, EdDSA] }}
  - issuer: {other}
    scopes: patient/*.rs
    introspection: {{ url: "{other}/introspect", client: hilum, secret: keys/introspection.secret, keep-seconds: 2 }}
registration: {{ dynamic: true }}
associated-endpoints: [{{ url: "https://images.example/fhir" }}]
"""


class Site:
    def __init__(self, folder, plain=False, postgres=None):
        self.hospital = Provider(folder, "hospital", USERS)
        self.other = Provider(folder, "other", USERS)
        self.server = HilumServer(
            folder / "outside", postgres=check_hl7_out.own_database(postgres, "outside"), log=folder / "outside.log",
            options=["--plain-loopback"] if plain else [])
        server = self.server
        server.init()
        (server.folder / "tls" / "outside.pem").write_text(
            "".join(provider.certificate.read_text() for provider in (self.hospital, self.other)))
        for name, text in (("hospital", "a secret:with+signs\n"), ("introspection", "introspection secret\n")):
            path = server.folder / "keys" / f"{name}.secret"
            path.write_text(text.replace(" ", "-"))
            path.chmod(0o600)
        with open(server.folder / "hilum.yaml", "a") as file:
            file.write(CONFIGURATION.format(hospital=self.hospital.issuer, other=self.other.issuer))
        self.backend = BackendClient(server, "ehr", "ES384", "system/*.cruds", folder)
        with open(server.folder / "hilum.yaml", "a") as file:
            file.write(f'cds-hooks: {{ callers: [{{ issuer: "https://ehr.example", client: "{self.backend.id}" }}] }}\n')
        self.anna = check_signin.add(server, "anna", "practitioner", "--fhir-user", "Practitioner/1")
        server.start()
        check_signin.choose_password(server, "anna", self.anna)
        session = self.backend.session()
        self.patients = []
        for family in ("Own", "Other"):
            answer = session.post(server.fhir + "/Patient", timeout=30,
                                  json={"resourceType": "Patient", "name": [{"family": family}]})
            equal(answer.status_code, 201, answer.text[:300])
            self.patients.append(answer.json()["id"])

    def close(self):
        for provider in (self.hospital, self.other):
            provider.stop()

    # Signing in

    def leave(self, browser=None, path=None):
        """A browser that has pressed the provider's button, and the URL that it is sent to."""
        browser = browser or Browser(self.server)
        browser.get("/account/sign-in" + ("?" + urlencode({"return": path}) if path else ""))
        browser.post("/account/sign-in/outside/hospital")
        return browser, Forms(browser.page.text).refresh

    def back(self, browser, url):
        """The browser follows the provider's redirect to here."""
        here = urlsplit(url)
        equal(f"{here.scheme}://{here.netloc}", self.server.http, "where the provider sends the browser")
        return browser.get(f"{here.path}?{here.query}")

    def sign_in(self, sub, alter=None, path=None):
        browser, url = self.leave(path=path)
        location = self.hospital.sign_in(url, sub)
        self.hospital.alter = alter
        self.back(browser, location)
        self.hospital.alter = None
        return browser

    def is_signed_in(self, browser):
        return "Your account" in browser.get("/account").text

    # Tokens

    def get(self, path, token):
        return requests.get(self.server.http + path, headers={"Authorization": f"Bearer {token}"},
                            verify=self.server.verify, timeout=60)

    def audit(self, **search):
        """The rows of the audit trail that a search finds, as JSON text."""
        answer = self.backend.session().get(self.server.fhir + "/AuditEvent", params={"_count": 50, **search},
                                            timeout=30)
        equal(answer.status_code, 200, "AuditEvent")
        return answer.text


def check_sign_in(report, site):
    def linked():
        page = requests.get(site.server.http + "/account/sign-in", verify=site.server.verify, timeout=30).text
        expect("Sign in with your hospital account" in page, "the button")
        browser, url = site.leave(path="/fhir/metadata?_format=json")
        query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        equal(query["code_challenge_method"], "S256", "PKCE")
        expect(len(query["state"]) > 40 and len(query["nonce"]) == 43 and "metadata" not in query["state"], "state")
        site.back(browser, site.hospital.sign_in(url, "anna-there"))
        equal(Forms(browser.page.text).refresh, "/fhir/metadata?_format=json", "goes on to")
        expect("anna" in browser.get("/account").text, "whose account")
        expect("Practitioner/1" in browser.page.text, "the record of the account that was here")
        impostor = site.sign_in("impostor")
        equal(impostor.page.status_code, 403, "another person of that name there")
        expect("You have no account here" in impostor.page.text, impostor.page.text[:500])
        expect(f"identity:{site.hospital.issuer}" in site.audit(_sort="-date"), "the audit trail says who it was")

    report.check(GROUP, "a person who has an account signs in with code, PKCE, state, nonce and at_hash", linked, OIDC)

    def made():
        dora = site.sign_in("dora-there")
        text = dora.get("/account").text
        expect("Dora &lt;b&gt;" in text and "<b>" not in text and "Practitioner/7" in text, text[:800])
        equal(site.sign_in("visitor").page.status_code, 403, "nobody whom no rule makes anything")
        oscar = site.sign_in("oscar-there")
        expect("needs a second factor" in oscar.page.text, "an operator by password alone")
        equal(oscar.get("/account/users").status_code, 404, "users before the second factor")
        olivia = site.sign_in("olivia-there")
        equal(olivia.get("/account/users").status_code, 200, "an operator with a second factor there")
        expect("dora" in olivia.page.text and "impostor" not in olivia.page.text, "who there is")

    report.check(GROUP, "accounts are made by claims; an operator's second factor is given here or there", made, OIDC)

    def hostile():
        hospital = site.hospital
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = hospital.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

        def by_hand(alg, sign):
            def alter(body):
                claims = body["id_token"].split(".")[1]
                head = unpadded(json.dumps({"alg": alg, "typ": "JWT", "kid": hospital.kid}).encode())
                return {**body, "id_token": f"{head}.{claims}.{unpadded(sign(f'{head}.{claims}'.encode()))}"}
            return alter

        now = int(time.time())
        cases = {
            "alg none": by_hand("none", lambda _: b""),
            "HS256 with the public key": by_hand(
                "HS256", lambda text: hmac.new(public, text, hashlib.sha256).digest()),
            "another's signature": hospital.changed(key=stranger),
            "another nonce": hospital.changed(nonce="x"), "no nonce": hospital.changed(nonce=None),
            "expired": hospital.changed(exp=now - 120), "of tomorrow": hospital.changed(iat=now + 86_400),
            "another audience": hospital.changed(aud="another"),
            "two audiences": hospital.changed(aud=["hilum", "another"]),
            "another azp": hospital.changed(azp="another"),
            "another issuer": hospital.changed(iss=site.other.issuer),
            "another at_hash": hospital.changed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
            "an access token": hospital.changed(header={"typ": "at+jwt"}),
            "no subject": hospital.changed(sub=None), "an unknown crit": hospital.changed(header={"crit": ["exp"]}),
            "no id_token": lambda body: {name: value for name, value in body.items() if name != "id_token"},
        }
        for name, alter in cases.items():
            browser = site.sign_in("anna-there", alter)
            equal(browser.page.status_code, 403, name)
            expect("could not be confirmed" in browser.page.text, f"{name}: words")
            expect(not site.is_signed_in(browser), f"{name}: signed in")
        expect(site.is_signed_in(site.sign_in("anna-there")), "nothing of it lasts")
        return f"{len(cases)} id_tokens"

    report.check(GROUP, "id_tokens with any one thing wrong sign nobody in", hostile, "OpenID Connect Core §3.1.3.7")

    def answers():
        browser, url = site.leave()
        location = site.hospital.sign_in(url, "anna-there")
        query = urlsplit(location).query
        victim, _ = site.leave()
        equal(site.back(victim, location).status_code, 403, "in a browser that began another one")
        equal(site.back(Browser(site.server), location).status_code, 403, "in a browser that began none")
        equal(site.back(browser, location + "&" + urlencode({"iss": site.other.issuer})).status_code, 403, "mix-up")
        wrong = location.replace("/outside/hospital/", "/outside/other/")
        equal(site.back(browser, wrong).status_code, 403, "at the other provider's path")
        kept = dict(browser.cookies)
        expect("Signed in" in site.back(browser, location).text or site.is_signed_in(browser), "in its own")
        browser.cookies = kept
        equal(site.back(browser, location).status_code, 403, "a second time")
        expect("was used before" in browser.page.text, browser.page.text[:400])
        fresh, url = site.leave()
        state = parse_qs(urlsplit(url).query)["state"][0]
        stolen = parse_qs(query)["code"][0]
        site.back(fresh, f"{site.server.http}/account/sign-in/outside/hospital/answer?"
                  + urlencode({"code": stolen, "state": state}))
        equal(fresh.page.status_code, 403, "a code that was used")
        denied, url = site.leave()
        site.back(denied, f"{site.server.http}/account/sign-in/outside/hospital/answer?" + urlencode(
            {"error": "access_denied", "error_description": "<b>call 555</b>",
             "state": parse_qs(urlsplit(url).query)["state"][0]}))
        expect("did not sign you in" in denied.page.text and "555" not in denied.page.text, denied.page.text[:400])
        for path in ("//evil.example", "https://evil.example/"):
            away = site.sign_in("anna-there", path=path)
            equal(Forms(away.page.text).refresh, "/account", f"return to {path}")

    report.check(GROUP, "codes and states: stolen, swapped, replayed, mixed up; nowhere else to", answers, "RFC 9700 §4")

    def down():
        hospital = site.hospital
        old = hospital.keys
        # What is known of the provider lasts ten seconds.
        time.sleep(11)
        hospital.is_down = True
        browser = Browser(site.server)
        browser.get("/account/sign-in")
        browser.post("/account/sign-in/outside/hospital")
        equal(browser.page.status_code, 503, "a provider that is down")
        expect("does not answer" in browser.page.text, browser.page.text[:400])
        equal(browser.sign_in("anna").status_code, 200, "the password goes on")
        hospital.is_down = False
        time.sleep(11)
        hospital.keys = []
        gone = site.sign_in("anna-there")
        equal(gone.page.status_code, 503, "a provider without its keys")
        hospital.keys = old
        time.sleep(11)
        expect(site.is_signed_in(site.sign_in("anna-there")), "with its keys again")

    report.check(GROUP, "a provider that is down, and keys that come and go; local sign-in goes on", down, OIDC)


def check_algorithms(report, site):
    server, hospital = site.server, site.hospital
    own, _ = site.patients

    def by(alg):
        """Makes the id_token one by another key and algorithm, with the `at_hash` of that."""
        def alter(body):
            digest = {"PS256": hashlib.sha256, "EdDSA": hashlib.sha512}[alg](body["access_token"].encode()).digest()
            return hospital.changed(header={"kid": alg}, key=hospital.more[alg], alg=alg,
                                    at_hash=unpadded(digest[:len(digest) // 2]))(body)
        return alter

    def signed():
        for alg, key in hospital.more.items():
            expect(site.is_signed_in(site.sign_in("anna-there", by(alg))), f"an id_token by {alg}")
            token = hospital.access_token(server.fhir, header={"kid": alg}, key=key, alg=alg, patient=own)
            equal(site.get(f"/fhir/Patient/{own}", token).status_code, 200, f"an access token by {alg}")

    report.check(GROUP, "id_tokens and access tokens by PS256 and EdDSA, as PyJWT signs them", signed, "RFC 8037 §3.1")

    def mixed():
        pss, edwards = hospital.more["PS256"], hospital.more["EdDSA"]
        raw = edwards.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        cases = {
            "RS256 by the key of PS256": dict(key=pss, alg="RS256", header={"kid": "PS256"}),
            "PS256 by the key of RS256": dict(alg="PS256"),
            "PS256 by another key": dict(key=pss, alg="PS256", header={"kid": hospital.kid}),
            "EdDSA in the name of PS256": dict(key=edwards, alg="EdDSA", header={"kid": "PS256"}),
            "PS384, which is not configured": dict(key=pss, alg="PS384", header={"kid": "PS256"}),
            "HS256 with the point": dict(key=raw, alg="HS256", header={"kid": "EdDSA"}),
            "another's key of Ed25519": dict(
                key=ed25519.Ed25519PrivateKey.generate(), alg="EdDSA", header={"kid": "EdDSA"}),
        }
        for name, means in cases.items():
            token = hospital.access_token(server.fhir, patient=own, **means)
            equal(site.get(f"/fhir/Patient/{own}", token).status_code, 401, name)
        return f"{len(cases)} tokens"

    report.check(GROUP, "a key signs by the algorithm that it names, and by no other", mixed, "RFC 8725 §3.1")


def check_tokens(report, site):
    server, hospital, other = site.server, site.hospital, site.other
    own, stranger = site.patients

    def signed():
        token = hospital.access_token(server.fhir, patient=own, scope="openid patient/*.rs system/*.cruds user/*.cruds")
        for path, status in ((f"/fhir/Patient/{own}", 200), (f"/fhir/Patient/{stranger}", 404), ("/fhir/Patient", 200),
                             ("/ops/outbox", 403), ("/metrics", 403)):
            equal(site.get(path, token).status_code, status, path)
        expect(site.get("/dicomweb/studies", token).status_code in (200, 204), "DICOMweb with the same token")
        found = site.get("/fhir/Patient", token).json()
        equal([entry["resource"]["id"] for entry in found["entry"]], [own], "patients")
        made = requests.post(server.fhir + "/Patient", json={"resourceType": "Patient"}, verify=server.verify,
                             headers={"Authorization": f"Bearer {token}"}, timeout=30)
        equal(made.status_code, 403, "beyond the ceiling")
        rows = site.audit(_sort="-date")
        expect(all(f'"{word}"' in rows for word in (hospital.issuer, "anna-there", "ehr-viewer")),
               "audited as issuer, person and client")
        nobody = hospital.access_token(server.fhir)
        equal(site.get(f"/fhir/Patient/{own}", nobody).status_code in (403, 404), True, "no patient in context")

    report.check(GROUP, "a signed token gives a patient's data at FHIR and DICOMweb, under its ceiling", signed, "RFC 9068")

    def hostile():
        public = hospital.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        now = int(time.time())
        strange = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        good = hospital.access_token(server.fhir, patient=own)
        head, claims, signature = good.split(".")

        def by_hand(alg, sign):
            first = unpadded(json.dumps({"alg": alg, "typ": "at+jwt", "kid": hospital.kid}).encode())
            return f"{first}.{claims}.{unpadded(sign(f'{first}.{claims}'.encode()))}"

        cases = {
            "alg none": by_hand("none", lambda _: b""),
            "HS256 with the public key": by_hand("HS256", lambda text: hmac.new(public, text, hashlib.sha256).digest()),
            "another's signature": hospital.access_token(server.fhir, key=strange, patient=own),
            "the other server's signature": hospital.access_token(server.fhir, key=other.private, patient=own),
            "in the other server's name": hospital.access_token(server.fhir, iss=other.issuer, patient=own),
            "in this server's name": hospital.access_token(server.fhir, iss=server.http, patient=own),
            "in nobody's name": hospital.access_token(server.fhir, iss="https://evil.example", patient=own),
            "expired": hospital.access_token(server.fhir, exp=now - 120, patient=own),
            "lives too long": hospital.access_token(server.fhir, exp=now + 90_000, patient=own),
            "not yet": hospital.access_token(server.fhir, nbf=now + 600, patient=own),
            "another audience": hospital.access_token("https://else.example/fhir", patient=own),
            "a slash more": hospital.access_token(server.fhir + "/", patient=own),
            "an id_token": hospital.access_token(server.fhir, header={"typ": "JWT"}, patient=own),
            "no client": hospital.access_token(server.fhir, client_id=None, patient=own),
            "no jti": hospital.access_token(server.fhir, jti=None, patient=own),
            "cut": good[:-3], "a claim changed": f"{head}.{claims[:-2]}AA.{signature}",
            "jku": hospital.access_token(server.fhir, header={"jku": "https://evil.example"}, patient=own),
        }
        for name, token in cases.items():
            answer = site.get(f"/fhir/Patient/{own}", token)
            equal(answer.status_code, 401, name)
            expect("invalid_token" in answer.headers["WWW-Authenticate"], name)
        equal(site.get(f"/fhir/Patient/{own}", good).status_code, 200, "the good one")
        return f"{len(cases)} tokens"

    report.check(GROUP, "tokens with any one thing wrong are none", hostile, "RFC 9068 §4")

    def unknown():
        asked = len(other.asked), len(hospital.asked)
        for number in range(20):
            token = hospital.access_token(server.fhir, iss=f"https://localhost:{other.port}/{number}", patient=own)
            equal(site.get(f"/fhir/Patient/{own}", token).status_code, 401, "an issuer that is not configured")
        equal((len(other.asked), len(hospital.asked)), asked, "whom this server asked")

    report.check(GROUP, "an issuer that is not configured is not dialled", unknown, "RFC 8725 §3.8")

    def introspected():
        other.active["opaque-token"] = {
            "client_id": "viewer", "scope": "patient/*.rs user/*.cruds", "patient": own, "sub": "u-1",
            "exp": int(time.time()) + 300, "aud": server.fhir}
        other.active["of-another"] = {**other.active["opaque-token"], "iss": hospital.issuer}
        other.active["for-another"] = {**other.active["opaque-token"], "aud": "https://else.example"}
        other.active["for-nobody"] = {
            name: value for name, value in other.active["opaque-token"].items() if name != "aud"}
        before = other.asked.count("/introspect")
        for path, status in ((f"/fhir/Patient/{own}", 200), (f"/fhir/Patient/{stranger}", 404)):
            equal(site.get(path, "opaque-token").status_code, status, path)
        equal(other.asked.count("/introspect") - before, 1, "questions")
        for token in ("junk", "of-another", "for-another", "for-nobody"):
            equal(site.get(f"/fhir/Patient/{own}", token).status_code, 401, token)
        rows = site.audit(_sort="-date")
        expect(all(f'"{word}"' in rows for word in (other.issuer, "u-1")), "audited as issuer and person")
        # Kept for two seconds: revoked there, it ends here.
        del other.active["opaque-token"]
        time.sleep(3)
        equal(site.get(f"/fhir/Patient/{own}", "opaque-token").status_code, 401, "revoked there")
        other.is_down = True
        equal(site.get(f"/fhir/Patient/{own}", "never-seen").status_code, 503, "a server that does not answer")
        other.is_down = False

    report.check(GROUP, "an opaque token by introspection, revoked within seconds", introspected, "RFC 7662")

    def person():
        token = hospital.access_token(server.fhir, sub="dora-there", scope="user/Patient.r")
        equal(site.get(f"/fhir/Patient/{own}", token).status_code, 404, "a practitioner who has not that patient")
        server.command("user", "lock", server.folder, "dora")
        locked = hospital.access_token(server.fhir, sub="dora-there", patient=own)
        equal(site.get(f"/fhir/Patient/{own}", locked).status_code, 401, "a locked account's token")
        server.command("user", "unlock", server.folder, "dora")

    report.check(GROUP, "a linked person has the rights of the account, and none once it is locked", person, "RFC 9068")

    def discovery():
        answer = requests.get(server.fhir + "/.well-known/smart-configuration", verify=server.verify, timeout=30).json()
        expect("smart-imaging-access" in answer["capabilities"], "capabilities")
        equal(answer["associated_endpoints"],
              [{"url": "https://images.example/fhir", "capabilities": ["smart-imaging-access"]}], "associated_endpoints")

    report.check(GROUP, "discovery names imaging access and associated endpoints", discovery, "SMART Imaging Access")


def check_registration(report, site):
    server = site.server

    def register(**changes):
        body = {"client_name": "Asks <b>", "redirect_uris": ["https://asks.example/cb"],
                "token_endpoint_auth_method": "client_secret_basic", "scope": "openid launch/patient patient/*.rs",
                **changes}
        return requests.post(server.http + "/oauth/register", verify=server.verify, timeout=30,
                             json={name: value for name, value in body.items() if value is not None})

    def state(client, secret):
        """How the token endpoint takes a code that is none: by whether it knows the client."""
        return requests.post(server.http + "/oauth/token", auth=(client, secret), verify=server.verify, timeout=30, data={
            "grant_type": "authorization_code", "code": "x", "redirect_uri": "https://asks.example/cb",
            "code_verifier": "x" * 43}).json()["error"]

    def approved():
        document = requests.get(server.fhir + "/.well-known/smart-configuration", verify=server.verify, timeout=30).json()
        equal(document["registration_endpoint"], server.http + "/oauth/register", "discovery")
        key = Key("ES384")
        made = register(client_name="Service", redirect_uris=None, grant_types=["client_credentials"],
                        token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.jwk()]},
                        scope="system/Patient.rs system/*.cruds")
        equal(made.status_code, 201, made.text)
        client = made.json()["client_id"]
        url = server.http + "/oauth/token"

        def token():
            return post_token(url, assertion(key, client, url), "system/*.cruds", server.verify)

        equal((token().status_code, token().json()["error"]), (401, "invalid_client"), "before an operator has looked")
        olivia = site.sign_in("olivia-there")
        expect(f"/account/clients/waiting/{client}" in olivia.get("/account/clients").text, "the list")
        page = olivia.get(f"/account/clients/waiting/{client}").text
        expect("See and search name, birth date and contacts of every patient" in page, "in words")
        form = Forms(page).form(f"/account/clients/waiting/{client}/approve")
        fields = {name: value for name, value in form.items() if name in ("csrf", "keep-0")}
        olivia.send("POST", f"/account/clients/waiting/{client}/approve", fields)
        given = token()
        equal(given.status_code, 200, given.text)
        equal(given.json()["scope"], "system/Patient.rs", "what was left ticked")
        equal(olivia.get(f"/account/clients/waiting/{client}").status_code, 404, "decided once")

    report.check(GROUP, "an application registers, and works once an operator has approved a part of it", approved,
                 "RFC 7591")

    def refused():
        made = register().json()
        equal(state(made["client_id"], made["client_secret"]), "invalid_client", "while it waits")
        olivia = site.sign_in("olivia-there")
        page = olivia.get(f"/account/clients/waiting/{made['client_id']}").text
        expect("Asks &lt;b&gt;" in page and "<b>" not in page, "the name is escaped")
        equal(site.sign_in("dora-there").get(f"/account/clients/waiting/{made['client_id']}").status_code, 404,
              "for who is no operator")
        olivia.post(f"/account/clients/waiting/{made['client_id']}/refuse", reason="not ours")
        equal(state(made["client_id"], made["client_secret"]), "invalid_client", "refused")
        authorize = requests.get(server.http + "/auth/authorize", verify=server.verify, timeout=30, params={
            "client_id": made["client_id"], "redirect_uri": "https://asks.example/cb", "response_type": "code"},
            allow_redirects=False)
        equal(authorize.status_code, 400, "nobody is sent to its redirect URI")
        for changes, error in (
                ({"redirect_uris": ["https://asks.example/cb#x"]}, "invalid_redirect_uri"),
                ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
                ({"redirect_uris": []}, "invalid_redirect_uri"), ({"scope": "system/*.cruds"}, "invalid_client_metadata"),
                ({"grant_types": ["password"]}, "invalid_client_metadata"),
                ({"software_statement": "x"}, "invalid_software_statement")):
            answer = register(**changes)
            equal((answer.status_code, answer.json()["error"]), (400, error), str(changes))

    report.check(GROUP, "registrations that an operator refuses, or that cannot be meant", refused, "RFC 7591 §3.2.2")


def check_hooks(report, site):
    url = site.server.http + "/cds-services/imaging-studies"

    def call(body, at=url, **changes):
        changes = {"iss": "https://ehr.example", "sub": None, **changes}
        signed = assertion(site.backend.key, site.backend.id, at, **changes)
        return requests.post(at, json=body, headers={"Authorization": f"Bearer {signed}"}, verify=site.server.verify,
                             timeout=30)

    def hook(*numbers):
        identifiers = [{"system": "urn:example:hook", "value": number} for number in numbers]
        return {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                "context": {"userId": "Practitioner/1", "patientId": "of-the-ehr"},
                "prefetch": {"patient": {"resourceType": "Patient", "identifier": identifiers}}}

    def card():
        services = requests.get(site.server.http + "/cds-services", verify=site.server.verify, timeout=30).json()
        equal([service["id"] for service in services["services"]], ["imaging-studies"], "discovery")
        session = site.backend.session()
        patient = session.post(site.server.fhir + "/Patient", timeout=30, json={
            "resourceType": "Patient", "identifier": [{"system": "urn:example:hook", "value": "1"}]}).json()["id"]
        equal(call(hook("1")).json(), {"cards": []}, "a patient without images")
        answer = session.post(site.server.fhir + "/ImagingStudy", timeout=30, json={
            "resourceType": "ImagingStudy", "status": "available", "subject": {"reference": f"Patient/{patient}"},
            "started": "2026-11-01T10:00:00Z",
            "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]})
        equal(answer.status_code, 201, answer.text[:300])
        answer = call(hook("1"))
        equal(answer.status_code, 200, answer.text[:300])
        (shown,) = answer.json()["cards"]
        equal(shown["summary"], "1 imaging study: CT of 2026-11-01", "the card")
        link = shown["links"][0]
        equal(link["type"], "absolute", "the link")
        query = parse_qs(urlsplit(link["url"]).query)
        equal((urlsplit(link["url"]).path, query["iss"]), ("/viewer", [site.server.fhir]), "where it leads")
        expect(len(query["launch"][0]) == 43, "a handle")
        equal(requests.get(link["url"], verify=site.server.verify, timeout=30).status_code, 200, "the viewer")
        told = {"card": shown["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-30T10:00:00Z"}
        answer = call({"feedback": [told]}, url + "/feedback")
        equal((answer.status_code, answer.text), (200, ""), "feedback")
        equal(call({"feedback": [{**told, "card": "x"}]}, url + "/feedback").status_code, 400, "feedback of no card")

    report.check(GROUP, "a hook of an EHR gets a card that launches the viewer", card, "CDS Hooks 2.0 patient-view")

    def refused():
        for changes in ({"iss": "https://else.example"}, {"aud": site.server.http + "/oauth/token"},
                        {"exp": int(time.time()) - 120}, {"jti": None}):
            equal(call(hook("1"), **changes).status_code, 401, str(changes))
        equal(requests.post(url, json=hook("1"), verify=site.server.verify, timeout=30).status_code, 401, "no token")
        equal(call({**hook("1"), "prefetch": {}}).status_code, 412, "nothing prefetched")
        equal(call({"hook": "patient-view"}).status_code, 400, "half a call")

    report.check(GROUP, "hooks that nobody here knows are refused", refused, "CDS Hooks 2.0 Trusting CDS Clients")


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def check(report, folder, plain=False, postgres=None):
    site = Site(folder, plain, postgres)
    try:
        check_sign_in(report, site)
        check_algorithms(report, site)
        check_tokens(report, site)
        check_registration(report, site)
        check_hooks(report, site)
    finally:
        code = site.server.stop()
        site.close()
    report.check(GROUP, "SIGTERM drains and exits 0", lambda: equal(code, 0, "exit code"))


if __name__ == "__main__":
    import pathlib
    import tempfile

    from report import Report

    results = Report()
    with tempfile.TemporaryDirectory(prefix="hilum-outside.") as name:
        check(results, pathlib.Path(name), postgres=sys.argv[1] if len(sys.argv) > 1 else None)
    print(f"outside: {results.count('pass')} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)

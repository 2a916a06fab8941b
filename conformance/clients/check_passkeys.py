"""Passkeys (WebAuthn): registered and used on the pages by Chromium with a virtual authenticator, and by raw HTTP with an
authenticator of its own, of which every part is told wrong once. Needs `docker/setup.sh viewer`; `make viewer` runs it."""

import base64
import hashlib
import html
import json
import pathlib
import re
import shutil
import socket
import struct
import sys
import tempfile

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import check_signin
from check_signin import PASSWORD, Browser, Forms
from hilum_server import HilumServer
from report import Report, equal, expect

CLAUSE = "WebAuthn Level 2 §7"
LIST, SIGN_IN = "/account/passkeys", "/account/passkey"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value):
    """As much as authenticators write. RFC 8949."""
    def head(major, count):
        if count < 24:
            return bytes([major << 5 | count])
        if count < 256:
            return bytes([major << 5 | 24, count])
        return bytes([major << 5 | 25]) + count.to_bytes(2, "big")
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


class Authenticator:
    """One credential; what is told wrong is given with the call."""

    def __init__(self, algorithm="ES256"):
        self.credential, self.user, self.count = hashlib.sha256(algorithm.encode()).digest(), b"", 0
        self.algorithm = algorithm
        self.key = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                    "RS256": lambda: rsa.generate_private_key(65537, 2048),
                    "EdDSA": ed25519.Ed25519PrivateKey.generate}[algorithm]()

    def cose(self):
        public = self.key.public_key()
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        if self.algorithm == "RS256":
            numbers = public.public_numbers()
            return {1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}
        return {1: 1, 3: -8, -1: 6, -2: public.public_bytes(Encoding.Raw, PublicFormat.Raw)}

    def sign(self, data):
        if self.algorithm == "ES256":
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(data)

    @staticmethod
    def client(kind, options, origin, **more):
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": False,
                           **more}).encode()

    def data(self, party, flags=0x05, attested=False):
        out = hashlib.sha256(party.encode()).digest() + bytes([flags | (0x40 if attested else 0)])
        out += struct.pack(">I", self.count)
        if attested:
            out += bytes(16) + struct.pack(">H", len(self.credential)) + self.credential + cbor(self.cose())
        return out

    def create(self, options, origin, form="none", **changes):
        client = self.client(changes.get("kind", "webauthn.create"), options, origin, **changes.get("more", {}))
        data = self.data(changes.get("party", options["rp"]["id"]), changes.get("flags", 0x05), attested=True)
        self.user = decoded(options["user"]["id"])
        return {"client-data": encoded(client),
                "attestation": encoded(cbor({"fmt": form, "attStmt": changes.get("statement", {}), "authData": data}))}

    def get(self, options, origin, **changes):
        client = self.client(changes.get("kind", "webauthn.get"), options, origin, **changes.get("more", {}))
        data = self.data(changes.get("party", options["rpId"]), changes.get("flags", 0x05))
        signature = self.sign(data + hashlib.sha256(client).digest())
        return {"credential": encoded(self.credential), "client-data": encoded(client),
                "authenticator-data": encoded(data), "signature": encoded(signature),
                "user-handle": encoded(changes.get("user", self.user))}


def options(page):
    found = re.search(r'data-options="([^"]*)"', page.text)
    expect(found is not None, f"the page asks for no passkey: {page.text[:300]}")
    return json.loads(html.unescape(found.group(1)))


def send(browser, path, fields):
    """The page's form with what a script would have put into it."""
    form = Forms(browser.page.text).form(path)
    expect(form is not None, f"no form for {path}")
    return browser.send("POST", path, {**form, **fields})


def origin_of(server):
    return server.http


def register(server, browser, authenticator, name, **changes):
    page = browser.get(LIST)
    fields = authenticator.create(options(page), changes.pop("origin", origin_of(server)), **changes)
    return send(browser, LIST, {**fields, "name": name, "password": PASSWORD})


def sign_in(server, browser, authenticator, **changes):
    page = browser.get(SIGN_IN)
    authenticator.count += changes.pop("step", 1)
    return send(browser, SIGN_IN, authenticator.get(options(page), changes.pop("origin", origin_of(server)), **changes))


def raw(report, server):
    """Without a browser: the answers are made here."""
    def account(name, *words):
        check_signin.choose_password(server, name, check_signin.add(server, name, *words))
        browser = Browser(server)
        browser.sign_in(name)
        return browser

    def algorithms():
        browser = account("petra", "practitioner", "--fhir-user", "Practitioner/1")
        for algorithm in ("ES256", "RS256", "EdDSA"):
            authenticator = Authenticator(algorithm)
            equal(register(server, browser, authenticator, algorithm).status_code, 200, algorithm)
            other = Browser(server)
            sign_in(server, other, authenticator)
            expect("Your account" in other.page.text, other.page.text[:300])
        listed = server.command("user", "list", server.folder)
        expect("passkeys: 3" in listed, listed)
        for password, status in (("not the password", 403), (PASSWORD, 200)):
            passkey = re.search(r'<option value="([^"]+)">ES256 ', browser.get(LIST).text).group(1)
            answer = send(browser, LIST + "/remove", {"passkey": passkey, "password": password})
            equal(answer.status_code, status, "removal")
        expect("passkeys: 2" in server.command("user", "list", server.folder), "one is removed")
        server.command("user", "reset", server.folder, "petra", "--passkeys")
        expect("passkeys" not in server.command("user", "list", server.folder), "removed")
        equal(sign_in(server, Browser(server), authenticator).status_code, 403, "a removed passkey")

    report.check("passkeys", "ES256, RS256 and EdDSA register and sign in; one is removed, a reset removes all",
                 algorithms, CLAUSE)

    def hostile():
        browser = account("paul", "patient", "--patient", "p9")
        own = Authenticator()
        own.credential = hashlib.sha256(b"paul").digest()
        own.count = 3
        for changes in ({"flags": 0x01}, {"flags": 0x04}, {"party": "evil.example"}, {"origin": "https://evil.example"},
                        {"kind": "webauthn.get"}, {"more": {"crossOrigin": True}},
                        {"more": {"topOrigin": "https://evil.example"}}, {"flags": 0x15}):
            equal(register(server, browser, own, "x", **changes).status_code, 403, f"registered with {changes}")
        equal(register(server, browser, own, "own").status_code, 200, "registered")
        thief = account("tom", "patient", "--patient", "p8")
        copy = Authenticator()
        copy.credential = own.credential
        equal(register(server, thief, copy, "x").status_code, 403, "another's credential")
        cases = ({"flags": 0x01}, {"flags": 0x04}, {"flags": 0x0D}, {"party": "evil.example"},
                 {"origin": "https://evil.example"}, {"kind": "webauthn.create"}, {"more": {"crossOrigin": True}},
                 {"more": {"topOrigin": "https://evil.example"}}, {"user": b""}, {"user": b"another"})
        answers = set()
        for changes in cases:
            # Each from a person of its own, as far as counting goes: wrong answers are bounded by credential.
            stranger = Browser(server)
            answer = sign_in(server, stranger, own, **changes)
            expect(answer.status_code in (403, 429), f"{changes}: {answer.status_code}")
            if answer.status_code == 403:
                answers.add(re.search(r'role="alert">([^<]*)<', answer.text).group(1))
            expect("__Host-hilum-session" not in stranger.cookies, f"signed in with {changes}")
        equal(len(answers), 1, f"answers {answers}")
        return f"{len(cases)} wrong assertions, one answer"

    report.check("passkeys", "every part of a registration and of an assertion that is wrong is refused", hostile, CLAUSE)

    def replayed():
        browser = account("rita", "patient", "--patient", "p7")
        own = Authenticator()
        own.credential = hashlib.sha256(b"rita").digest()
        equal(register(server, browser, own, "own").status_code, 200, "registered")
        one = Browser(server)
        page = one.get(SIGN_IN)
        form, kept = Forms(page.text).form(SIGN_IN), dict(one.cookies)
        answer = own.get(options(page), origin_of(server))
        other = Browser(server)
        other.get(SIGN_IN)
        equal(send(other, SIGN_IN, answer).status_code, 403, "in another browser")
        one.send("POST", SIGN_IN, {**form, **answer})
        expect("__Host-hilum-session" in one.cookies, "signed in")
        one.cookies = dict(kept)
        equal(one.send("POST", SIGN_IN, {**form, **answer}).status_code, 403, "a second time")
        own.count = 7
        expect("Your account" in sign_in(server, Browser(server), own).text, "with a count")
        equal(sign_in(server, Browser(server), own, step=-1).status_code, 403, "a count that does not go up")

    report.check("passkeys", "a challenge is of one browser and answered once; a count goes up", replayed,
                 "WebAuthn Level 2 §13.4.3")


def by_browser(report, server, driver, screenshots):
    """Chromium with a virtual authenticator, on the pages."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

    from browser_page import BrowserPage

    page = BrowserPage(driver, screenshots)
    to_passkey, ask = (By.PARTIAL_LINK_TEXT, "passkey"), "form[data-passkey] button"

    def password(name):
        driver.delete_all_cookies()
        driver.get(server.http + "/account/sign-in")
        page.find("#name").send_keys(name)
        page.find("#password").send_keys(PASSWORD)
        page.follow("main form button")

    def authenticator(verified):
        wanted = VirtualAuthenticatorOptions()
        wanted.transport = VirtualAuthenticatorOptions.Transport.INTERNAL
        wanted.protocol = VirtualAuthenticatorOptions.Protocol.CTAP2
        wanted.has_resident_key = wanted.has_user_verification = True
        wanted.is_user_verified = verified
        driver.add_virtual_authenticator(wanted)

    def registers():
        authenticator(True)
        check_signin.choose_password(server, "oskar", check_signin.add(server, "oskar", "operator"))
        password("oskar")
        page.at("/account/enrolment")
        page.follow(to_passkey[1], to_passkey[0])
        page.at("/account/passkeys")
        page.shot("passkey-1-add")
        page.click(ask)
        page.reads("main", "Recovery codes")
        page.wait(page.is_ready, "a whole page")
        equal(len(page.all(".codes li")), 10, "recovery codes")
        driver.get(server.http + LIST)
        page.find("select[name=passkey] option")
        page.shot("passkey-2-list")
        equal(len(driver.get_credentials()), 1, "credentials of the authenticator")

    report.check("passkeys", "an operator adds a passkey in place of a code, in Chromium", registers, CLAUSE)

    def alone():
        driver.delete_all_cookies()
        driver.get(server.http + "/account/sign-in")
        page.follow(to_passkey[1], to_passkey[0])
        page.shot("passkey-3-sign-in")
        page.click(ask)
        page.reads("main", "Your account")
        driver.get(server.http + "/account/users")
        page.reads("main", "oskar")

    report.check("passkeys", "a passkey alone signs an operator in", alone, CLAUSE)

    def behind():
        password("oskar")
        page.at("/account/second-factor")
        page.follow(to_passkey[1], to_passkey[0])
        page.click(ask)
        page.reads("main", "Your account")

    report.check("passkeys", "a passkey is the second factor behind the password", behind, CLAUSE)

    def unverified():
        driver.set_user_verified(False)
        try:
            driver.delete_all_cookies()
            driver.get(server.http + SIGN_IN)
            page.click(ask)
            page.wait(lambda: page.find("[data-problem]").is_displayed(), "the page's words on a browser that gives no passkey")
            page.wait(lambda: page.find(ask).is_enabled(), "the button to work again")
            page.shot("passkey-4-problem")
        finally:
            driver.set_user_verified(True)

    report.check("passkeys", "a device that does not look who it is signs nobody in alone", unverified, CLAUSE)

    def policy():
        errors = [entry["message"] for entry in driver.get_log("browser") if "Content Security Policy" in entry["message"]]
        expect(not errors, errors[:3])

    report.check("passkeys", "no policy is broken by the pages of passkeys", policy, "CSP Level 3")
    driver.remove_virtual_authenticator()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def whole(report, driver, folder, screenshots, postgres=None):
    """A server of its own that is known by a name: passkeys are of a host name."""
    server = HilumServer(folder / "passkeys", postgres=postgres, log=folder / "passkeys.log")
    port = free_port()
    server.init(ports=(port, 0, 0))
    server.configure("# public-url:", f"public-url: https://localhost:{port}")
    server.start()
    try:
        equal(server.http, f"https://localhost:{port}", "the public URL")
        raw(report, server)
        if driver is not None:
            by_browser(report, server, driver, screenshots)
        names = [name for name in ("rita", "oskar") if name in server.log_tail(200_000)]
        report.add("passkeys", "no name is in the log", not names, str(names))
    finally:
        server.stop()


if __name__ == "__main__":
    report, folder = Report(), pathlib.Path(tempfile.mkdtemp(prefix="hilum-passkeys."))
    try:
        whole(report, None, folder, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for group, name, _, state, detail in report.rows:
        print(f"{state}: {group}/{name} {detail}")
    print(report.again(), end="")
    sys.exit(1 if report.failed else 0)

"""People: accounts by `hilum user`, then the sign-in pages as a browser without scripts drives them: forms, cookies,
redirects. The one-time passwords are made here by RFC 6238."""

import base64
import hashlib
import hmac
import html.parser
import re
import struct
import sys
import time
from urllib.parse import urljoin, urlsplit

import requests

from report import equal, expect

CLAUSE = "OWASP ASVS 5.0 V6"
PASSWORD = "seven brass kettles"


def one_time_password(secret, step):
    """RFC 6238 with SHA-1, six digits and 30 s."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">q", step), hashlib.sha1).digest()
    offset = digest[19] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


class Forms(html.parser.HTMLParser):
    """The forms of a page with their fields, and the URL that it goes on to by itself."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.refresh, self.labels, self.ids = [], None, set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append((attributes.get("action"), {}))
        elif tag == "input" and self.forms:
            self.forms[-1][1][attributes.get("name")] = attributes.get("value") or ""
            if attributes.get("type") != "hidden":
                self.ids.add(attributes.get("id"))
        elif tag == "label":
            self.labels.add(attributes.get("for"))
        elif tag == "meta" and attributes.get("http-equiv") == "refresh":
            self.refresh = attributes["content"].split("url=", 1)[1]

    def form(self, action):
        return next((fields for path, fields in self.forms if path == action), None)


class Browser:
    """Keeps cookies and follows redirects within the server. Cookies that a browser would not keep are an error, and so is
    a redirect to another site, unless the browser `leaves`: then it stops there, and `left` is where it was sent."""

    def __init__(self, server, leaves=False):
        self.base, self.verify, self.cookies, self.page = server.http, server.verify, {}, None
        self.leaves, self.left = leaves, None

    def send(self, method, path, data=None):
        headers = {"Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = requests.request(method, urljoin(self.base, path), data=data, headers=headers, verify=self.verify,
                                  allow_redirects=False, timeout=60)
        for field in answer.raw.headers.getlist("Set-Cookie"):
            pair, *attributes = [part.strip() for part in field.split(";")]
            name, value = pair.split("=", 1)
            expect(name.startswith("__Host-"), f"cookie {name}")
            expect({"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(attributes), f"attributes of {name}")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        self.page = answer
        if answer.status_code == 303:
            location = answer.headers["Location"]
            if self.leaves and urlsplit(location).netloc:
                self.left = location
                return answer
            expect(location.startswith("/") and not location.startswith("//"), f"Location {location}")
            return self.send("GET", location)
        return answer

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, **fields):
        """Sends the form of the page for a path."""
        form = Forms(self.page.text).form(path)
        expect(form is not None, f"the page has no form for {path}: {self.page.text[:300]}")
        return self.send("POST", path, {**form, **{name.replace("_", "-"): value for name, value in fields.items()}})

    def sign_in(self, name, password=PASSWORD):
        self.get("/account/sign-in")
        return self.post("/account/sign-in", name=name, password=password)


def add(server, name, role, *words):
    """Adds an account; the one-time code that is printed."""
    out = server.command("user", "add", server.folder, name, "--role", role, "--display-name", f"{name} <b>", *words)
    return re.search(r"one-time code: (\S+)", out).group(1)


def choose_password(server, name, code):
    browser = Browser(server)
    browser.get("/account/reset")
    browser.post("/account/reset", name=name, code=code, password=PASSWORD, repeat=PASSWORD)
    equal(browser.page.status_code, 200, "status")
    expect("The password is chosen" in browser.page.text, browser.page.text[:500])


def enrol(browser):
    """Sets up a second factor; its secret and the recovery codes."""
    text = browser.page.text
    secret = re.search(r'id="secret">([A-Z2-7]+)<', text).group(1)
    expect(f"secret={secret}" in text and "<svg " in text, "otpauth URI and symbol")
    browser.post("/account/enrolment", code=one_time_password(secret, int(time.time()) // 30))
    codes = re.findall(r"<li>([A-Z2-7-]{23})</li>", browser.page.text)
    equal(len(codes), 10, "recovery codes")
    return secret, codes


def check(report, server, folder):
    def pages():
        answer = requests.get(server.http + "/account/sign-in", verify=server.verify, timeout=30)
        equal(answer.status_code, 200, "status")
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "style-src 'self'"):
            expect(part in policy, f"{part} in {policy}")
        expect("unsafe" not in policy and "<script" not in answer.text, "inline")
        equal(answer.headers["Cache-Control"], "no-store", "Cache-Control")
        page = Forms(answer.text)
        expect(page.ids and page.ids <= page.labels, f"fields {page.ids} with labels {page.labels}")
        path = re.search(r'rel="stylesheet" href="([^"]+)"', answer.text).group(1)
        style = requests.get(server.http + path, verify=server.verify, timeout=30)
        equal(style.status_code, 200, "stylesheet")
        expect("immutable" in style.headers["Cache-Control"], style.headers["Cache-Control"])

    report.check("people", "the sign-in page: policy, labels, stylesheet", pages, "CSP Level 3 §6")

    def operator():
        choose_password(server, "olga", add(server, "olga", "operator"))
        browser = Browser(server)
        browser.sign_in("olga")
        expect("needs a second factor" in browser.page.text, browser.page.text[:500])
        equal(browser.get("/account/users").status_code, 404, "users before the second factor")
        browser.get("/account/enrolment")
        secret, codes = enrol(browser)
        answer = browser.get("/account/users")
        equal(answer.status_code, 200, "users")
        expect("olga &lt;b&gt;" in answer.text and "<b>" not in answer.text, "names are escaped")
        other = Browser(server)
        other.sign_in("olga")
        # The step that set it up is used, the next one is taken already.
        other.post("/account/second-factor", code=one_time_password(secret, int(time.time()) // 30 - 5))
        equal(other.page.status_code, 403, "an old code")
        other.post("/account/second-factor", code=one_time_password(secret, int(time.time()) // 30 + 1))
        equal(other.page.status_code, 200, "the code of the next step")
        expect("Your account" in other.page.text, other.page.text[:500])
        third = Browser(server)
        third.sign_in("olga")
        third.post("/account/second-factor", code=codes[0].lower())
        expect("Recovery codes left: 9" in third.page.text, third.page.text[:500])
        return f"{len(codes)} recovery codes"

    report.check("people", "an operator signs in with two factors", operator, CLAUSE)

    def practitioner():
        choose_password(server, "anna", add(server, "anna", "practitioner", "--fhir-user", "Practitioner/1"))
        browser = Browser(server)
        browser.get("/account/sign-in?return=%2Ffhir%2Fmetadata%3F_format%3Djson")
        browser.post("/account/sign-in", name="anna", password=PASSWORD)
        equal(Forms(browser.page.text).refresh, "/fhir/metadata?_format=json", "goes on to")
        expect("Practitioner/1" in browser.get("/account").text, "the record")
        equal(browser.get("/account/users").status_code, 404, "users of a practitioner")
        server.command("user", "lock", server.folder, "anna")
        expect("/account/sign-in" in browser.get("/account").text, "a locked account is signed out")
        equal(browser.sign_in("anna").status_code, 403, "a locked account signs in")
        server.command("user", "unlock", server.folder, "anna")
        equal(browser.sign_in("anna").status_code, 200, "an unlocked one")
        browser.get("/account")
        old = dict(browser.cookies)
        browser.post("/account/sign-out")
        browser.cookies = old
        expect("/account/sign-in" in browser.get("/account").text, "a session that was signed out")

    report.check("people", "a practitioner signs in, is locked, unlocked and signs out", practitioner, CLAUSE)

    def refused():
        for path in ("//evil.example", "https://evil.example", "/\\evil.example"):
            browser = Browser(server)
            browser.get("/account/sign-in?return=" + requests.utils.quote(path, safe=""))
            equal(Forms(browser.page.text).form("/account/sign-in")["return"], "/account", f"return of {path}")
        browser = Browser(server)
        browser.get("/account/sign-in")
        fields = {**Forms(browser.page.text).form("/account/sign-in"), "name": "anna", "password": PASSWORD}
        equal(browser.send("POST", "/account/sign-in", {**fields, "csrf": "x"}).status_code, 403, "another token")
        browser.cookies = {}
        equal(browser.send("POST", "/account/sign-in", fields).status_code, 403, "another browser")
        answer = requests.post(server.http + "/account/sign-in", data=fields, verify=server.verify, timeout=30,
                               headers={"Origin": "https://evil.example"})
        equal(answer.status_code, 403, "another site")

    report.check("people", "foreign forms and paths are refused", refused, "CWE-352; CWE-601")

    def guesses():
        browser = Browser(server)
        begun = time.monotonic()
        states = [browser.sign_in("bert", f"wrong {number}").status_code for number in range(14)]
        equal(states, [403] * 10 + [429] * 4, "answers")
        expect(int(browser.page.headers["Retry-After"]) >= 1, "Retry-After")
        # Reads go on beside it.
        started = time.monotonic()
        equal(requests.get(server.http + "/health/live", verify=server.verify, timeout=30).status_code, 200, "live")
        return f"14 guesses in {time.monotonic() - begun:.1f} s, then a read in {(time.monotonic() - started) * 1000:.0f} ms"

    report.check("people", "wrong passwords are bounded", guesses, "CWE-307")

    def commands():
        out = server.command("user", "list", server.folder)
        expect("olga\toperator\tactive\ttwo factors" in out, out)
        server.command("user", "link", server.folder, "anna", "--patient", "p1", "--patient", "p2")
        expect("Patient/p1 Patient/p2" in server.command("user", "list", server.folder), "linked")
        server.command("user", "remove", server.folder, "anna")
        expect("anna" not in server.command("user", "list", server.folder), "removed")

    report.check("people", "accounts are listed, linked and removed", commands)


if __name__ == "__main__":
    import alone

    sys.exit(alone.run("signin", check))

"""A standalone launch as a person meets it in Chromium: sign-in, second factor, consent with a scope dropped, the patient
chosen, all by the keyboard, at a phone's width and in the dark; each page is looked at for labels, contrast and order of
focus. Screenshots are kept. Needs `docker/setup.sh viewer`; `make viewer` runs it."""

import hashlib
import http.server
import re
import secrets
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import check_signin
from browser_page import SECONDS, BrowserPage
from check_signin import PASSWORD, Browser, one_time_password
from hilum_server import HilumServer
from report import equal, expect
from smart import BackendClient

CLAUSE = "SMART 2.2 app-launch"
SCOPE = "launch/patient openid fhirUser offline_access patient/Patient.r patient/Observation.rs"
PROBLEMS = """
const problems = [];
if (!document.documentElement.lang) problems.push('no language');
if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
if (!document.querySelector('main')) problems.push('no main');
if (!document.title) problems.push('no title');
const shown = (one) => one.getClientRects().length > 0;
for (const one of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
  const label = one.labels && one.labels.length ? one.labels[0].textContent.trim() : one.getAttribute('aria-label');
  if (!label) problems.push('no label: ' + one.name);
}
for (const one of document.querySelectorAll('button, a[href]')) {
  if (!(one.getAttribute('aria-label') || one.textContent).trim()) problems.push('no name: ' + one.outerHTML);
}
const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
if (new Set(ids).size !== ids.length) problems.push('an id twice');
for (const one of document.querySelectorAll('[aria-describedby]')) {
  if (!document.getElementById(one.getAttribute('aria-describedby'))) problems.push('described by nothing: ' + one.id);
}
const parts = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
const light = (colour) => {
  const [r, g, b] = parts(colour).map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (one) => {
  for (let place = one; place; place = place.parentElement) {
    const colour = getComputedStyle(place).backgroundColor;
    const [, , , alpha] = parts(colour);
    if (alpha === undefined || alpha > 0) return colour;
  }
  return 'rgb(255, 255, 255)';
};
for (const one of document.querySelectorAll('body *')) {
  const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!hasText || !shown(one) || one.className === 'skip' || ['NOSCRIPT', 'SCRIPT'].includes(one.tagName)) continue;
  const pair = [light(getComputedStyle(one).color), light(ground(one))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ${one.textContent.trim().slice(0, 40)}`);
}
if (document.documentElement.scrollWidth > innerWidth) problems.push(document.documentElement.scrollWidth + ' px wide');
return problems;
"""
# What can be reached by Tab, in the order of the document: of radio buttons one of a name.
REACHED = """
const names = new Set();
return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, [tabindex="0"]')]
  .filter((one) => !one.disabled && one.getClientRects().length > 0)
  .filter((one) => one.type !== 'radio' || (!names.has(one.name) && names.add(one.name)))
  .map((one) => one.type === 'radio' ? 'radio ' + one.name : one.id || one.value || one.getAttribute('href') || one.textContent);
"""
FOCUSED = """
const one = document.activeElement;
if (!one || one === document.body) return '';
const style = getComputedStyle(one);
const name = one.type === 'radio' ? 'radio ' + one.name : one.id || one.value || one.getAttribute('href') || one.textContent;
return [name, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];
"""


class Callback(http.server.BaseHTTPRequestHandler):
    """The application's own place, which only says that it was reached."""

    def do_GET(self):
        body = b"<!DOCTYPE html><html lang=en><title>App</title><h1>Back at the app</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Person:
    """A practitioner with two patients, a second factor, and an application that is launched by itself."""

    def __init__(self, server, backend, redirect):
        self.server, session = server, backend.session()

        def create(resource):
            answer = session.post(f"{server.fhir}/{resource['resourceType']}", json=resource, timeout=SECONDS)
            equal(answer.status_code, 201, answer.text[:300])
            return answer.json()["id"]

        who = create({"resourceType": "Practitioner", "name": [{"family": "Reader"}]})
        self.patients = [create({
            "resourceType": "Patient", "name": [{"family": family, "given": ["Launch"]}], "birthDate": "1960-01-02",
            "generalPractitioner": [{"reference": f"Practitioner/{who}"}]}) for family in ("Adams", "Brown")]
        code = check_signin.add(server, "rosa", "practitioner", "--fhir-user", f"Practitioner/{who}")
        check_signin.choose_password(server, "rosa", code)
        browser = Browser(server)
        browser.sign_in("rosa")
        page = browser.get("/account/enrolment")
        self.secret = re.search(r'id="secret">([A-Z2-7]+)<', page.text).group(1)
        if time.time() % 30 > 20:
            time.sleep(11)  # else the step may be over, and this one too old, before the server looks at it
        self.step = int(time.time()) // 30 - 1
        browser.post("/account/enrolment", code=one_time_password(self.secret, self.step), password=PASSWORD)
        equal(browser.page.status_code, 200, browser.page.text[:300])
        out = server.command("client", "register", server.folder, "--name", "Launched by itself", "--public",
                             "--redirect-uri", redirect, "--scope", SCOPE)
        self.client = re.search(r"client_id: *(\S+)", out).group(1)
        self.redirect = redirect

    def code(self):
        """The next one that was not used."""
        self.step = max(self.step + 1, int(time.time()) // 30)
        return one_time_password(self.secret, self.step)

    def address(self, **more):
        self.verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        challenge = check_signin.base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest())
        fields = {"response_type": "code", "client_id": self.client, "redirect_uri": self.redirect, "scope": SCOPE,
                  "state": self.state, "aud": self.server.fhir, "code_challenge": challenge.rstrip(b"=").decode(),
                  "code_challenge_method": "S256", **more}
        return self.server.http + "/auth/authorize?" + urlencode(fields)

    def redeem(self, address):
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        equal((query.get("state"), query.get("iss")), (self.state, self.server.http), f"state and iss of {query}")
        answer = requests.post(self.server.http + "/oauth/token", verify=self.server.verify, timeout=SECONDS, data={
            "grant_type": "authorization_code", "code": query["code"], "redirect_uri": self.redirect,
            "code_verifier": self.verifier, "client_id": self.client})
        equal(answer.status_code, 200, answer.text)
        return answer.json()


def drive(report, driver, person, screenshots):
    page = BrowserPage(driver, screenshots)

    def look(name):
        """Keeps a picture, and looks at the page in light and dark, wide and narrow."""
        page.wait(page.is_ready, "a whole page")
        for width, scheme in ((1280, "light"), (400, "dark")):
            page.resize(width, 900)
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                   {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            page.settle()
            page.shot(f"launch-{name}-{scheme}")
            problems = driver.execute_script(PROBLEMS)
            expect(not problems, f"{name}, {width} px, {scheme}: {problems}")

    def tab_through(name):
        """Everything is reached by Tab, in the order of the page, and shows that it is focused."""
        wanted = driver.execute_script(REACHED)
        driver.execute_script("document.activeElement && document.activeElement.blur()")
        reached = []
        for _ in range(len(wanted) + 3):
            ActionChains(driver).send_keys(Keys.TAB).perform()
            page.settle()
            focused = driver.execute_script(FOCUSED)
            if not focused or focused[0] in reached:
                break
            expect(focused[1], f"{name}: {focused[0]} does not show its focus")
            reached.append(focused[0])
        # Focus may begin behind the first ones, where the page puts it into a field, and goes around.
        expect(set(wanted) <= set(reached) | set(wanted[:wanted.index(reached[0])]), f"{name}: {wanted}, not {reached}")
        order = [wanted.index(one) for one in reached if one in wanted]
        equal(order, sorted(order), f"{name}: order of focus {reached}")

    def press(key, times=1):
        for _ in range(times):
            ActionChains(driver).send_keys(key).perform()

    def focus(selector):
        """By Tab alone."""
        wanted = page.find(selector)
        for _ in range(60):
            if driver.switch_to.active_element == wanted:
                return
            press(Keys.TAB)
        raise AssertionError(f"{selector} is not reached by Tab; the page shows: {page.shown()}")

    def signs_in():
        driver.delete_all_cookies()
        driver.get(person.address())
        page.at("/account/sign-in")
        look("1-sign-in")
        tab_through("sign-in")
        focus("#name")
        ActionChains(driver).send_keys("rosa", Keys.TAB, PASSWORD, Keys.ENTER).perform()
        page.at("/account/second-factor")
        look("2-second-factor")
        tab_through("second factor")
        focus("#code")
        ActionChains(driver).send_keys(person.code(), Keys.ENTER).perform()
        page.at("/auth/authorize")

    def consents():
        look("3-consent")
        tab_through("consent")
        page.find("label[for^='p-']")
        labels = [one.text for one in driver.find_elements(By.CSS_SELECTOR, "label[for^='p-']")]
        equal(len(labels), 2, f"patients to choose from: {labels}")
        # The patient of the second place: by Tab to the group, by the arrow within it.
        focus(f"#p-{driver.find_elements(By.CSS_SELECTOR, '[name=patient]')[0].get_attribute('value')}")
        press(Keys.SPACE)
        press(Keys.ARROW_DOWN)
        chosen = page.find("[name=patient]:checked").get_attribute("value")
        expect(chosen in person.patients, chosen)
        dropped = page.find("[name=keep][value='offline_access']")
        focus(f"#{dropped.get_attribute('id')}")
        press(Keys.SPACE)
        page.wait(lambda: not dropped.is_selected(), "the scope to be dropped")
        look("4-chosen")
        focus("button[value=allow]")
        press(Keys.ENTER)
        page.wait(lambda: driver.current_url.startswith(person.redirect), "the app's own place")
        page.shot("launch-5-app")
        token = person.redeem(driver.current_url)
        equal(token["patient"], chosen, "the patient")
        expect("offline_access" not in token["scope"] and "refresh_token" not in token, token["scope"])
        expect("patient/Observation.rs" in token["scope"], token["scope"])
        return token["scope"]

    def denies():
        driver.get(person.address(prompt="consent"))
        focus("button[value=deny]")
        press(Keys.ENTER)
        page.wait(lambda: driver.current_url.startswith(person.redirect), "the app's own place")
        expect("error=access_denied" in driver.current_url, driver.current_url)

    def account():
        for path in ("/account", "/account/passkeys", "/account/access", "/account/enrolment"):
            driver.get(person.server.http + path)
            look("6" + path.replace("/", "-"))
            tab_through(path)
        driver.get(person.server.http + "/account/access")
        page.reads("main", "Launched by itself")
        page.click("td form button")
        page.reads("main", "withdrawn")

    report.check("browser launch", "sign-in and second factor by the keyboard", signs_in, "WCAG 2.2 §2.1.1")
    report.check("browser launch", "the patient is chosen and a scope dropped by the keyboard", consents, CLAUSE)
    report.check("browser launch", "a person who says no", denies, "RFC 6749 §4.1.2.1")
    report.check("browser launch", "the account's pages; access is withdrawn", account, "WCAG 2.2 §1.4.3; §1.4.10")
    page.resize(1280, 900)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def whole(report, driver, folder, screenshots):
    app = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    server = HilumServer(folder / "launch", log=folder / "launch.log")
    server.init()
    own = folder / "launch-client"
    own.mkdir()
    backend = BackendClient(server, "everything", "ES384", "system/*.cruds", own)
    server.start()
    try:
        person = Person(server, backend, f"http://127.0.0.1:{app.server_address[1]}/cb")
        drive(report, driver, person, screenshots)
    finally:
        server.stop()
        app.shutdown()

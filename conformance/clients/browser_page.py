"""A page in a browser as the checks look at it: whatever an action brings about is waited for, however slow the machine is,
and what does not come is told with what the page shows instead."""

import time

from selenium.common.exceptions import InvalidSessionIdException, NoSuchWindowException, WebDriverException
from selenium.webdriver.common.by import By

# At most for one thing. What takes a tenth of a second on an idle machine takes seconds beside others.
SECONDS = 90
# A window of Chromium is no narrower.
NARROWEST = 516

SHOWN = """
const words = (one, most) => (one ? one.innerText : '').replace(/\\s+/g, ' ').trim().slice(0, most);
const panes = [...document.querySelectorAll('.pane')].map((pane) =>
  [pane.getAttribute('aria-label'), words(pane.querySelector('.pane-status'), 80)].filter(Boolean).join(': '));
const message = words(document.querySelector('#message'), 120);
return [location.href.slice(0, 160), document.readyState, ...panes, message && 'message: ' + message,
  words(document.querySelector('main') ?? document.body, 160)].filter(Boolean).join(' | ');
"""


class BrowserPage:
    def __init__(self, driver, screenshots):
        self.driver, self.screenshots = driver, screenshots

    # Waiting

    def wait(self, condition, what, seconds=SECONDS):
        """What `condition` gives once it is something. A page that goes away while it is looked at, and an element that is
        not there yet, are looked at again. `what` is named in the error; a function tells it when it is over."""
        until = time.monotonic() + seconds
        while True:
            problem = ""
            try:
                found = condition()
                if found:
                    return found
            except (InvalidSessionIdException, NoSuchWindowException):
                raise
            except WebDriverException as error:
                problem = f" ({type(error).__name__}: {(error.msg or '').splitlines()[:1]})"
            if time.monotonic() > until:
                what = what() if callable(what) else what
                raise AssertionError(f"waited {seconds} s for {what}{problem}; the page shows: {self.shown()}")
            time.sleep(0.1)

    def shown(self):
        """Where the browser is and what is read there, in one line."""
        try:
            return self.driver.execute_script(SHOWN)
        except WebDriverException as error:
            return f"nothing, {type(error).__name__}: {(error.msg or '')[:100]}"

    def is_ready(self):
        return self.driver.execute_script("return document.readyState") == "complete"

    def at(self, *parts):
        """Until the address has one of the parts and its page is whole."""
        self.wait(lambda: any(part in self.driver.current_url for part in parts) and self.is_ready(),
                  f"the page {' or '.join(parts)}")

    def settle(self):
        """Until what was done is drawn: two frames of the screen."""
        self.driver.execute_script("window.hilumDrew = false;"
                                   "requestAnimationFrame(() => requestAnimationFrame(() => { window.hilumDrew = true; }));")
        self.wait(lambda: self.driver.execute_script("return window.hilumDrew"), "two frames of the screen")

    # Elements

    def all(self, selector, by=By.CSS_SELECTOR):
        return self.driver.find_elements(by, selector)

    def find(self, selector, by=By.CSS_SELECTOR):
        """The first one, once there is one."""
        return self.wait(lambda: next(iter(self.all(selector, by)), None), f"an element {selector}")

    def text(self, selector):
        return self.wait(lambda: (self.driver.find_element(By.CSS_SELECTOR, selector).text,), f"the text of {selector}")[0]

    def reads(self, selector, words):
        """Until the words are among the text of an element; gives the text."""
        self.wait(lambda: words in self.driver.find_element(By.CSS_SELECTOR, selector).text,
                  f"{words!r} in {selector}")
        return self.text(selector)

    def click(self, selector, by=By.CSS_SELECTOR):
        """Once the element is there and nothing lies over it."""
        def clicked():
            self.driver.find_element(by, selector).click()
            return True

        self.wait(clicked, f"a click on {selector}")

    def leave(self, action, what):
        """Does what leads to another page, and waits until that is whole."""
        self.driver.execute_script("window.hilumIsLeft = true")
        action()
        self.wait(lambda: self.driver.execute_script(
            "return !window.hilumIsLeft && document.readyState === 'complete'"), f"another page behind {what}")

    def follow(self, selector, by=By.CSS_SELECTOR):
        """Clicks on what leads to another page."""
        self.leave(lambda: self.click(selector, by), selector)

    # The window

    def resize(self, width, height):
        self.driver.set_window_size(width, height)
        inner = "return window.innerWidth"
        self.wait(lambda: (self.driver.execute_script(inner) <= max(NARROWEST, width)
                           and self.driver.execute_script(inner) >= width - 100), f"a window {width} px wide")
        self.settle()

    def shot(self, name):
        self.driver.save_screenshot(str(self.screenshots / f"{name}.png"))

"""Scrolling through a series that is in memory: images painted a second, by wheel and by keys."""

from selenium.webdriver.common.keys import Keys

from report import TooSlow, expect
from workers import SLICES, counts, loaded

SECONDS = 2  # of each way to scroll
# A screen of 60 Hz shows 60 images a second where the page needs no more than its share of the time for one: ms of the
# page's own thread.
SHARE = 1000 / 60
# Images a second at the median interval, drawn by a browser that has no graphics processor and shares two others with the
# server. Fewer are a page that stands still between them, and no slow picture.
LEAST = 5

# Within each frame of the screen one step, there and back through the series. What counts is what the pane has painted.
SCROLL = """
const [kind, ms, count, done] = arguments;
const pane = document.querySelector('.pane');
const times = [];
const shown = new Set();
let last;
const painted = ({ detail }) => {
  if (detail !== last) times.push(performance.now());
  shown.add(last = detail);
};
pane.addEventListener('painted', painted);
pane.focus();
const begun = performance.now();
let [at, way] = [0, 1];
const step = () => {
  if (performance.now() - begun >= ms) {
    pane.removeEventListener('painted', painted);
    const gaps = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
    if (gaps.length === 0) return done({ painted: times.length });
    return done({
      painted: times.length, shown: shown.size, median: gaps[Math.floor(gaps.length / 2)], longest: gaps.at(-1),
      seconds: (performance.now() - begun) / 1000,
    });
  }
  if (at + way < 0 || at + way >= count) way = -way;
  at += way;
  const options = { bubbles: true, cancelable: true };
  pane.dispatchEvent(kind === 'wheel' ? new WheelEvent('wheel', { ...options, deltaY: 100 * way })
    : new KeyboardEvent('keydown', { ...options, key: way > 0 ? 'ArrowDown' : 'ArrowUp' }));
  return requestAnimationFrame(step);
};
requestAnimationFrame(step);
"""


def busy(driver):
    """Seconds that the page's thread has worked so far."""
    driver.execute_cdp_cmd("Performance.enable", {})
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


def checks(driver, server, page, study):
    """(name, work, clause) of each; somebody is signed in."""

    def scrolled():
        loaded(driver, server, page, study)
        told = []
        for kind in ("wheel", "keys"):
            page.find(".pane").send_keys(Keys.HOME)
            page.shows(f"image 1 of {SLICES}")
            page.settle()
            before = busy(driver)
            found = driver.execute_async_script(SCROLL, kind, 1000 * SECONDS, SLICES)
            share = 1000 * (busy(driver) - before) / max(1, found["painted"])
            expect(found["painted"] > 1, f"{found['painted']} images painted by {kind} in {SECONDS} s")
            rate = 1000 / max(found["median"], 0.001)
            words = (f"{kind}: {share:.1f} ms of the page for an image; drawn without a graphics processor: {rate:.0f} a second "
                     f"({found['painted']} in {found['seconds']:.1f} s), the longest took {found['longest']:.0f} ms")
            if share > SHARE or rate < LEAST:
                raise TooSlow(f"{words}; at most {SHARE:.1f} ms and at least {LEAST} a second are meant")
            expect(found["shown"] >= min(SLICES, found["painted"]) / 2, f"{found['shown']} different images, {words}")
            told.append(words)
        expect(sum(counts(driver)[1:]) == SLICES, f"frames were decoded anew while they were in memory: {counts(driver)}")
        page.shot("15-scrolled")
        return "; ".join(told)

    return [("a series in memory at the rate of a screen", scrolled, "")]

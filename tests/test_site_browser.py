"""The site in a real browser, from file:// and under a sub-path: drawn, silent, self-contained."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from itertools import pairwise
from pathlib import Path

import pytest
import site_frames as frames

from pipeline.site import build_site

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOCAL = ("file:", "data:", "blob:", "about:")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((p for p in map(shutil.which, names) if p), None)
    if found is None:
        pytest.skip(f"no browser here: none of {', '.join(names)} is on the PATH")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    # A sub-path with a space: links must be relative and encoded.
    out = tmp_path_factory.mktemp("publication") / "the charts"
    build_site(TABLES, out)
    return out


# Few trusts: every page loads the whole chart library, which takes a second.
TABLES = frames.tables(3, names={0: frames.EVIL, 1: frames.QUOTED}, is_demo=True, boards=2)


class Watched:
    """A page that remembers every complaint and every request to another place."""

    def __init__(self, browser, local=LOCAL, **options) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", self._dialog)
        self.page.on(
            "request",
            lambda r: None if r.url.startswith(local) else self.outside.append(r.url),
        )

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _dialog(self, dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def draw_all(self) -> None:
        self.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        self.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        self.page.wait_for_function(
            "[...document.querySelectorAll('.plot')].every(p => p.querySelector('svg.main-svg'))"
        )


# Of rules that hold only their names: all elements that keep them would be megabytes a page.
FAULTS = {"resultTypes": ["violations"]}
# Contrast takes most of the time and depends on the scheme, not on the width: once a scheme. It is all
# that depends on the scheme.
NO_CONTRAST = FAULTS | {"rules": {"color-contrast": {"enabled": False}}}
CONTRAST = FAULTS | {"runOnly": ["color-contrast"]}
LOOKS = (("light", 390, FAULTS), ("light", 1280, NO_CONTRAST), ("dark", 1280, CONTRAST))


def look_at(page, scheme: str, width: int) -> None:
    """The same page on another screen, without loading it again."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})


def one_of_each_kind(site: Path) -> list[Path]:
    return [*sorted(site.glob("*.html")), site / "trusts" / "Z000.html", *_first(site / "boards")]


def _first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))[:1]


@pytest.fixture
def watched(browser):
    opened = Watched(browser, viewport={"width": 1280, "height": 900})
    yield opened
    opened.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_draws_every_chart_without_a_complaint_or_a_request(browser, site, width):
    watched = Watched(browser, viewport={"width": width, "height": 844})
    drawn = 0
    for path in sorted(site.rglob("*.html")):
        watched.page.goto(path.as_uri())
        watched.draw_all()
        drawn += watched.page.locator(".plot svg.main-svg").count()
        assert watched.page.locator(".waiting").count() == 0
        too_wide = watched.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert too_wide <= 0, f"{path.name} scrolls sideways by {too_wide} pixels at {width}"
        assert watched.complaints == [], path.name
        assert watched.outside == [], path.name
    watched.context.close()
    assert drawn > 20


EDGES = """where => {
  const page = getComputedStyle(document.body).backgroundColor;
  return [...document.querySelectorAll(where + ' .textpoint text')].map(t => getComputedStyle(t)).map(
    s => s.paintOrder.startsWith('stroke') && s.stroke === page && parseFloat(s.strokeWidth) > 2);
}"""


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_lines_of_reference_do_not_run_through_the_letters_of_a_share(watched, site, scheme):
    """Each label has an edge in the colour of the page, under its letters."""
    watched.page.emulate_media(color_scheme=scheme)
    for path, where in (
        ("index.html", "[id$=share-lollipop]"),
        ("definitions.html", "[id$=definition-ladder]"),
        ("compare.html#Z000,Z001", "#compare-plot"),
    ):
        watched.page.goto(f"{(site / 'index.html').parent.as_uri()}/{path}")
        watched.draw_all()
        watched.page.locator(f"{where} .textpoint text").first.wait_for()
        edges = watched.page.evaluate(EDGES, where)
        assert edges, path
        assert all(edges), path


def test_chosen_trusts_with_long_names_fit_a_telephone(watched, tmp_path):
    """The word on the button is not broken, and the title of the axis is not cut."""
    names = {i: f"London {way} West University Healthcare NHS Trust" for i, way in enumerate("NS")}
    build_site(frames.tables(2, names=names, boards=1), tmp_path)
    watched.page.set_viewport_size({"width": 390, "height": 844})
    watched.page.goto(f"{(tmp_path / 'compare.html').as_uri()}#Z000,Z001")
    title = watched.page.locator("#compare-plot .xtitle")
    title.wait_for()
    heights = watched.page.locator("#chosen button").evaluate_all(
        "all => all.map(b => b.getClientRects()[0].height)"
    )
    assert len(set(heights)) == 1
    assert max(heights) < 40
    drawing, words = watched.page.locator("#compare-plot").bounding_box(), title.bounding_box()
    assert words["x"] + words["width"] <= drawing["x"] + drawing["width"]


def test_no_page_has_a_serious_accessibility_fault_light_or_dark_small_or_wide(watched, site):
    axe_of = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe here")
    faults, rules = [], 0
    for path in one_of_each_kind(site):
        # Compare is a page of its own only once trusts are chosen.
        chosen = "#Z000,Z001" if path.name == "compare.html" else ""
        watched.page.goto(path.as_uri() + chosen)
        # What is folded away is read too, once it is opened.
        watched.page.evaluate(
            "document.querySelectorAll('details').forEach(d => { d.open = true })"
        )
        watched.draw_all()
        watched.page.evaluate(axe_of.Axe().axe_script)
        for scheme, width, options in LOOKS:
            look_at(watched.page, scheme, width)
            found = watched.page.evaluate("options => axe.run(options)", options)
            rules += len(found["passes"])
            faults += [
                f"{path.name}, {scheme}, {width}: {rule['impact']} {rule['id']}: {node['html']}"
                for rule in found["violations"]
                if rule["impact"] in {"serious", "critical"}
                for node in rule["nodes"]
            ]
    assert rules > 500, "axe looked at nothing"
    assert faults == []


def test_upright_headings_of_a_narrow_map_stand_beside_each_other(browser, site):
    watched = Watched(browser, viewport={"width": 390, "height": 844})
    watched.page.goto((site / "maturity.html").as_uri())
    watched.draw_all()
    headings = watched.page.evaluate(
        """[...document.querySelectorAll('#maturity-heatmap .xtick text')].map(function (t) {
             var r = t.getBoundingClientRect(); return [r.left, r.right, r.height]; })"""
    )
    watched.context.close()
    assert len(headings) == 7
    for (_, right, _), (left, _, _) in pairwise(sorted(headings)):
        assert right <= left, headings


def test_charts_are_drawn_only_when_they_come_near(watched, site):
    watched.page.goto((site / "index.html").as_uri())
    watched.page.wait_for_timeout(400)
    plots = watched.page.locator(".plot")
    last = plots.nth(plots.count() - 1)
    assert last.locator("svg.main-svg").count() == 0
    last.scroll_into_view_if_needed()
    last.locator("svg.main-svg").first.wait_for()


def test_the_search_finds_by_name_code_and_former_name_and_leads_to_the_page(watched, site):
    page = watched.page
    page.goto((site / "index.html").as_uri())
    box = page.get_by_label("Name, code or former name")
    for words, code in (("z002", "Z002"), ("cottage tarn", "Z001"), ("skelter bank", "Z000")):
        box.fill(words)
        hit = page.locator(".hits a").first
        assert f"/trusts/{code}.html" in hit.evaluate("e => e.href")
    box.fill("script")
    assert page.locator(".hits a").first.inner_text().startswith(frames.EVIL)
    box.fill("nobody of that name")
    assert page.get_by_role("status").inner_text() == "No trust found."
    box.fill("Z002")
    box.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/trusts/Z002.html")
    assert watched.complaints == []


def test_all_else_answers_while_the_chart_library_is_on_its_way(watched, site):
    page, held = watched.page, []
    page.route("**/plotly.min.js", lambda route: held.append(route))
    page.goto((site / "index.html").as_uri(), wait_until="commit")
    page.get_by_label("Name, code or former name").fill("z002")
    page.locator(".hits a").first.wait_for()
    page.locator("#figure-share-lollipop").get_by_text("Save as SVG").click()
    assert page.evaluate("typeof Plotly") == "undefined"
    assert len(held) == 1
    with page.expect_download() as saving:
        held[0].continue_()
    assert saving.value.suggested_filename == "fivepercent-share-lollipop.svg"
    page.locator(".plot svg.main-svg").first.wait_for()
    assert watched.complaints == []


def test_a_page_without_charts_does_not_load_the_chart_library(watched, site):
    asked = []
    watched.page.on("request", lambda r: asked.append(r.url.rsplit("/", 1)[-1]))
    watched.page.goto((site / "trusts.html").as_uri())
    assert watched.page.locator(".plot").count() == 0
    assert "site.js" in asked
    assert "plotly.min.js" not in asked


def test_trusts_can_be_compared_and_the_choice_stays_in_the_address(watched, site):
    page = watched.page
    page.goto((site / "compare.html").as_uri())
    box = page.get_by_label("Trust by name or code")
    for code in ("Z001", "z000"):
        box.fill(code)
        box.press("Enter")
    page.locator("#compare-plot svg.main-svg").first.wait_for()
    heads = page.locator("#compare-table thead th").all_inner_texts()
    assert heads[1:] == sorted([frames.EVIL, frames.QUOTED], key=str.lower)
    page.reload()
    assert page.locator("#chosen li").count() == 2
    page.get_by_role("button", name=f"Remove {frames.QUOTED}").click()
    assert page.locator("#compare-table thead th").count() == 2
    box.fill("nobody at all")
    box.press("Enter")
    assert "No single trust" in page.locator("#chosen-status").inner_text()
    assert watched.complaints == []


def test_a_name_with_markup_is_text_on_charts_too(watched, site):
    watched.page.goto((site / "index.html").as_uri())
    watched.draw_all()
    labels = watched.page.locator("#share-lollipop .ytick text").all_text_contents()
    joined = "".join("".join(labels).split())
    assert "<script>alert(1)" in joined
    assert watched.complaints == []


def test_the_demonstration_is_marked_in_the_drawing(watched, site):
    watched.page.goto((site / "index.html").as_uri())
    watched.draw_all()
    for plot in watched.page.locator(".plot").all():
        assert "DEMONSTRATION" in plot.inner_text()


def test_a_dark_screen_gets_dark_charts(browser, site):
    watched = Watched(browser, color_scheme="dark", viewport={"width": 1280, "height": 900})
    watched.page.goto((site / "index.html").as_uri())
    watched.draw_all()
    paper = watched.page.locator("#share-lollipop .main-svg").first.evaluate(
        "e => e.style.background"
    )
    assert paper == "rgb(18, 24, 31)"
    watched.context.close()


# Where the first of the lines of a saved picture's title begins, in pixels from its upper edge.
FIRST_LINE_OF_TITLE = """text => {
  const box = document.createElement("div");
  box.innerHTML = text;
  document.body.append(box);
  const svg = box.querySelector("svg"), title = box.querySelector(".gtitle");
  const top = title.getBoundingClientRect().top - svg.getBoundingClientRect().top;
  return { top, lines: title.querySelectorAll(".line").length };
}"""


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_saved_picture_carries_finding_and_licence(watched, site, kind):
    page = watched.page
    page.goto((site / "index.html").as_uri())
    watched.draw_all()
    with page.expect_download() as saving:
        page.locator("#figure-share-lollipop").get_by_text(f"Save as {kind}").click()
    saved = saving.value
    assert saved.suggested_filename == f"fivepercent-share-lollipop.{kind.lower()}"
    content = Path(saved.path()).read_bytes()
    assert len(content) > 5000
    if kind == "SVG":
        text = content.decode("utf-8")
        assert "Open Government" in text
        assert "DEMONSTRATION" in text
        assert "Whisker" in text
        assert "Divided by" in text
        # Each label has a copy below it as its edge: lines of reference do not run through letters.
        labels = re.findall(r"<text[^>]*>[^<]*%\s*<tspan[^>]*>[ABC]</tspan></text>", text)
        edges = [place for place, label in enumerate(labels) if "stroke-width: 5px" in label]
        assert edges == list(range(0, len(labels), 2))
        assert len(labels) == 2 * 3
        drawn = page.evaluate(FIRST_LINE_OF_TITLE, text)
        assert drawn["lines"] > 1
        assert drawn["top"] >= 0
    else:
        assert content.startswith(b"\x89PNG")
    assert watched.complaints == []
    assert watched.outside == []


def test_the_keyboard_reaches_the_content_first(watched, site):
    page = watched.page
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_tables_can_be_read_without_scripts(browser, site):
    watched = Watched(browser, java_script_enabled=False)
    watched.page.goto((site / "index.html").as_uri())
    watched.page.locator("#figure-share-lollipop summary").click()
    assert watched.page.locator("#figure-share-lollipop table").is_visible()
    watched.context.close()


def test_the_site_works_under_a_sub_path_of_a_server(browser, site):
    handler = functools.partial(Quiet, directory=str(site.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}/the%20charts/"
    watched = Watched(browser, local=(*LOCAL, base))
    try:
        watched.page.goto(f"{base}index.html")
        watched.draw_all()
        watched.page.goto(f"{base}trusts/Z001.html")
        watched.draw_all()
        watched.page.get_by_role("link", name="fivepercent").click()
        watched.page.wait_for_url(f"{base}index.html")
    finally:
        server.shutdown()
        server.server_close()
    assert watched.complaints == []
    assert watched.outside == []
    watched.context.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that does not write to the test's output."""

    def log_message(self, *_: object) -> None:
        pass

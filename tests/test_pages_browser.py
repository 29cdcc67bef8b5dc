"""The pages in a browser, from files: sorting, searching, the way to a student and back, and who can use them.

What is slow is the browser; a machine without Chromium (apt-get install chromium) skips these.
"""

import shutil
from pathlib import Path

import pytest
from made_class import made_class

from autograder.reports import Timing, class_html, report_html, times_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
CLASS = made_class(40)
STUDENT = CLASS[4].student

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    folders = {report.student: f"{report.student} #?%" for report in CLASS}  # what an address has to quote
    left_out = {f"{number}/.DS_Store": "litter of macOS" for number in range(9)}
    took = [Timing(report.student, score.item, 0.5) for report in CLASS for score in report.scores]
    write(folder / "index.html", class_html(CLASS, left_out, folders, "Long memories"))
    write(folder / "times.html", times_html(took, folders))
    for report in CLASS:
        write(folder / folders[report.student] / "report.html", report_html(report, "Long memories"))
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, site):
    """Open a page of the class: `visit("index.html")`. At the end: no complaint, and no request but for files."""
    heard, asked, contexts = [], [], []

    def opened(name: str, size: dict = DESK, scheme: str = "light"):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: heard.append(said.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / name).as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not heard
    assert asked and all(address.startswith("file:") for address in asked)


def named(student: str) -> str:
    return f"{student} #?%/report.html"


def column(page, number: int) -> list[str]:
    return page.eval_on_selector_all(
        f"#people tbody tr :nth-child({number})[role]", "all => all.map(e => e.innerText)"
    )


def shown(page) -> list[str]:
    return page.eval_on_selector_all("#people tbody tr:not([hidden]) th", "all => all.map(e => e.innerText)")


def test_columns_are_sorted_both_ways(visit):
    page = visit("index.html")
    points = page.locator("#people thead button", has_text="Points")
    earned = [f"{report.earned:g}" for report in sorted(CLASS, key=lambda report: report.earned)]
    points.click()
    assert column(page, 3) == earned
    assert page.locator("#people [aria-sort=ascending]").inner_text().startswith("Points")
    points.click()
    assert column(page, 3) == earned[::-1] and page.locator("#people [aria-sort=descending]").count() == 1
    page.locator("#people thead button", has_text="Adjusted").click()
    moved = column(page, 6)
    assert moved[0] == "−11" and moved[-1] == ""  # cells without a value come last, whichever the direction
    page.locator("#people thead button", has_text="Adjusted").click()
    assert column(page, 6)[0] == "+1.5" and column(page, 6)[-1] == ""


def test_items_are_sorted_by_what_is_undefined_last(visit):
    page = visit("index.html")
    page.locator(".items thead button", has_text="Discrimination").click()
    said = page.eval_on_selector_all(".items tbody tr td:nth-child(6)", "all => all.map(e => e.innerText)")
    assert said[-1] == "–" and said[:-1] == sorted(said[:-1], key=float)


def test_a_search_forgives_accents_and_says_how_many_it_found(visit):
    page = visit("index.html")
    search = page.get_by_label("Search")
    for words, names in {
        "zoe angstrom": ["Zoë Ångström"],
        "JANE doe": ["Jane Doe", "Jane Doe\nlate"],
    }.items():
        search.fill(words)
        assert shown(page) == names
        assert page.locator("#found").inner_text() == f"{len(names)} of 40 students shown"
    search.fill("login13")
    assert shown(page) == ["Jane Doe\nlate"]
    search.fill("needs a person")
    assert len(shown(page)) == sum(report.status == "needs a person" for report in CLASS)
    search.fill("")
    assert len(shown(page)) == 40


def test_to_a_student_and_back(visit):
    page = visit("index.html")
    page.locator("#people thead button", has_text="Points").click()
    page.get_by_label("Search").fill("jane")
    before = shown(page)
    page.locator("#people tbody tr:not([hidden]) a").first.click()
    assert page.locator("h1").inner_text() == "Jane Doe"
    page.go_back()
    assert page.get_by_label("Search").input_value() == "jane" and shown(page) == before
    assert page.locator("#people [aria-sort=ascending]").inner_text().startswith("Points")


def test_the_times_are_in_their_frame_and_lead_out_of_it(visit):
    page = visit("index.html")
    frame = page.frame_locator("iframe")
    assert "320 items were run" in frame.locator("h1").inner_text()
    frame.locator("a").first.click()
    page.wait_for_url("**/report.html")


def test_by_keyboard_alone(visit):
    page = visit("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("student 02")
    for _ in range(3):  # name, id, points
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    first = max((r for r in CLASS if "Student 02" in r.origin.name), key=lambda report: report.earned)
    while page.evaluate("document.activeElement.tagName") != "A":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report.html")
    assert page.locator("h1").inner_text() == first.origin.name
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # what is drawn opens as a table
    assert page.locator("details[open] table, details[open] dl").count() == 1


@pytest.mark.parametrize("name", ["index.html", "times.html", named(STUDENT), named(CLASS[17].student)])
@pytest.mark.parametrize("width", [320, 390, 768, 970])
def test_nothing_is_wider_than_a_phone(visit, name, width):
    page = visit(name, {"width": width, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    small = "e => e.textContent.trim() && e.getClientRects().length && parseFloat(getComputedStyle(e).fontSize) < 12"
    assert not page.evaluate(f"[...document.querySelectorAll('body *:not(script)')].filter({small}).length")


@pytest.mark.parametrize("name", ["index.html", "times.html", named(STUDENT), named(CLASS[5].student)])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(visit, name, size, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(name, size, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    # a frame of a file has no origin that axe could talk to: times.html is looked at by itself
    found = Axe().run(page, options={"iframes": False}).response["violations"]
    assert [(fault["id"], fault["impact"], fault["nodes"][0]["html"]) for fault in found] == []


def test_it_prints_in_black_on_white_with_every_student(visit):
    page = visit("index.html", scheme="dark")
    page.emulate_media(media="print", color_scheme="light")
    assert page.locator("nav").is_hidden() and len(shown(page)) == 40
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"

"""The report's page in a real browser: it loads without errors, sorts, filters and fits."""

import shutil

import pytest

from itdr.cli.main import main
from tests.conftest import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))),
                None)  # fmt: skip


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    out = tmp_path_factory.mktemp("page")
    (out / "figures").mkdir()
    (out / "figures" / "figures.json").write_text(
        '[{"name": "losses", "title": "Training loss", "missing": "no adapter was trained"}]'
    )
    paper = str(ROOT / "config" / "papers" / "itdr")
    assert main(["report", "--published-only", "--paper", paper, "--out", str(out),
                 "--make", "page"]) == 0  # fmt: skip
    return out / "index.html"


def test_the_page_needs_nothing_from_elsewhere(page_file):
    text = page_file.read_text(encoding="utf-8")
    assert "http://" not in text and "https://" not in text
    assert "<script src" not in text and 'rel="stylesheet"' not in text
    assert "Training loss: not drawn, because no adapter was trained." in text


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    if CHROMIUM is None:
        pytest.skip("needs chromium or google-chrome on the PATH")
    with api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser, page_file):
    opened = browser.new_page(viewport={"width": 1600, "height": 1000})
    opened.said = []
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.on("request", lambda request: opened.said.append(request.url)
              if not request.url.startswith(("file:", "data:")) else None)  # fmt: skip
    opened.goto(page_file.as_uri())
    yield opened
    opened.close()


def column(page, table, place):
    cells = page.locator(f"#table-{table} tbody tr:not([hidden]) > :nth-child({place})")
    return [text.split("\n")[0].strip("†") for text in cells.all_inner_texts()]


def test_it_loads_without_errors_and_asks_nothing_of_the_network(page):
    assert page.said == []
    assert page.locator("table").count() >= 8


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_round(page):
    head = page.locator("table#table-closed-source th button").nth(3)
    head.click()
    rising = [float(text) for text in column(page, "closed-source", 4)]
    assert len(rising) == 106 and rising == sorted(rising)
    head.click()
    falling = [float(text) for text in column(page, "closed-source", 4)]
    assert falling == rising[::-1]
    heads = page.locator("table#table-closed-source th")
    assert heads.nth(3).get_attribute("aria-sort") == "descending"


def test_words_and_lists_filter_the_rows(page):
    tools = page.locator("section#closed-source .tools")
    tools.locator("input").fill("yelp rouge-l")
    assert column(page, "closed-source", 1) == ["TUI"]
    assert tools.locator(".count").inner_text() == "1 of 106 rows"
    tools.locator("input").fill("")
    tools.get_by_label("Task").select_option("NIR")
    assert column(page, "closed-source", 2) == ["Amazon 2023", "MicroLens", "MovieLens-32M",
                                                "PixelRec"]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "labels"), [(390, ["Metric"]), (1600, ["Task", "Dataset", "Metric"])]
)
def test_labels_and_heads_stay_in_sight_on_a_phone_as_one(page, width, labels):
    page.set_viewport_size({"width": width, "height": 800})
    table = page.locator("#table-main")
    heads = table.locator("thead th[class=word]:visible")
    assert heads.all_inner_texts() == labels
    table.evaluate("table => table.parentElement.scrollTo(400, 500)")
    frame = table.locator("xpath=..").bounding_box()
    row = table.locator("tbody tr").nth(12)
    row_labels = [cell.bounding_box()["x"] - frame["x"] for cell in row.locator("th:visible").all()]
    assert row_labels[0] == pytest.approx(0, abs=2) and row_labels == sorted(set(row_labels))
    assert heads.nth(0).bounding_box()["y"] == pytest.approx(frame["y"], abs=2)


@pytest.mark.parametrize("width", [390, 1600])
def test_it_fits_a_phone_and_a_wide_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width

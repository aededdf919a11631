"""The report in a real browser, opened from disk: it draws, filters, sorts, plays, and lines up with its labels."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from material import write_recipe
from report_sets import HOSTILE, QUOTED, TREE, enlarge

from audiosynth import build, load_recipe
from audiosynth.report.report import report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian's package `chromium`)")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra [test])")
OPTIONS = ["--autoplay-policy=no-user-gesture-required"]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    OPTIONS.append("--no-sandbox")  # which root cannot have
INTERACTIVE = 2.0
"""Seconds until a page of 10,000 clips answers."""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Return a headless Chromium."""
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Return a small set with its report, one clip of it deleted by hand."""
    folder = tmp_path_factory.mktemp("set")
    made = build(
        load_recipe(write_recipe(folder / "r.yaml", {**TREE, "clips": {"train": 30, "test": 4}})), folder / "a # b"
    )
    next(made.root.rglob("train-000000005.wav")).unlink()
    report(made.root)
    return made.root


@pytest.fixture
def page(browser, root) -> Iterator[object]:
    """Return the page; what it says on the console, and any request that leaves the disk, is an error at the end."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(f"{message.text} {message.location['url']}"))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on(
        "request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    opened.goto((root / "report.html").as_uri())
    yield opened
    context.close()
    assert [text for text in said if "train-000000005.wav" not in text] == []


def rows_of(root: Path) -> dict[str, dict]:
    """Return the manifest by id."""
    return {row["clip_id"]: row for row in map(json.loads, (root / "manifest.jsonl").read_text().splitlines())}


def column(page, number: int) -> list[str]:
    """Return a column of the table as shown."""
    return [text.strip() for text in page.locator(f"#rows tr > :nth-child({number})").all_inner_texts()]


def test_it_opens_from_disk_and_lists_the_clips(page, root):
    """The first 25 of 34, and the others on the next page; hostile labels are text."""
    assert page.title() == "small: report"
    assert page.inner_text("#count") == "34 of 34 clips"
    ids = list(rows_of(root))
    assert column(page, 1) == ids[:25]
    page.click("#on")
    assert column(page, 1) == ids[25:]
    assert page.is_disabled("#on")
    assert HOSTILE in page.inner_text("#classes")
    assert page.locator("main img, main script").count() == 0


def test_it_filters(page, root):
    """By words, class, split, SNR and what was found, each against the manifest; clearing brings all back."""
    rows = rows_of(root)
    lowest = {i: min(round(label["snr_db"], 1) for label in row["labels"]) for i, row in rows.items()}
    page.fill("#snr-low", "8")
    assert column(page, 1) == [i for i in rows if lowest[i] >= 8][:25]
    assert page.inner_text("#count") == f"{sum(v >= 8 for v in lowest.values())} of 34 clips"
    page.fill("#snr-low", "")
    page.select_option("#split", label="test")
    assert column(page, 1) == [i for i in rows if rows[i]["split"] == "test"]
    page.select_option("#split", label="all")
    page.select_option("#class", label=QUOTED)
    assert page.inner_text("#count") == "34 of 34 clips"
    page.fill("#search", "TRAIN 0012")
    assert column(page, 1) == ["train-000000012"]
    page.click("text=Clear")
    page.wait_for_function("document.getElementById('count').textContent === '34 of 34 clips'")
    page.select_option("#fault", label="missing")
    assert column(page, 1) == ["train-000000005"]
    page.fill("#search", "no such clip")
    assert page.inner_text("#count") == "0 of 34 clips"


def test_it_sorts_both_ways_by_keyboard(page, root):
    """By level, down and up; the heading says which, and keeps the focus."""
    levels = sorted(round(row["outcomes"]["level_dbfs"], 1) for row in rows_of(root).values())
    button = page.locator("#head button[data-key=level]")
    button.focus()
    page.keyboard.press("Enter")
    assert [float(text) for text in column(page, 6)] == levels[:25]
    assert page.get_attribute("#head th:nth-child(6)", "aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert [float(text) for text in column(page, 6)] == levels[::-1][:25]
    assert page.get_attribute("#head th:nth-child(6)", "aria-sort") == "descending"


def test_a_clip_plays_and_its_cursor_moves(page, root):
    """The duration is known, time goes on, the cursor goes with it, and a click on the picture seeks."""
    page.click("text=train-000000003")
    page.wait_for_function("document.querySelector('audio')?.duration > 0")
    assert page.evaluate("document.querySelector('audio').duration") == pytest.approx(1.0, abs=1e-3)
    page.evaluate("document.querySelector('audio').play()")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.2")
    page.evaluate("document.querySelector('audio').pause()")
    page.wait_for_function(
        "Math.abs(parseFloat(document.querySelector('.cursor').style.left) / 100 - document.querySelector('audio').currentTime) < 1e-3"
    )
    box = page.locator(".picture").bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 60)
    page.wait_for_function("!document.querySelector('audio').seeking")
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(0.6, abs=0.005)
    page.wait_for_function("parseFloat(document.querySelector('.cursor').style.left) > 55")
    cursor = page.locator(".cursor").bounding_box()
    assert cursor["x"] + cursor["width"] / 2 == pytest.approx(box["x"] + 0.6 * box["width"], abs=2.5)


def test_labels_stand_where_the_manifest_says(page, root):
    """Bars and spans over waveform and spectrogram are at onset and offset of the clip's width, to a pixel or two."""
    row = rows_of(root)["train-000000003"]
    page.click("text=train-000000003")
    page.wait_for_selector(".mel img")
    box = page.locator(".picture").bounding_box()
    left, width = box["x"] + 1, box["width"] - 2
    for label in row["labels"]:
        bars = page.locator(".label").filter(has_text=label["label"])
        index = row["labels"].index(label)
        for shown in (bars, page.locator(".wave .span").nth(index), page.locator(".mel .span").nth(index)):
            place = shown.bounding_box()
            assert place["x"] == pytest.approx(left + label["onset"] * width, abs=1.5)
            assert place["x"] + place["width"] == pytest.approx(left + label["offset"] * width, abs=1.5)
    image = page.locator(".mel img")
    assert image.evaluate("image => image.decode().then(() => image.naturalHeight)") == 64
    # Of 63 frames 128 samples apart the first is centred on sample 0.
    assert image.bounding_box()["x"] == pytest.approx(left - 64 / 8000 * width, abs=1.5)
    assert image.bounding_box()["width"] == pytest.approx(63 * 128 / 8000 * width, abs=2)


def test_stems_can_be_heard_alone(page, root):
    """A stem plays from where the mix was, and the mix again after it."""
    page.click("text=train-000000002")
    page.wait_for_function("document.querySelector('audio')?.duration > 0")
    page.evaluate("document.querySelector('audio').currentTime = 0.5")
    page.get_by_label("noise (background)").check()
    page.wait_for_function("document.querySelector('audio').src.endsWith('.stems/noise.wav')")
    page.wait_for_function("document.querySelector('audio').currentTime === 0.5")
    assert page.evaluate("document.querySelector('audio').duration") == pytest.approx(1.0, abs=1e-3)
    page.get_by_label("the mix").check()
    page.wait_for_function("document.querySelector('audio').src.endsWith('train-000000002.wav')")


def test_a_clip_tells_its_spec_and_how_it_is_made_again(page, root):
    """With the words of a label as text, and a link that opens it again."""
    page.click("text=train-000000001")
    page.wait_for_selector("#detail pre", state="attached")
    assert json.loads(page.locator("#detail pre").text_content()) == rows_of(root)["train-000000001"]["spec"]
    assert page.inner_text(".command") == "audiosynth reproduce . --clip train-000000001 -o again/"
    assert QUOTED in page.inner_text("#detail table")
    assert page.url.endswith("#clip=train-000000001")
    page.click("#later")
    page.wait_for_function("document.querySelector('#detail .command')?.textContent.includes('train-000000002')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#clip", state="hidden")
    # A dialog is hidden before its event `close`, which moves the focus, is told: for a moment the focus is where it was.
    page.wait_for_function("document.activeElement.textContent === 'train-000000002'")
    assert "#" not in page.url
    assert page.title() == "small: report"


def test_a_clip_that_was_deleted_says_so(page, root):
    """Its details are there, its sound is not."""
    page.click("text=train-000000005")
    page.wait_for_selector("text=cannot be played: it is missing")
    assert "No picture" in page.inner_text("#detail")


def test_dark_mode_and_narrow_windows(page):
    """Colours follow the reader's wish; nothing but tables that scroll by themselves is wider than a small window."""
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 28)"
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.heavy
def test_ten_thousand_clips_answer_at_once(browser, root, tmp_path):
    """From opening to a filtered table in under 2 s."""
    large = enlarge(root, tmp_path / "large", 10_000)
    report(large, clips=0)
    page = browser.new_page()
    begun = time.monotonic()
    page.goto((large / "report.html").as_uri(), wait_until="commit")
    page.wait_for_selector("#rows tr")
    page.fill("#search", "train-000009999")
    page.fill("#search", "test")
    page.wait_for_function("document.querySelector('#rows tr:first-child td').textContent === 'test'")
    assert time.monotonic() - begun < INTERACTIVE
    page.close()

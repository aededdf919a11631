"""What the report costs, and whether everybody can use it: run `python tests/bench/report_axe.py AXE`, read the table.

AXE is the file axe.min.js of the npm package axe-core (`npm install axe-core`), which checks the page in Chromium, light and
dark, with and without a clip opened. A set of 2,000 clips is built and reported on, one of 10,000 rows is opened. Exit code 1 if
axe finds anything serious, or a figure is missed.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from report_sets import enlarge

from audiosynth import build, load_recipe, shipped_recipe
from audiosynth.report.report import report

CLIPS, SECONDS, BYTES = 2000, 20.0, 3e6
ROWS, INTERACTIVE = 10_000, 2.0


def reported(root: Path, *, workers: int) -> bool:
    """Report on the set, and print what that took."""
    begun = time.monotonic()
    made = report(root, workers=workers)
    took, size = time.monotonic() - begun, made.page.stat().st_size
    beside = sum(path.stat().st_size for path in (root / "report_files").rglob("*") if path.is_file())
    print(
        f"page of {made.clips} clips, {workers} processes: {took:.1f} s; {size / 1e6:.2f} MB, beside it {beside / 1e6:.1f} MB"
    )
    print(f"  found: { {name: len(ids) for name, ids in made.found.items()} }, pairs alike: {len(made.duplicates)}")
    return took < SECONDS and size < BYTES


def interactive(browser: Browser, root: Path) -> bool:
    """Open a page of 10,000 clips and filter it, three times; prints the slowest."""
    report(root, clips=0)
    slowest = 0.0
    for _ in range(3):
        page = browser.new_page()
        begun = time.monotonic()
        page.goto((root / "report.html").as_uri(), wait_until="commit")
        page.wait_for_selector("#rows tr")
        opened = time.monotonic() - begun
        page.fill("#search", "test bell")
        page.wait_for_function("document.querySelector('#rows tr:first-child td').textContent === 'test'")
        slowest = max(slowest, time.monotonic() - begun)
        page.close()
    size = (root / "report.html").stat().st_size
    print(f"page of {ROWS} clips ({size / 1e6:.2f} MB): drawn in {opened:.2f} s, filtered after {slowest:.2f} s")
    return slowest < INTERACTIVE


def accessible(browser: Browser, root: Path, axe: Path) -> bool:
    """Run axe on the page and on an opened clip, light and dark; prints what it finds."""
    good = True
    first = json.loads((root / "manifest.jsonl").open(encoding="utf-8").readline())["clip_id"]
    for scheme in ("light", "dark"):
        for place in ("", f"#clip={first}"):
            page = browser.new_page(color_scheme=scheme)
            page.goto((root / "report.html").as_uri() + place)
            page.wait_for_selector("#detail pre" if place else "#rows tr", state="attached")
            page.add_script_tag(path=axe)
            found = page.evaluate("axe.run().then(r => ({violations: r.violations, passes: r.passes.length}))")
            print(
                f"axe, {scheme} {place or 'page'}: {len(found['violations'])} violations, {found['passes']} rules passed"
            )
            for rule in found["violations"]:
                print(f"  {rule['impact']}: {rule['id']}: {rule['help']}: {[n['target'] for n in rule['nodes']][:3]}")
            good &= all(rule["impact"] not in ("serious", "critical") for rule in found["violations"])
            page.close()
    return good


def main() -> None:
    """Measure and print."""
    axe = Path(sys.argv[1])
    options = ["--no-sandbox"]
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        root = build(load_recipe(shipped_recipe("quickstart"), clips=CLIPS // 2), folder / "set", workers=2).root
        good = [reported(root, workers=2), accessible(browser, root, axe)]
        stems = build(load_recipe(shipped_recipe("separation"), clips=2), folder / "stems", workers=2).root
        report(stems)
        good.append(accessible(browser, stems, axe))
        good.append(interactive(browser, enlarge(root, folder / "large", ROWS)))
        browser.close()
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()

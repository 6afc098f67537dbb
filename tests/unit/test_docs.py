"""The documentation: the site builds strictly, and every link and anchor leads somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from itdr.cli.main import main
from tests.conftest import ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "config").rglob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("*/*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)
PUBLISHED = "published/"
"""What the site's pages link to that `make docs` renders first."""


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub names them."""
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#+ (.+)$", prose(path)):
        bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", bare).replace(" ", "-")
        found.add(next(f"{name}{end}" for end in ("", *(f"-{n}" for n in range(1, 99)))
                       if f"{name}{end}" not in found))  # fmt: skip
    return found


def broken(path: Path) -> list[str]:
    """Return the links of a page to files or anchors that are not there."""
    found = []
    for target in _LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", target) or target.startswith(PUBLISHED):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file) if file else path
        if not place.exists() or (anchor and anchor not in anchors(place)):
            found.append(target)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_heading_that_are_there(path):
    assert broken(path) == []


def test_a_link_to_nowhere_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n## Two `words`\n\n## Two `words`\n\n[a](#two-words-1) [b](#three) [c](no.md) "
        "[d](page.md#a-page) [e](page.md#b)\n\n```\n[f](in-code.md)\n```\n"
    )
    assert broken(page) == ["#three", "no.md", "page.md#b"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A copy of the site's source with the published-only report that its gallery shows."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy2(ROOT / "mkdocs.yml", folder)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("published"))
    paper, out = ROOT / "config" / "papers" / "itdr", folder / "docs" / "published"
    assert main(["report", "--published-only", "--paper", str(paper), "--out", str(out)]) == 0
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_site_builds_strictly_and_asks_no_other_server(site):
    done = build(site)
    assert done.returncode == 0, done.stdout
    gallery = (site / "site" / "gallery.html").read_text(encoding="utf-8")
    assert "70.44" in gallery, "the table of aggregates is put in"
    assert (site / "site" / "published" / "index.html").is_file()
    for page in (site / "site").glob("[!p]*/*.html"):
        asked = re.findall(r'(?:src|href)="https?://[^"]+\.(?:js|css)"', page.read_text("utf-8"))
        assert asked == [], page


def test_the_site_is_not_built_with_links_to_nowhere(site, tmp_path):
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    index = folder / "docs" / "index.md"
    links = "[x](no-such-page.md) [y](reference/commands.md#no-such-heading)"
    index.write_text(f"{index.read_text(encoding='utf-8')}\n{links}\n", encoding="utf-8")
    done = build(folder)
    assert done.returncode != 0
    assert "no-such-page" in done.stdout and "no-such-heading" in done.stdout


def test_the_readme_is_short_and_spells_the_tasks_out():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 600 <= len(text.split()) <= 800
    for path in sorted((ROOT / "config" / "tasks").glob("*.yaml")):
        task = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert f"| {task['task']} | {task['title'].lower()} |" in text
    commands = re.findall(r"(?m)^make (?:test\S*)(?: DEVICE=cpu)?", text)
    assert (
        commands
        == re.findall(r"make test\S*(?: DEVICE=cpu)?", (ROOT / ".ci/run").read_text())[
            : len(commands)
        ]
    )


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")))
def test_github_runs_our_make_targets_and_actions_at_a_commit(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    for step in steps:
        assert re.search(r"@[0-9a-f]{40}$", step["uses"]) if "uses" in step else step["run"]
    targets = [step["run"].split()[1] for step in steps if step.get("run", "").startswith("make ")]
    assert targets and all(f"\n{target}:" in makefile for target in targets)

"""A page of the website from a tutorial in the format of the Galaxy Training Network."""

import re
from pathlib import Path
from typing import Any

import yaml

from scripts.suite_files import ADDRESS

KINDS = {
    "hands_on": ("!!! example", "Hands-on"),
    "question": ("!!! question", "Question"),
    "solution": ("??? success", "Solution"),
    "comment": ("!!! note", "Comment"),
    "tip": ("!!! tip", "Tip"),
    "warning": ("!!! warning", "Warning"),
    "details": ("??? info", "Details"),
}
# What the Training Network's snippets of these names explain, in a sentence.
SNIPPETS = {
    "histories_create_new": "*Click + at the top of the history, then click its name to change it.*",
    "datasets_import_via_link": "*Upload > Paste/Fetch data: paste the addresses, Start, Close.*",
    "collections_build_list": "*Click Select Items above the datasets in the history, and tick them. Then choose "
    "Auto Build List under All 2 selected, write the name, Build.*",
}
WORKFLOW = "*Workflows > Import > Fetch URL: paste* `{address}`*, Import, and click the arrow of the new workflow.*"
OPENED = re.compile(r"^> <([a-z-]+)-title>(.*)</\1-title>\s*$")
ENTRY = re.compile(r"@\w+{(\w+),(.+?)^}", re.MULTILINE | re.DOTALL)


def tutorial_page(path: Path) -> str:
    """Return a tutorial as Markdown of the website: boxes become admonitions, citations links."""
    text = path.read_text(encoding="utf-8")
    front, _, body = text.removeprefix("---\n").partition("\n---\n")
    meta = yaml.safe_load(front)
    body = re.sub(r"\s*<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'(!\[[^\]]+\]\(\S+) "([^"]+)"\)', r"\1)\n\n*\2*", body)
    body = "\n".join(_boxes(body.splitlines()))
    body = re.sub(r"^(#+ )", r"#\1", body, flags=re.MULTILINE)
    body = _tags(body, _citations(path))
    return f"{_head(meta)}\n{body}\n\n## Key points\n\n{_bullets(meta['key_points'])}\n"


def _head(meta: dict[str, Any]) -> str:
    time = str(meta["time_estimation"]).replace("H", " h ").replace("M", " min").strip()
    parts = f"**Questions**\n\n{_bullets(meta['questions'])}\n\n**You will**\n\n{_bullets(meta['objectives'])}"
    return f"# {meta['title']}\n\n{meta['level']}, {time}\n\n{parts}\n"


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _boxes(lines: list[str]) -> list[str]:
    """Replace boxes by admonitions, those within boxes too."""
    made: list[str] = []
    at = 0
    while at < len(lines):
        opened = OPENED.match(lines[at])
        if not opened:
            if not lines[at].startswith("{:"):
                made.append(lines[at])
            at += 1
            continue
        kind = opened[1].replace("-", "_")
        end = next(n for n in range(at, len(lines)) if lines[n].strip() == f"{{: .{kind}}}")
        inside = [re.sub(r"^> ?", "", line) for line in lines[at + 1 : end]]
        if kind != "agenda":
            mark, name = KINDS[kind]
            title = f"{name}: {opened[2]}" if opened[2] else name
            made += ["", f'{mark} "{title}"', ""]
            made += [f"    {_deeper(line)}".rstrip() for line in _boxes(inside)]
            made.append("")
        at = end + 1
    return made


def _deeper(line: str) -> str:
    """Return a line with what lies in a numbered item 4 columns deep, where the Training Network's has 3."""
    return f" {line}" if re.match(r" {3}", line) and not re.match(r" {4}(?: {4})*\S", line) else line


def _tags(body: str, citations: dict[str, str]) -> str:
    """Replace the Training Network's tags."""

    def snippet(found: re.Match[str]) -> str:
        name = Path(found[1]).stem
        workflow = re.search(r'path="([^"]+)" title="([^"]+)"', found[2])
        if workflow:
            page = f"[{workflow[2]}](../../../../../../workflows/{Path(workflow[1]).stem}/README.md)"
            return f"{page}: {WORKFLOW.format(address=f'{ADDRESS}docs/training/{workflow[1]}')}"
        return SNIPPETS[name]

    body = re.sub(r"{% tool \[([^\]]+)\]\(([^)]+)\) %}", lambda found: _tool_link(found[1], found[2]), body)
    body = re.sub(r"{% snippet (\S+)(.*?) %}", snippet, body)
    body = re.sub(r"{% cite (\S+) %}", lambda found: citations[found[1]], body)
    return re.sub(r" ?{% icon [a-z-]+ %}", "", body)


def _tool_link(title: str, identifier: str) -> str:
    short = identifier.split("/")[-2]
    group = next(Path(__file__).resolve().parents[1].glob(f"tools/*/{short}")).parent.name
    return f"[**{title}**](../../../../../../tools/{group}/{short}/{short}.xml)"


def _citations(path: Path) -> dict[str, str]:
    """Return a link for each entry of the bibliography."""
    file = path.with_name("tutorial.bib")
    found = {}
    for key, entry in ENTRY.findall(file.read_text(encoding="utf-8")) if file.exists() else []:
        fields = dict(re.findall(r"^\s*(\w+) = {(.*)},?$", entry, re.MULTILINE))
        names = fields["author"].split(" and ")
        first = re.sub(r"{\\. (\w)}|{\\.(\w)}|{\\'{?\\?(\w)}?}", r"\1\2\3", names[0].partition(",")[0])
        found[key] = f"[{first}{' et al.' if len(names) > 1 else ''} {fields['year']}]({fields['url']})"
    return found

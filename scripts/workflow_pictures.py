"""Draw each workflow as Galaxy's editor lays it out: `workflows/<name>/<name>.png`, which its README shows.

    python -m scripts.workflow_pictures          # after scripts.workflow_layout

Frames are the stages, boxes the steps with their names, lines lead from outputs to inputs.
"""

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from scripts.workflow_layout import WORKFLOWS, boxes, data_inputs

WIDEST, COLOURS = 1400, 32
BOX_WIDTH, TITLE_HEIGHT, LINE_HEIGHT, PADDING = 200, 52, 18, 8
LETTERS = 20  # of a name in a line of a box
FRAME_COLOURS = {
    "blue": "#dbe6f6", "turquoise": "#d5f0f0", "yellow": "#fbf3cf", "green": "#dcf1dc", "lime": "#ecf6d2",
    "orange": "#fbe6d2", "pink": "#f8dfec",
}  # fmt: skip
INPUT, TOOL, LINE, TEXT = "#2c5aa0", "#25537b", "#8a94a3", "#1d2733"
Point = tuple[float, float]


def draw(content: dict[str, Any], heights: dict[int, int]) -> Image.Image:
    """Return the picture of a workflow.

    Args:
        content: The workflow, laid out.
        heights: Height of each step's box in pixels of the editor.
    """
    frames = [one for one in content["comments"] if one["type"] == "frame"]
    right = max(one["position"][0] + one["size"][0] for one in frames)
    bottom = max(one["position"][1] + one["size"][1] for one in frames)
    picture = Image.new("RGB", (int(right) + 2 * PADDING, int(bottom) + 2 * PADDING), "white")
    pen = ImageDraw.Draw(picture)
    for one in frames:
        _frame(pen, one)
    steps = {step["id"]: step for step in content["steps"].values()}
    for source, target in links(steps):
        pen.line(list(_curve(*_ends(steps[source], steps[target]))), fill=LINE, width=3)
    for step in steps.values():
        _box(pen, step, heights[step["id"]])
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    return picture.quantize(COLOURS)


def links(steps: dict[int, dict[str, Any]]) -> Iterator[tuple[int, int]]:
    """Yield the ids of steps that are connected: source and target, each pair once."""
    for step in steps.values():
        given = step["input_connections"].values()
        sources = {one["id"] for some in given for one in (some if isinstance(some, list) else [some])}
        yield from ((source, step["id"]) for source in sorted(sources))


def _frame(pen: ImageDraw.ImageDraw, frame: dict[str, Any]) -> None:
    left, top = (one + PADDING for one in frame["position"])
    width, height = frame["size"]
    fill = FRAME_COLOURS.get(frame["color"], "#eeeeee")
    pen.rounded_rectangle((left, top, left + width, top + height), radius=10, fill=fill)
    pen.text((left + 12, top + 12), frame["data"]["title"], fill=TEXT, font=ImageFont.load_default(22))


def _corner(step: dict[str, Any]) -> Point:
    return step["position"]["left"] + PADDING, step["position"]["top"] + PADDING


def _box(pen: ImageDraw.ImageDraw, step: dict[str, Any], height: int) -> None:
    left, top = _corner(step)
    is_tool = bool(step.get("tool_id"))
    pen.rounded_rectangle((left, top, left + BOX_WIDTH, top + height), radius=6, fill="white", outline=TOOL, width=2)
    title = (left, top, left + BOX_WIDTH, top + TITLE_HEIGHT)
    pen.rounded_rectangle(title, radius=6, fill=TOOL if is_tool else INPUT)
    name = textwrap.wrap(step.get("label") or step.get("name") or "", LETTERS)[:2]
    pen.text((left + 8, top + 6), "\n".join(name), fill="white", font=ImageFont.load_default(18))
    below = textwrap.wrap(step["name"] if is_tool else "input", LETTERS)
    space = max(0, int((height - TITLE_HEIGHT - 10) // LINE_HEIGHT))
    pen.text((left + 8, top + TITLE_HEIGHT + 6), "\n".join(below[:space]), fill=TEXT, font=ImageFont.load_default(16))


def _ends(source: dict[str, Any], target: dict[str, Any]) -> tuple[Point, Point]:
    begin, end = _corner(source), _corner(target)
    return (begin[0] + BOX_WIDTH, begin[1] + TITLE_HEIGHT / 2), (end[0], end[1] + TITLE_HEIGHT / 2)


def _curve(begin: Point, end: Point, parts: int = 24) -> Iterator[Point]:
    """Yield points of a cubic Bezier curve that leaves and arrives level."""
    reach = max(60.0, abs(end[0] - begin[0]) / 2)
    first, second = (begin[0] + reach, begin[1]), (end[0] - reach, end[1])
    for part in range(parts + 1):
        t = part / parts
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        points = (begin, first, second, end)
        yield (sum(w * p[0] for w, p in zip(weights, points, strict=True)),
               sum(w * p[1] for w, p in zip(weights, points, strict=True)))  # fmt: skip


def main() -> int:
    """Draw all workflows."""
    known = data_inputs()
    for path in sorted(WORKFLOWS.glob("*/*.ga")):
        content = json.loads(path.read_text(encoding="utf-8"))
        heights = {one.step: one.height for one in boxes(content, known)}
        file = path.with_suffix(".png")
        draw(content, heights).save(file, optimize=True)
        _shown_in(path.parent / "README.md", file, content["name"])
        print(f"{file.name}: {file.stat().st_size:,} bytes", flush=True)
    return 0


def _shown_in(readme: Path, picture: Path, name: str) -> None:
    """Put the picture below the first paragraph of a README that does not show it."""
    text = readme.read_text(encoding="utf-8")
    if f"({picture.name})" not in text:
        title, first, rest = text.split("\n\n", 2)
        shown = f"![Steps of the workflow: {name}]({picture.name})"
        readme.write_text("\n\n".join((title, first, shown, rest)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

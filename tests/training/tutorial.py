"""Read a tutorial in the format of the Galaxy Training Network: its hands-on boxes, questions and pictures.

A box is a quote that begins with `<KIND-title>` and ends with `{: .KIND}`. What a test can do stands in fixed forms:

- `{% tool [Title](id) %}` and below it one line for each parameter: `- *"Label"*: ` and the value in backticks. A
  dataset has an icon (`param-file`, `param-files`, `param-collection`) and is an imported file or list, or, by
  `(output of **Title** {% icon tool %})`, an output of an earlier step. Parameters of a section stand below
  `- In *"Section"*:`, those of a repeat below `- {% icon param-repeat %} *"Insert Title"*`.
- A block of addresses imports files; the snippet `collections_build_list.md name="..."` makes a list of them.
- The snippet `workflows_run_trs.md path="..." title="..."` runs a workflow, with parameters as those of a tool.
- A block of `bash` or `python` is run in a folder that looks like the suite's repository.
- A solution that is a number begins with it in bold, and a comment `<!-- check: ... -->` says what it is compared with.
  Further numbers of a solution are written in the same way: one comment for each bold number.
- A comment `<!-- picture: ... -->` below an image says of what the run makes it.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TOOL = re.compile(r"{%\s*tool \[([^\]]+)\]\(([^)]+)\)\s*%}")
WORKFLOW = re.compile(r'{%\s*snippet \S*workflows_run_trs\.md path="([^"]+)" title="([^"]+)"\s*%}')
LIST = re.compile(r'{%\s*snippet \S*collections_build_list\.md name="([^"]+)"')
PARAMETER = re.compile(r'^\s*- (?:{% icon (param-[a-z]+) %} )?(In )?\*"(.+?)"\*(?:: ?(.*))?$')
OUTPUT_OF = re.compile(r"\(output of \*\*(.+?)\*\*")
CODE = re.compile(r"^( *)```(bash|python)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^(\d+)\. ")
BOLD_NUMBER = re.compile(r"\*\*(-?[\d,]*\.?\d+)\b[^*]*\*\*")
CHECK = re.compile(r"<!-- check: (.+?) -->")
PICTURE = re.compile(r'!\[([^\]]+)\]\(([^) ]+)(?: "([^"]*)")?\)\s*<!-- picture: (.+?) -->')
BACKTICKS = re.compile(r"`([^`]+)`")
DATA_ICONS = ("param-file", "param-files", "param-collection")


class TutorialError(Exception):
    """A tutorial that does not follow the forms, with file, line and what is wrong."""


@dataclass(frozen=True)
class Reference:
    """A dataset or list: of an earlier step by its title and output, or, without a title, what was imported."""

    name: str
    title: str = ""


@dataclass(frozen=True)
class Parameter:
    """One line of a form: its label as users see it, and its values.

    Attributes:
        label: Label of the parameter, title of the section, or title of the repeat with `Insert ` before it.
        values: Texts; empty for sections and repeats.
        data: Datasets and lists.
        below: Parameters of the section, or of the instance of the repeat.
    """

    label: str
    values: tuple[str, ...] = ()
    data: tuple[Reference, ...] = ()
    below: tuple["Parameter", ...] = ()


@dataclass(frozen=True)
class ToolStep:
    """Run a tool."""

    title: str
    tool_id: str
    parameters: tuple[Parameter, ...]

    @property
    def short_id(self) -> str:
        """Return the id without Tool Shed, owner and version."""
        return self.tool_id.split("/")[-2] if "/" in self.tool_id else self.tool_id

    @property
    def version(self) -> str:
        """Return the version, which only the id of a Tool Shed has."""
        return self.tool_id.split("/")[-1] if "/" in self.tool_id else ""


@dataclass(frozen=True)
class WorkflowStep:
    """Run a workflow."""

    title: str
    path: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class ImportStep:
    """Import files from addresses, and make a list of them where it has a name."""

    addresses: tuple[str, ...]
    list_name: str = ""


@dataclass(frozen=True)
class CodeStep:
    """Run code on the learner's computer."""

    language: str
    code: str


Step = ToolStep | WorkflowStep | ImportStep | CodeStep


@dataclass(frozen=True)
class Answer:
    """A solution that is a number, and what it is compared with."""

    question: str
    number: str
    check: str
    line: int


@dataclass(frozen=True)
class Picture:
    """A picture that the run makes."""

    file: str
    alternative: str
    of: str
    line: int


@dataclass(frozen=True)
class Box:
    """A hands-on box, question or picture of the text, in its order."""

    kind: str
    title: str
    line: int
    steps: tuple[Step, ...] = ()
    answers: tuple[Answer, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True)
class Tutorial:
    """One tutorial.md."""

    path: Path
    front: dict[str, Any]
    body: str
    boxes: tuple[Box, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        return self.path.parent.name

    @property
    def tool_steps(self) -> tuple[ToolStep, ...]:
        """Return the steps that run tools."""
        return tuple(step for box in self.boxes for step in box.steps if isinstance(step, ToolStep))

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return the solutions that are numbers."""
        return tuple(answer for box in self.boxes for answer in box.answers)


def read_tutorial(path: Path) -> Tutorial:
    """Read a tutorial.

    Raises:
        TutorialError: It has no front matter, a box is not closed, or a form is not followed.
    """
    text = path.read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise TutorialError(f"{path}: has no front matter between two lines of ---.")
    front, _, body = text[4:].partition("\n---\n")
    skipped = front.count("\n") + 3
    return Tutorial(path, yaml.safe_load(front), body, tuple(_boxes(path, body.splitlines(), skipped)))


def _boxes(path: Path, lines: list[str], skipped: int) -> Iterator[Box]:
    at = 0
    while at < len(lines):
        line = skipped + at + 1
        opened = re.match(r"^> <(hands-on|question)-title>(.*)</\1-title>", lines[at])
        if opened:
            kind = opened[1].replace("-", "_")
            end = next((n for n in range(at, len(lines)) if lines[n].strip() == f"{{: .{kind}}}"), None)
            if end is None:
                raise TutorialError(f"{path}:{line}: the box is not closed by {{: .{kind}}}.")
            inside = [re.sub(r"^> ?", "", one) for one in lines[at + 1 : end]]
            place = f"{path}:{line}"
            if kind == "hands_on":
                yield Box(kind, opened[2], line, steps=tuple(_steps(place, inside)))
            else:
                yield Box(kind, opened[2], line, answers=tuple(_answers(place, inside, line)))
            at = end
        elif shown := PICTURE.match("\n".join(lines[at : at + 2])):
            yield Box("picture", shown[1], line, picture=Picture(shown[2], shown[1], shown[4], line))
        at += 1


def _steps(place: str, lines: list[str]) -> Iterator[Step]:
    """Yield what a test can do of the numbered steps of a hands-on box."""
    starts = [n for n, line in enumerate(lines) if STEP.match(line)]
    for begin, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        part = lines[begin:end]
        head = part[0]
        rest = _parameters(place, part[1:])
        if tool := TOOL.search(head):
            yield ToolStep(tool[1], tool[2], rest)
        elif workflow := WORKFLOW.search("\n".join(part)):
            yield WorkflowStep(workflow[2], workflow[1], rest)
        elif code := CODE.search("\n".join(part)):
            yield CodeStep(code[2], textwrap.dedent(code[3]))
        elif addresses := [line.strip() for line in part if re.match(r"^\s*https?://\S+$", line)]:
            made = LIST.search("\n".join(lines))
            yield ImportStep(tuple(addresses), made[1] if made else "")


def _parameters(place: str, lines: list[str]) -> tuple[Parameter, ...]:
    """Return the parameters of a step, nested by their indentation."""
    items = [
        (len(line) - len(line.lstrip()), line, found) for line in lines if (found := PARAMETER.match(line.rstrip()))
    ]
    return _nested(place, items)


def _nested(place: str, items: list[tuple[int, str, re.Match[str]]]) -> tuple[Parameter, ...]:
    made = []
    while items:
        (depth, line, found), items = items[0], items[1:]
        count = next((n for n, item in enumerate(items) if item[0] <= depth), len(items))
        below, items = items[:count], items[count:]
        icon, is_section, label, value = found.groups()
        if is_section or icon == "param-repeat":
            made.append(Parameter(label, below=_nested(place, below)))
            continue
        texts = tuple(BACKTICKS.findall(value or ""))
        if not texts and "output of **" not in (value or ""):
            raise TutorialError(f"{place}: the value of {label!r} is not in backticks: {line.strip()}")
        made.append(_with_data(label, value, texts) if icon in DATA_ICONS else Parameter(label, values=texts))
        made += _nested(place, below)  # A parameter that another one opens may stand further right.
    return tuple(made)


def _with_data(label: str, value: str, texts: tuple[str, ...]) -> Parameter:
    of = OUTPUT_OF.search(value)
    return Parameter(label, data=tuple(Reference(name, of[1] if of else "") for name in texts))


def _answers(place: str, lines: list[str], line: int) -> Iterator[Answer]:
    """Yield the solutions of a question box that are numbers."""
    begin = next((n for n, one in enumerate(lines) if "<solution-title>" in one), None)
    if begin is None:
        raise TutorialError(f"{place}: the question has no solution.")
    questions = _numbered(lines[:begin])
    solutions = _numbered([re.sub(r"^> ?", "", one) for one in lines[begin + 1 :]])
    if set(questions) != set(solutions):
        raise TutorialError(f"{place}: questions {sorted(questions)} and solutions {sorted(solutions)} differ.")
    for number, text in solutions.items():
        begins, checks = BOLD_NUMBER.match(text), CHECK.findall(text)
        if not begins and not checks:
            continue
        numbers = BOLD_NUMBER.findall(text)
        if not begins or len(numbers) != len(checks):
            raise TutorialError(
                f"{place}: solution {number} needs both, a bold number at its begin and a check for each."
            )
        yield from (Answer(questions[number], one, check, line) for one, check in zip(numbers, checks, strict=True))


def _numbered(lines: list[str]) -> dict[int, str]:
    """Return the text of each numbered item; text without a number is item 1."""
    items: dict[int, str] = {}
    current = 1
    for line in lines:
        text = line.strip()
        if found := STEP.match(text):
            current, text = int(found[1]), text[found.end() :]
        if text and not text.startswith("{:"):
            items[current] = f"{items.get(current, '')} {text}".strip()
    return items

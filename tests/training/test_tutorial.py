"""Tutorials are read as the text says."""

from pathlib import Path

import pytest

from tests.training.tutorial import (
    ImportStep,
    Parameter,
    Reference,
    ToolStep,
    Tutorial,
    TutorialError,
    WorkflowStep,
    read_tutorial,
)

FRONT = "---\nlayout: tutorial_hands_on\ntitle: A title\n---\n"
HANDS_ON = """
Text.

> <hands-on-title>Segment</hands-on-title>
>
> 1. Import
>
>    ```
>    https://example.org/a.tiff
>    https://example.org/b.tiff
>    ```
>
> 2. Make a list.
>
>    {% snippet faqs/galaxy/collections_build_list.md name="both" %}
>
> 3. {% tool [Segment objects](toolshed.example.org/repos/me/segment_objects/segment_objects/0.1.0+galaxy0) %} with:
>    - {% icon param-collection %} *"Image"*: `both`
>    - *"Threshold"*: `Manual`
>        - *"Grey level"*: `12.5`
>    - In *"Reading"*:
>        - *"Pages"*: `z-planes`
>    - {% icon param-repeat %} *"Insert Children"*
>        - {% icon param-file %} *"Label map"*: `label map` (output of **Segment objects** {% icon tool %})
>
> 4. Run it.
>
>    {% snippet faqs/galaxy/workflows_run_trs.md path="x/y.ga" title="All of it" %}
>
>    - *"Channel"*: `0`
{: .hands_on}
"""
QUESTION = """
> <question-title></question-title>
>
> 1. How many?
> 2. Why?
>
> > <solution-title></solution-title>
> >
> > 1. **1,250**: all of them. <!-- check: rows in `Segment objects: output` --> Of these **2**
> >    are large. <!-- check: rows in `Filter objects: table` -->
> > 2. Because **3** is
> >    not the begin.
> >
> {: .solution}
{: .question}

![What one sees](images/a.png "Caption") <!-- picture: history -->
"""


def read(tmp_path: Path, text: str) -> Tutorial:
    path = tmp_path / "tutorial.md"
    path.write_text(text)
    return read_tutorial(path)


def test_steps_of_a_hands_on_box(tmp_path: Path) -> None:
    (box,) = read(tmp_path, FRONT + HANDS_ON).boxes
    imported, tool, workflow = box.steps
    assert imported == ImportStep(("https://example.org/a.tiff", "https://example.org/b.tiff"), "both")
    assert isinstance(tool, ToolStep)
    assert (tool.title, tool.short_id, tool.version) == ("Segment objects", "segment_objects", "0.1.0+galaxy0")
    children = Parameter("Label map", data=(Reference("label map", "Segment objects"),))
    assert tool.parameters == (
        Parameter("Image", data=(Reference("both"),)),
        Parameter("Threshold", ("Manual",)),
        Parameter("Grey level", ("12.5",)),
        Parameter("Reading", below=(Parameter("Pages", ("z-planes",)),)),
        Parameter("Insert Children", below=(children,)),
    )
    assert workflow == WorkflowStep("All of it", "x/y.ga", (Parameter("Channel", ("0",)),))


def test_solutions_that_are_numbers_and_pictures(tmp_path: Path) -> None:
    question, picture = read(tmp_path, FRONT + QUESTION).boxes
    answer, large = question.answers
    assert (large.question, large.number, large.check) == ("How many?", "2", "rows in `Filter objects: table`")
    assert (answer.question, answer.number, answer.check) == ("How many?", "1,250", "rows in `Segment objects: output`")
    assert picture.picture
    assert (picture.picture.file, picture.picture.of, picture.line) == ("images/a.png", "history", 21)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{: .hands_on}", "", r"tutorial.md:8: the box is not closed"),
        ("`12.5`", "12.5", "the value of 'Grey level' is not in backticks"),
        (" <!-- check: rows in `Segment objects: output` -->", "", "solution 1 needs both"),
        ("**1,250**", "1,250", "solution 1 needs both"),
        ("> 2. Why?\n", "", "questions \\[1\\] and solutions \\[1, 2\\] differ"),
        ("<solution-title></solution-title>", "", "the question has no solution"),
        ("---\nlayout", "layout", "has no front matter"),
    ],
)
def test_a_form_that_is_not_followed_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FRONT + HANDS_ON + QUESTION
    assert old in text
    with pytest.raises(TutorialError, match=said):
        read(tmp_path, text.replace(old, new, 1))

"""How far a run is and how it ended, and what is downloaded of it."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import workflow_progress
from scripts.workflow_outputs import download_outputs
from scripts.workflow_progress import RunResult, collect_result, follow_run, show_progress


def invocation(invocation_id, state, children=(), messages=()):
    steps = [{"job_id": f"{invocation_id}-job", "workflow_step_label": "Segment", "order_index": 0}]
    steps += [{"subworkflow_invocation_id": child, "order_index": 1} for child in children]
    return {"id": invocation_id, "state": state, "steps": steps, "history_id": "h", "outputs": {},
            "output_collections": {}, "messages": list(messages)}  # fmt: skip


def a_galaxy(moments):
    """A stand-in for bioblend's connection. Each moment maps invocation ids to (invocation, summaries of its jobs)."""
    left = list(moments)
    now = left[0]

    def show(invocation_id):
        nonlocal now
        if invocation_id == "root" and left:
            now = left.pop(0)
        return now[invocation_id][0]

    def jobs(invocation_id, state, limit, offset):
        states = [one for summary in now[invocation_id][1] for one in Counter(summary["states"]).elements()]
        return [{"id": str(n), "state": one} for n, one in enumerate(states) if one == state][offset : offset + limit]

    said = {"tool_id": "segment_objects", "tool_stderr": "a\nb\nERROR: dark\n  - too dark"}
    cancelled = []
    return SimpleNamespace(
        cancelled=cancelled,
        invocations=SimpleNamespace(
            show_invocation=show,
            get_invocation_step_jobs_summary=lambda one: now[one][1],
            cancel_invocation=cancelled.append,
        ),
        jobs=SimpleNamespace(get_jobs=jobs, show_job=lambda *_, **__: said),
    )


def jobs(invocation_id, populated="ok", **states):
    return [{"id": f"{invocation_id}-job", "model": "Job", "states": states, "populated_state": populated}]


def test_a_run_is_followed_until_all_is_scheduled_and_every_job_is_done():
    gi = a_galaxy(
        [
            {"root": (invocation("root", "new"), [])},
            {"root": (invocation("root", "ready"), jobs("root", running=1))},
            {"root": (invocation("root", "scheduled"), jobs("root", populated="new"))},
            {"root": (invocation("root", "scheduled"), jobs("root", ok=1, running=1))},
            {"root": (invocation("root", "scheduled"), jobs("root", ok=2))},
        ]
    )
    seen = list(follow_run(gi, "root", poll_seconds=0))
    assert [dict(one.states) for one in seen] == [{}, {"running": 1}, {}, {"ok": 1, "running": 1}, {"ok": 2}]
    assert seen[-1].steps[0].label == "Segment"


def test_a_run_waits_for_the_jobs_of_its_subworkflows():
    root = invocation("root", "scheduled", children=["inner"])
    gi = a_galaxy(
        [
            {"root": (root, jobs("root", ok=1)), "inner": (invocation("inner", "ready"), [])},
            {"root": (root, jobs("root", ok=1)), "inner": (invocation("inner", "scheduled"), jobs("inner", new=6))},
            {"root": (root, jobs("root", ok=1)), "inner": (invocation("inner", "scheduled"), jobs("inner", ok=6))},
        ]
    )
    assert [sum(one.states.values()) for one in follow_run(gi, "root", poll_seconds=0)] == [1, 7, 7]


def test_jobs_that_galaxy_counts_twice_count_once():
    root, inner = invocation("root", "scheduled", children=["inner"]), invocation("inner", "scheduled")
    gi = a_galaxy([{"root": (root, jobs("root", ok=1) + jobs("inner", ok=2)), "inner": (inner, jobs("inner", ok=2))}])
    assert collect_result(gi, "root").jobs == 3


def test_a_failed_invocation_ends_at_once_although_jobs_wait():
    gi = a_galaxy([{"root": (invocation("root", "failed"), jobs("root", new=1, error=1))}])
    assert len(list(follow_run(gi, "root", poll_seconds=0))) == 1


@pytest.mark.parametrize(("count", "suffix"), [(1, ""), (3, " (3 jobs)")])
def test_failed_jobs_are_reported_with_their_tool_and_message_once(count, suffix):
    result = collect_result(
        a_galaxy([{"root": (invocation("root", "scheduled"), jobs("root", ok=1, error=count))}]), "root"
    )
    assert not result.succeeded
    assert result.problems == [f"segment_objects: job error. ERROR: dark\n  - too dark{suffix}"]
    assert (result.jobs, result.failed) == (1 + count, count)


def test_thousands_of_failed_jobs_are_counted_page_by_page(monkeypatch):
    monkeypatch.setattr(workflow_progress, "PAGE", 10)
    result = collect_result(a_galaxy([{"root": (invocation("root", "scheduled"), jobs("root", error=45))}]), "root")
    assert result.failed == 45
    assert result.problems[-1] == "25 further jobs failed: see the history"


def test_a_run_cancelled_without_a_failed_job_is_not_a_success():
    result = collect_result(a_galaxy([{"root": (invocation("root", "cancelled"), jobs("root", ok=1))}]), "root")
    assert result.problems == ["workflow: cancelled"]


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("", ""),
        ("1\n2\n3\n4", "2\n3\n4"),
        ("ERROR: of a library\nmore\nERROR: dark\n  - too dark", "ERROR: dark\n  - too dark"),
        ("warning\nERROR: 2 of 9 elements failed\nERROR: a: dark\nERROR: b: dark", "ERROR: 2 of 9 elements failed\n"
         "ERROR: a: dark\nERROR: b: dark"),
    ],
)  # fmt: skip
def test_of_a_job_over_a_list_every_element_that_failed_is_told(stderr, said):
    assert workflow_progress._error_message(stderr) == said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"reason": "unexpected_failure"}, "workflow: unexpected_failure"),
        (
            {"reason": "workflow_parameter_invalid", "workflow_step_id": 0, "details": "must be\n at least 1"},
            "workflow, step Segment: workflow_parameter_invalid. must be at least 1",
        ),
        ({"reason": "job_failed", "workflow_step_id": 7}, "workflow, step 8: job_failed"),
        ({"reason": "workflow_output_not_found"}, "workflow: failed"),
    ],
)
def test_what_galaxy_says_of_a_failed_run_is_told_with_its_step(message, said):
    gi = a_galaxy([{"root": (invocation("root", "failed", messages=[message]), jobs("root", ok=1))}])
    assert collect_result(gi, "root").problems == [said]


@pytest.mark.parametrize("stop", [True, False])
def test_a_run_is_cancelled_at_its_first_failure_where_asked(monkeypatch, stop):
    monkeypatch.setattr(workflow_progress.time, "sleep", lambda _: None)
    gi = a_galaxy(
        [
            {"root": (invocation("root", "ready"), jobs("root", error=1, new=5))},
            {"root": (invocation("root", "scheduled"), jobs("root", error=1, ok=5))},
        ]
    )
    show_progress(gi, "root", "a run", stop_on_failure=stop)
    assert gi.cancelled == (["root"] if stop else [])


def a_history(states, extensions, collections=None):
    asked = []

    def get(url, params):
        asked.append((url, params))
        return SimpleNamespace(content=b"<!DOCTYPE html>", raise_for_status=lambda: None)

    return asked, SimpleNamespace(
        url="https://galaxy.example.org/api",
        make_get_request=get,
        datasets=SimpleNamespace(
            show_dataset=lambda one: {"state": states.get(one, "ok"), "file_ext": extensions.get(one, "tsv")},
            download_dataset=lambda one, file_path, **_: Path(file_path).write_text(one),
        ),
        dataset_collections=SimpleNamespace(show_dataset_collection=lambda one: {"elements": collections[one]}),
    )


def test_a_page_is_downloaded_as_a_page_and_not_as_galaxys_zip(tmp_path):
    asked, gi = a_history({}, {"d1": "html", "d2": "png"})
    outputs = {"A report": {"id": "d1", "src": "hda"}, "A picture": {"id": "d2", "src": "hda"}}
    written, _ = download_outputs(gi, RunResult("i1", "h1", [], outputs), tmp_path)
    assert [(path.name, path.read_bytes()) for path in written] == [
        ("A_report.html", b"<!DOCTYPE html>"),
        ("A_picture.png", b"d2"),
    ]
    assert asked == [("https://galaxy.example.org/api/datasets/d1/display", {"raw": "true"})]


def test_a_run_that_failed_in_part_gives_what_it_made_and_names_the_rest(tmp_path):
    elements = [
        {"element_identifier": name, "object": {"id": one}} for name, one in (("a b", "1"), ("a_b", "2"), ("c", "3"))
    ]
    nested = [{"element_identifier": "plate", "object": {"elements": elements}}]
    _, gi = a_history({"3": "error"}, {}, {"c1": nested})
    written, missing = download_outputs(gi, RunResult("i", "h", ["x"], {"T": {"id": "c1", "src": "hdca"}}), tmp_path)
    assert {str(path.relative_to(tmp_path)): path.read_text() for path in written} == {
        "T/plate/a_b.tsv": "1",
        "T/plate/a_b_2.tsv": "2",
    }
    assert missing == ["T/plate/c (error)"]
    assert sorted(path.name for path in (tmp_path / "T/plate").iterdir()) == ["a_b.tsv", "a_b_2.tsv"]

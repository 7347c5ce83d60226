"""Tags of tag sets: a rerun takes off what this user's earlier run put on an object, and nothing else."""

from pathlib import Path

import numpy as np
import omero
import omero_annotate
import pytest
from omero.rtypes import rstring

from tests.galaxy.seed_omero import link
from tests.omero.tool_support import Lab, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)


@pytest.fixture
def images(lab: Lab) -> list[int]:
    dataset = lab.container("Dataset", "d")
    return [lab.image(name, PLANE, dataset) for name in ("a", "b")]


@pytest.fixture
def annotate(lab: Lab, tmp_path: Path):
    def run(*tags: str, mode: str = "replace", dry_run: bool = False) -> list[tuple[str, str, str]]:
        path = tmp_path / "table.csv"
        path.write_text("image,TAG\n" + "".join(f"{name},{tag}\n" for name, tag in zip("ab", tags, strict=False)))
        values = {"within": typed("dataset", "d"), "kind": "image", "mode": mode, "namespace": "", "dry_run": dry_run}
        outputs = {"output": "out.tsv", "changes": "changes.tsv"}
        made = lab.run(omero_annotate, tmp_path, outputs, table=named("table.csv", path), **values)
        return [(row["action"], row["before"], row["after"]) for row in read_rows(made["changes"])]

    return run


def tags_of(lab: Lab) -> list[tuple[int, str]]:
    rows = lab.rows(
        "select l.parent.id, t.textValue from ImageAnnotationLink l, TagAnnotation t where l.child.id = t.id"
    )
    return sorted(map(tuple, rows))


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_a_rerun_moves_the_tag(lab: Lab, annotate, images, mode: str):
    annotate("hit[screen]", "[screen]", mode=mode)
    assert tags_of(lab) == [(images[0], "hit")]
    assert annotate("[screen]", "hit[screen]", mode=mode, dry_run=True) == [
        ("remove", "hit[screen]", ""),
        ("add", "", "hit[screen]"),
    ]
    assert tags_of(lab) == [(images[0], "hit")]
    for _ in range(2):
        annotate("[screen]", "hit[screen]", mode=mode)
        assert tags_of(lab) == [(images[1], "hit")]
    # The tag and its set stay in OMERO: others may use them.
    assert sorted(lab.rows("select t.textValue from TagAnnotation t")) == [["hit"], ["screen"]]


def test_adding_takes_nothing_off(lab: Lab, annotate, images):
    annotate("hit[screen]")
    assert annotate("[screen]", mode="add") == []
    annotate("miss[screen]", mode="add")
    assert tags_of(lab) == [(images[0], "hit"), (images[0], "miss")]


def test_what_the_row_does_not_name_stays(lab: Lab, annotate, images):
    """Tags without a set, of other sets, of other objects, and one that is wanted for another set."""
    annotate("plain", mode="add")
    annotate("old[review]", mode="add")
    annotate("hit[screen]", "hit[screen]", mode="add")
    annotate("hit[second]", mode="add")
    annotate("hit[second]")
    assert annotate("[screen]") == [("remove", "hit[screen]", "")]
    assert tags_of(lab) == [(images[0], "old"), (images[0], "plain"), (images[1], "hit")]


def test_tags_of_others_and_sets_made_by_hand_stay(lab: Lab, annotate, images):
    by_hand, member = omero.model.TagAnnotationI(), omero.model.TagAnnotationI()
    by_hand.textValue, by_hand.ns = rstring("mine"), rstring("openmicroscopy.org/omero/insight/tagset")
    member.textValue = rstring("kept")
    parent, child = (omero.model.TagAnnotationI(lab.save(tag), False) for tag in (by_hand, member))
    link(lab.session, "AnnotationAnnotationLinkI", parent, child)
    link(lab.session, "ImageAnnotationLinkI", omero.model.ImageI(images[0], False), child)
    lab.colleague().sign_in()
    annotate("", "hit[screen]")
    lab.sign_in()
    annotate("[screen]", "[screen]")
    annotate("[mine]")
    assert tags_of(lab) == [(images[0], "kept"), (images[1], "hit")]

"""Tags in each kind of group: a colleague's is used where the group lets one link it, otherwise one's own.

OMERO asks for the right to annotate at both ends of a link (omero-server,
src/main/java/ome/security/basic/OmeroInterceptor.java): in a read-only group nobody links a colleague's tag, not even
to an image of their own.
"""

from pathlib import Path

import numpy as np
import omero
import omero_annotate
import omero_transfer
import pytest
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.annotations import TAG_SET_NAMESPACE
from tests.omero.tool_support import Lab, all_counts, make_lab, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)
SHARED = {"rw----": False, "rwr---": False, "rwra--": True, "rwrw--": True}
"""Whether members of a group of these permissions use each other's tags."""


@pytest.fixture(params=SHARED)
def kind(request) -> str:
    return request.param


@pytest.fixture
def lab(omero_server, monkeypatch, kind):
    with make_lab(omero_server, monkeypatch, permissions=kind) as found:
        yield found


def new_tag(lab: Lab, text: str, namespace: str = "") -> int:
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring(text)
    if namespace:
        tag.ns = rstring(namespace)
    return lab.save(tag)


def tag_in_set(lab: Lab, text: str, tag_set: str) -> int:
    tag = new_tag(lab, text)
    link = omero.model.AnnotationAnnotationLinkI()
    link.parent = omero.model.TagAnnotationI(new_tag(lab, tag_set, TAG_SET_NAMESPACE), False)
    link.child = omero.model.TagAnnotationI(tag, False)
    lab.save(link)
    return tag


def linked_tags(lab: Lab) -> list[tuple[str, int]]:
    rows = lab.rows(
        "select t.textValue, t.id from ImageAnnotationLink l, TagAnnotation t where l.child.id = t.id order by t.id"
    )
    return [tuple(row) for row in rows]


def annotate(lab: Lab, folder: Path, *tags: str) -> list[dict[str, str]]:
    (folder / "t.csv").write_text("".join(f"{line}\n" for line in ("image,TAG", *(f"a,{tag}" for tag in tags))))
    config = {"within": typed("dataset", "d"), "kind": "image", "mode": "add"}
    outputs = {"output": "out.tsv", "changes": "changes.tsv"}
    table = named("t.csv", folder / "t.csv")
    return read_rows(lab.run(omero_annotate, folder, outputs, table=table, **config)["changes"])


def test_annotate_uses_a_colleagues_tag_where_the_group_grants_it(lab: Lab, tmp_path: Path, kind: str):
    colleague = lab.colleague()
    there = {new_tag(colleague, "plain"), tag_in_set(colleague, "good", "quality")}
    lab.image("a", PLANE, lab.container("Dataset", "d"))
    assert len(annotate(lab, tmp_path, "plain", "good[quality]")) == 2
    tags = linked_tags(lab)
    assert sorted(text for text, _ in tags) == ["good", "plain"]
    assert ({number for _, number in tags} == there) is SHARED[kind]
    assert there.isdisjoint(number for _, number in tags) is not SHARED[kind]
    made = lab.rows(f"select count(l) from AnnotationAnnotationLink l where l.details.owner.omeName = '{lab.user}'")
    assert (made == [[0]]) is SHARED[kind]
    before = all_counts(lab)
    assert annotate(lab, tmp_path, "plain", "good[quality]") == []
    assert all_counts(lab) == before


def test_a_tag_by_id_that_may_not_be_linked_is_refused_before_any_change(lab: Lab, tmp_path: Path, kind: str):
    number = new_tag(lab.colleague(), "theirs")
    lab.image("a", PLANE, lab.container("Dataset", "d"))
    before = all_counts(lab)
    if SHARED[kind]:
        annotate(lab, tmp_path, f"[{number}]")
        assert linked_tags(lab) == [("theirs", number)]
        return
    reason = (
        "no tag has this id" if kind == "rw----" else "it belongs to somebody else, and group .* only your own tags"
    )
    with pytest.raises(UserError, match=rf"tag \[?{number}\]?: {reason}"):
        annotate(lab, tmp_path, f"[{number}]")
    assert all_counts(lab) == before


def test_a_transfer_uses_a_colleagues_tag_where_the_group_grants_it(
    lab: Lab, tmp_path: Path, kind: str, omero_server, monkeypatch
):
    with make_lab(omero_server, monkeypatch) as source:
        image = source.image("a", PLANE, source.container("Dataset", "d"))
        tag = tag_in_set(source, "good", "quality")
        link = omero.model.ImageAnnotationLinkI()
        link.parent, link.child = omero.model.ImageI(image, False), omero.model.TagAnnotationI(tag, False)
        source.save(link)
        do = {"mode": "pack", "target": typed("dataset", "d")}
        crate = source.run(omero_transfer, tmp_path, {"crate": "crate.zip", "output": "packed.tsv"}, do=do)["crate"]
    colleague = lab.colleague()
    there = tag_in_set(colleague, "good", "quality")
    lab.sign_in()
    monkeypatch.chdir(tmp_path)
    do = {"mode": "unpack", "crate": {"element_identifier": "crate", "source_path": str(crate)}}

    def unpack() -> list[dict[str, str]]:
        outputs = {"output": "images.tsv", "containers": "containers.tsv"}
        return read_rows(lab.run(omero_transfer, tmp_path, outputs, do=do)["output"])

    assert [row["status"] for row in unpack()] == ["made"]
    [(text, number)] = linked_tags(lab)
    assert (text, number == there) == ("good", SHARED[kind])
    before = all_counts(lab)
    assert [row["status"] for row in unpack()] == ["unchanged"]
    assert all_counts(lab) == before

import hashlib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import omero.model
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omero.rtypes import rdouble, rint, rlong, rstring, rtime

from bioimage_suite.omero.transfer import rois as omero_transfer_rois
from bioimage_suite.omero.transfer.crate import (
    CrateFile,
    CrateFileset,
    Manifest,
    RoiSet,
    read_manifest,
    write_manifest,
    zip_folder,
)
from bioimage_suite.omero.transfer.document import (
    annotation_content,
    annotation_element,
    element_bytes,
    new_document,
    object_element,
    read_annotation,
    read_head,
    read_roi,
    read_rois,
    roi_element,
)

# What XML can hold at all.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40).filter(
    lambda text: all(letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff") for letter in text)
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def through_a_file(element: ElementTree.Element, folder: Path) -> ElementTree.Element:
    path = folder / "one.ome.xml"
    holder = ElementTree.Element("StructuredAnnotations")
    holder.append(element)
    with new_document(path, [holder]):
        pass
    return read_head(path)[0][0]


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=5), description=TEXT)
def test_key_values_come_back_to_the_letter(tmp_path_factory, pairs, description):
    made = omero.model.MapAnnotationI()
    made.mapValue = [omero.model.NamedValue(key, value) for key, value in pairs]
    made.description = rstring(description)
    element = annotation_element(made, 7)
    found = through_a_file(element, tmp_path_factory.getbasetemp())
    back = read_annotation(found)
    assert [(pair.name, pair.value) for pair in back.mapValue] == pairs
    assert (back.description.val if back.description else "") == description
    assert annotation_content(annotation_element(back, 8)) == annotation_content(found)


@settings(max_examples=60, deadline=None)
@given(value=NUMBER, time=st.integers(-(10**13), 10**13), whole=st.integers(-(2**63), 2**63 - 1), text=TEXT)
def test_values_come_back_with_every_digit(tmp_path_factory, value, time, whole, text):
    cases = (
        ("Double", "doubleValue", rdouble(value)),
        ("Timestamp", "timeValue", rtime(time)),
        ("Long", "longValue", rlong(whole)),
        ("Xml", "textValue", rstring(text)),
        ("Comment", "textValue", rstring(text)),
    )
    for kind, field, wrapped in cases:
        made = getattr(omero.model, f"{kind}AnnotationI")()
        setattr(made, field, wrapped)
        back = read_annotation(through_a_file(annotation_element(made, 1), tmp_path_factory.getbasetemp()))
        assert getattr(back, field).val == wrapped.val


@settings(max_examples=60, deadline=None)
@given(numbers=st.tuples(NUMBER, NUMBER, NUMBER, NUMBER), bits=st.binary(max_size=50), z=st.integers(-1, 9), text=TEXT)
def test_a_mask_comes_back_bit_for_bit(tmp_path_factory, numbers, bits, z, text):
    mask = omero.model.MaskI(3)
    for name, number in zip(("x", "y", "width", "height"), numbers, strict=True):
        setattr(mask, name, rdouble(number))
    mask.bytes, mask.theZ, mask.textValue = bits, rint(z), rstring(text)
    roi = omero.model.RoiI(2)
    roi.addShape(mask)
    path = tmp_path_factory.getbasetemp() / "roi.ome.xml"
    with new_document(path, []) as write_roi:
        write_roi(element_bytes(roi_element(roi, [5], {3: [6]})))
    [element] = read_rois(path)
    assert [one.get("ID") for one in element.iter("AnnotationRef")] == ["Annotation:6", "Annotation:5"]
    [shape] = read_roi(element).copyShapes()
    assert [getattr(shape, name).val for name in ("x", "y", "width", "height")] == list(numbers)
    assert bytes(shape.bytes) == bits
    assert (shape.theZ.val if shape.theZ else -1) == z  # -1 is one of two ways to say "all planes"
    assert (shape.textValue.val if shape.textValue else "") == text


def test_letters_that_xml_has_no_way_to_write_do_not_break_the_document(tmp_path: Path):
    made = omero.model.ProjectI(1)
    made.name = rstring("bell \x07 and \ufffe")
    with new_document(tmp_path / "x.ome.xml", [object_element(made, "Project")]):
        pass
    assert read_head(tmp_path / "x.ome.xml")[0].get("Name") == "bell \ufffd and \ufffd"


def test_memory_holds_one_roi_of_a_document(tmp_path: Path):
    path = tmp_path / "many.ome.xml"
    with new_document(path, []) as write_roi:
        for number in range(5000):
            write_roi(b'<ROI ID="ROI:%d"><Union/></ROI>' % number)
    for number, element in enumerate(read_rois(path)):
        assert element.get("ID") == f"ROI:{number}"
    assert len(read_head(path)) == 0


def test_a_manifest_comes_back_whole(tmp_path: Path):
    file = CrateFile("filesets/1/a b.tif", "a b.tif", 3, hashlib.sha1(b"abc", usedforsecurity=False).hexdigest())
    made = Manifest(
        "ssl://h:1",
        "uuid",
        ("Project:1",),
        (CrateFileset("Fileset:1", (file,), {0: 5}),),
        {4: file},
        {5: RoiSet(2, "x")},
    )
    write_manifest(tmp_path, made)
    assert read_manifest((tmp_path / "transfer.json").read_bytes()) == made
    assert made.lsid("Image:5") == "urn:lsid:export.openmicroscopy.org:Image:uuid_5"


@pytest.mark.parametrize("order", [("a", "b/c"), ("b/c", "a")])
def test_a_zip_does_not_tell_when_or_in_which_order_its_files_were_made(tmp_path: Path, order):
    folder = tmp_path / "folder"
    for name in order:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    zip_folder(folder, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.namelist() == ["a", "b/c"]
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_rois_are_sent_in_messages_that_ice_takes():
    """Few large masks or many small shapes: never more than the limits, nothing lost, in order."""
    large = [
        ElementTree.fromstring(f'<ROI ID="ROI:{n}"><Mask><BinData>{"A" * 999}</BinData></Mask></ROI>') for n in range(7)
    ]
    small = [ElementTree.fromstring(f'<ROI ID="ROI:{n}"><Point/></ROI>') for n in range(1200)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(omero_transfer_rois, "BATCH_BYTES", 2000)
        assert [len(batch) for batch in omero_transfer_rois._batches(large)] == [3, 3, 1]
        assert [len(batch) for batch in omero_transfer_rois._batches(small)] == [500, 500, 200]
        assert [one for batch in omero_transfer_rois._batches(iter(small)) for one in batch] == small

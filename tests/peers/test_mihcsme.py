"""MIHCSME workbooks that are written here are those of mihcsme-py, and the other way round."""

from pathlib import Path

from bioimage_suite.plates.mihcsme_workbook import pairs_of, write_workbook
from bioimage_suite.plates.wells import Well, Wells, read_wells
from bioimage_suite.tables.key_value_dialects import read_key_values

BOTH = """
from pathlib import Path
from mihcsme_py.parser import parse_excel_to_model
from mihcsme_py.writer import write_metadata_to_excel
found = parse_excel_to_model(Path(sys.argv[1]))
write_metadata_to_excel(found, Path(sys.argv[2]))
answer = {
    "title": found.study_information.study.study_title, "assay": found.assay_information.assay.assay_title,
    "owner": found.investigation_information.data_owner.last_name,
    "wells": [[one.plate, one.well, one.conditions] for one in found.assay_conditions],
}
"""
PAIRS = {
    ("StudyInformation", "Study", "Study Title"): "Made",
    ("AssayInformation", "Assay", "Assay Title"): "GFP",
    ("InvestigationInformation", "DataOwner", "Last Name"): "Doe",
}


def test_both_read_each_other(tmp_path: Path, peer):
    wells = Wells({Well("P", 0, 0): {"drug": "Oct4", "dose": "0.10"}, Well("P", 15, 23): {"drug": "x", "dose": "5"}})
    ours, theirs = tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx"
    write_workbook(ours, wells, PAIRS)
    found = peer(BOTH, ours, theirs)
    assert (found["title"], found["assay"], found["owner"]) == ("Made", "GFP", "Doe")
    # mihcsme-py writes wells with two digits.
    assert [(plate, said) for plate, _, said in found["wells"]] == [("P", said) for said in wells.conditions.values()]
    assert read_wells([(theirs, "theirs")]).conditions == wells.conditions
    back = pairs_of(read_key_values(theirs, "theirs").pairs)
    assert {place: back[place] for place in PAIRS} == PAIRS

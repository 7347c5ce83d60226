import uuid
import zipfile
from pathlib import Path

import numpy as np
import omero
import omero_import_images
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import containers
from bioimage_suite.omero.files import imports as omero_imports
from bioimage_suite.omero.files.imports import ImportRun
from bioimage_suite.omero.images import imports as image_import
from bioimage_suite.omero.session import open_session, wait_for
from tests.omero.tool_support import (
    CuttingProxy,
    Lab,
    all_counts,
    count,
    fail_at,
    make_lab,
    named,
    picture,
    pixels_of,
    plate_members,
    read_rows,
)

BY_NAME = {"by": "name", "dataset": "new", "project": "", "create": True}


@pytest.fixture
def run(lab: Lab, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def start(files: list[dict], text: str = "", **config) -> list[dict[str, str]]:
        values = {"files": files, "place": BY_NAME, "existing": "refuse", "zip_holds": "images", "table": None}
        if text:
            path = tmp_path / "words.csv"
            path.write_text(text)
            values["table"] = named("words.csv", path)
        paths = lab.run(omero_import_images, tmp_path, {"output": "out.tsv"}, **(values | config))
        return read_rows(paths["output"])

    return start


@pytest.fixture
def tiff(tmp_path: Path):
    def make(identifier: str, pixels: np.ndarray, axes: str = "YX") -> dict[str, str]:
        path = tmp_path / f"{uuid.uuid4().hex}.dat"  # as Galaxy stores it
        fixed = str(uuid.uuid5(uuid.NAMESPACE_OID, str(pixels.sum())))  # tifffile invents one for each file
        tifffile.imwrite(path, pixels, metadata={"axes": axes, "UUID": fixed}, ome=True)
        return named(identifier, path) | {"ext": "ome.tiff"}

    return make


def test_files_arrive_with_every_pixel_under_their_names_in_a_new_dataset_of_a_new_project(lab: Lab, run, tiff):
    stack = picture(1, (2, 3, 4, 20, 30))
    rows = run(
        [tiff("cell_1", picture(0)), tiff("stack ü.ome.tiff", stack, "TCZYX")],
        place={"by": "name", "dataset": "d", "project": "p", "create": True},
    )
    assert [(row["image_name"], row["file"], row["status"]) for row in rows] == [
        ("cell_1.ome.tiff", "cell_1", "imported"),
        ("stack ü.ome.tiff", "stack ü.ome.tiff", "imported"),
    ]
    np.testing.assert_array_equal(pixels_of(lab, rows[0]["image_id"])[0, 0, 0], picture(0))
    np.testing.assert_array_equal(pixels_of(lab, rows[1]["image_id"]), stack)
    where = "select p.name, d.name, i.id from Project p join p.datasetLinks pl join pl.child d join d.imageLinks l "
    found = lab.rows(f"{where} join l.child i order by i.id")
    assert found == [["p", "d", int(row["image_id"])] for row in rows]
    assert {row["dataset_id"] for row in rows} == {str(lab.rows("select d.id from Dataset d")[0][0])}


@pytest.mark.parametrize("protocol", ["ssl", "tcp", "ws", "wss"])
def test_files_arrive_over_every_transport(lab: Lab, run, tiff, omero_server, protocol):
    port = {"ssl": omero_server.port, "tcp": omero_server.tcp_port}.get(protocol)
    port = port or getattr(omero_server, f"{protocol}_port")
    [row] = run([tiff("a", picture(3))], "image,dose\na,1\n", omero_host=f"{protocol}://{lab.host}:{port}")
    np.testing.assert_array_equal(pixels_of(lab, row["image_id"])[0, 0, 0], picture(3))
    assert row["annotation_count"] == "1"


def test_a_dataset_is_chosen_by_id_by_name_and_within_its_project(lab: Lab, run, tiff):
    dataset = lab.container("Dataset", "d")
    none = {"element_identifier": None, "source_path": None}  # as Galaxy says that there is no table
    [row] = run([tiff("a", picture(0))], place={"by": "id", "dataset_id": f" {dataset} "}, table=none)
    assert row["dataset_id"] == str(dataset)
    [row] = run([tiff("b", picture(1))], place={"by": "name", "dataset": "d", "project": "", "create": False})
    assert row["dataset_id"] == str(dataset)
    # Another dataset of this name in a project is another dataset.
    [row] = run([tiff("a", picture(0))], place={"by": "name", "dataset": "d", "project": "p", "create": True})
    assert row["dataset_id"] != str(dataset)
    [again] = run([tiff("c", picture(2))], place={"by": "name", "dataset": "d", "project": "p", "create": True})
    assert (again["dataset_id"], again["project_name"]) == (row["dataset_id"], "p")
    # A project may be given by its id, for instance because two have its name; a name goes first.
    [twin, _] = [lab.container("Project", "p") for _ in range(2)]
    named = {"by": "name", "dataset": "d", "project": str(twin), "create": True}
    [row] = run([tiff("d", picture(3))], place=named)
    assert row["project_name"] == "p"
    hql = "select l.child.id from ProjectDatasetLink l where l.parent.id = "
    assert lab.rows(f"{hql}{twin}") == [[int(row["dataset_id"])]]
    number = lab.container("Project", str(twin))
    [row] = run([tiff("e", picture(4))], place=named)
    assert lab.rows(f"{hql}{number}") == [[int(row["dataset_id"])]]


def test_a_place_that_is_unknown_or_ambiguous_is_refused_before_anything_is_made(lab: Lab, run, tiff):
    for _ in range(2):
        lab.container("Dataset", "twin")
        lab.container("Project", "twins")
    before = all_counts(lab)
    cases = [
        ({"by": "name", "dataset": "none", "project": "", "create": False}, "dataset 'none': there is none"),
        ({"by": "name", "dataset": "x", "project": "none", "create": False}, "project 'none': there is none"),
        ({"by": "name", "dataset": "twin", "project": "", "create": True}, r"dataset 'twin': 2 have this name \(ids"),
        ({"by": "name", "dataset": "x", "project": "twins", "create": True}, "project 'twins': 2 have this name"),
        ({"by": "name", "dataset": " ", "project": "", "create": True}, "dataset: no name given"),
        ({"by": "id", "dataset_id": "x"}, "dataset 'x': not an id"),
        ({"by": "id", "dataset_id": "999999999"}, "dataset 999999999: no such id"),
    ]
    for place, message in cases:
        with pytest.raises(UserError, match=message):
            run([tiff("a", picture(0))], place=place)
    assert all_counts(lab) == before


def test_a_screen_is_found_by_id_or_name_and_takes_no_image_without_a_plate(lab: Lab, run, tiff):
    screen = lab.container("Screen", "s")
    before = all_counts(lab)
    cases = [
        ({"by": "screen", "screen": "none", "create": False}, "screen 'none': there is none"),
        ({"by": "screen", "screen": " ", "create": True}, "screen: no name given"),
        ({"by": "screen_id", "screen_id": "x"}, "screen 'x': not an id"),
        ({"by": "screen_id", "screen_id": "999999999"}, "screen 999999999: no such id"),
        ({"by": "screen", "screen": "new", "create": True}, "file 'a': "),
        ({"by": "screen", "screen": "s", "create": True}, "file 'a': "),
        ({"by": "screen_id", "screen_id": str(screen)}, "file 'a': "),
    ]
    for place, message in cases:
        with pytest.raises(UserError, match=message):
            run([tiff("a", picture(0))], place=place)
    assert all_counts(lab) == before


def test_content_that_is_there_already_is_skipped_or_refused_whatever_its_name(lab: Lab, run, tiff):
    [first] = run([tiff("a", picture(0))])
    before = all_counts(lab)
    with pytest.raises(UserError, match=f"dataset 'new' has its content already, as image {first['image_id']}"):
        run([tiff("b", picture(1)), tiff("other name", picture(0))])
    with pytest.raises(UserError, match="'c': it has the same content as 'b'"):
        run([tiff("b", picture(1)), tiff("c", picture(1))])
    assert all_counts(lab) == before
    rows = run([tiff("b", picture(1)), tiff("a", picture(0)), tiff("c", picture(1))], existing="skip")
    assert [row["status"] for row in rows] == ["imported", "skipped", "skipped"]
    assert rows[1]["image_id"] == first["image_id"]
    assert rows[2]["image_id"] == rows[0]["image_id"]
    assert count(lab, "Image") == 2
    rerun = run([tiff("b", picture(1)), tiff("a", picture(0))], existing="skip")
    assert [row["image_id"] for row in rerun] == [row["image_id"] for row in rows[:2]]
    assert count(lab, "Image") == 2


def test_a_table_describes_the_images_and_a_rerun_adds_nothing(lab: Lab, run, tiff):
    text = "image,dose,medium,Description,TAG\na,1,µ,the first,good\nb.tif,2,DMEM,,good\n"
    files = [tiff("a", picture(0)), tiff("b", picture(1))]
    rows = run(files, text, existing="skip")
    assert [row["annotation_count"] for row in rows] == ["2", "2"]
    image = int(rows[0]["image_id"])
    assert lab.rows(f"select i.description from Image i where i.id = {image}") == [["the first"]]
    pairs = "select v.name, v.value from ImageAnnotationLink l, MapAnnotation m join m.mapValue v "
    assert lab.rows(f"{pairs} where l.child.id = m.id and l.parent.id = {image}") == [["dose", "1"], ["medium", "µ"]]
    before = all_counts(lab)
    assert [row["annotation_count"] for row in run(files, text, existing="skip")] == ["0", "0"]
    assert all_counts(lab) == before


def test_a_table_that_does_not_fit_is_refused_before_anything_is_made(lab: Lab, run, tiff):
    before = all_counts(lab)
    cases = [
        ("image,dose\nnone,1\n", "table: no file is called 'none'"),
        ("object_type,object_id,namespace,key,value\nimage,12,,dose,1\n", "a row is about image '12'"),
        ("image,description\na,x\na.tif,y\n", "'a' has 2 descriptions"),
        ("image,dose\na,1,2,3\n", "line 2"),
    ]
    for text, message in cases:
        with pytest.raises(UserError, match=message):
            run([tiff("a", picture(0)), tiff("b", picture(1))], text)
    assert all_counts(lab) == before


def pack(folder: Path, members: dict[str, bytes]) -> dict[str, str]:
    path = folder / f"{uuid.uuid4().hex}.dat"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return named("pack.zip", path) | {"ext": "zip"}


def test_a_zip_keeps_its_folders_and_two_files_of_one_name_stay_apart(lab: Lab, run, tiff, tmp_path: Path):
    data = [Path(tiff("x", picture(seed))["source_path"]).read_bytes() for seed in (0, 1)]
    members = {"day1/x.ome.tiff": data[0], "day2/x.ome.tiff": data[1], "__MACOSX/._x": b"", "day1/.DS_Store": b""}
    rows = run([pack(tmp_path, members)], "image,day\nday1/x.ome.tiff,1\nday2/x.ome.tiff,2\n")
    assert [row["file"] for row in rows] == ["day1/x.ome.tiff", "day2/x.ome.tiff"]
    for seed, row in enumerate(rows):
        np.testing.assert_array_equal(pixels_of(lab, row["image_id"])[0, 0, 0], picture(seed))
    with pytest.raises(UserError, match=r"'x\.ome\.tiff' leads to several files"):
        run([pack(tmp_path, members)], "image,day\nx.ome.tiff,1\n", existing="skip")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("bioimage-suite-")]


@pytest.mark.parametrize("folder", ["plate/image.zarr/", ""])
def test_a_zipped_ome_zarr_is_one_image(lab: Lab, run, tmp_path: Path, folder):
    import zarr

    pixels = picture(3, (2, 3, 16, 20))
    group = zarr.open_group(tmp_path / "image.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=pixels, chunks=(1, 1, 8, 8))
    axes = [{"name": name, "type": {"c": "channel"}.get(name, "space")} for name in "czyx"]
    scale = [{"type": "scale", "scale": [1, 1, 1, 1]}]
    multiscales = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}], "version": "0.4"}
    group.attrs["multiscales"] = [multiscales]
    paths = [path for path in (tmp_path / "image.zarr").rglob("*") if path.is_file()]
    members = {folder + str(path.relative_to(tmp_path / "image.zarr")): path.read_bytes() for path in paths}
    [row] = run([pack(tmp_path, members)])
    np.testing.assert_array_equal(pixels_of(lab, row["image_id"])[0], pixels)
    [again] = run([pack(tmp_path, members)], existing="skip")
    assert (again["image_id"], again["status"]) == (row["image_id"], "skipped")


def test_an_ome_zarr_plate_goes_into_a_screen_once(lab: Lab, run, tiff, tmp_path: Path):
    fields = {"A/1": [picture(1), picture(2)], "B/2": [picture(3)]}
    files = [pack(tmp_path, plate_members(fields, tmp_path))]
    place = {"by": "screen", "screen": "s", "create": True}
    rows = run(files, "image,dose\n*,3\n", place=place)
    assert [(row["well"], row["field"], row["screen_name"], row["status"]) for row in rows] == [
        ("A1", "1", "s", "imported"),
        ("A1", "2", "s", "imported"),
        ("B2", "1", "s", "imported"),
    ]
    for row, image in zip(rows, (picture(1), picture(2), picture(3)), strict=True):
        np.testing.assert_array_equal(pixels_of(lab, row["image_id"])[0, 0, 0], image)
    assert count(lab, "Plate") == 1
    assert lab.rows("select s.name, p.name from ScreenPlateLink l join l.parent s join l.child p") == [
        ["s", rows[0]["plate_name"]]
    ]
    before = all_counts(lab)
    again = run(files, "image,dose\n*,3\n", place=place, existing="skip")
    assert [(row["image_id"], row["status"]) for row in again] == [(row["image_id"], "skipped") for row in rows]
    with pytest.raises(UserError, match="screen 's' has its content already"):
        run(files, place=place)
    with pytest.raises(UserError, match=r"file 'pack.zip/assay.zarr'|file 'assay.zarr'"):
        run(files)  # into a dataset
    with pytest.raises(UserError, match="file 'a': "):
        run([*files, tiff("a", picture(0))], place={**place, "screen": "other"})
    assert all_counts(lab) == before


def test_all_files_of_a_zip_as_one_fileset(lab: Lab, run, tiff, tmp_path: Path):
    files = {"a.ome.tiff": Path(tiff("a", picture(0))["source_path"]).read_bytes(), "notes/readme.txt": b"kept"}
    [row] = run([pack(tmp_path, files)], zip_holds="fileset")
    names = "select o.name from Image i join i.fileset f join f.usedFiles e join e.originalFile o"
    assert lab.rows(f"{names} where i.id = {row['image_id']} order by o.name") == [["a.ome.tiff"], ["readme.txt"]]


def test_a_format_of_several_files_stays_one_image(lab: Lab, run, tmp_path: Path):
    """OME-TIFF with a companion file: the planes lie in two files beside it."""
    stack = picture(4, (2, 20, 30))
    planes = {}
    for number, plane in enumerate(stack):
        said = f'<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:{uuid.UUID(int=number)}"/>'
        said = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{said}</OME>'
        tifffile.imwrite(tmp_path / "plane.tif", plane, description=said, metadata=None)
        planes[f"set/z{number}.tif"] = (tmp_path / "plane.tif").read_bytes()
    tiff_data = "".join(
        f'<TiffData FirstZ="{n}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="z{n}.tif">urn:uuid:{uuid.UUID(int=n)}</UUID></TiffData>'
        for n in range(2)
    )
    companion = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="set">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
        'SizeX="30" SizeY="20" SizeZ="2" SizeC="1" SizeT="1">'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1" Name="DAPI"/>{tiff_data}</Pixels></Image></OME>'
    )
    members = {"set/set.companion.ome": companion.encode(), **planes}
    [row] = run([pack(tmp_path, members)], zip_holds="fileset")
    np.testing.assert_array_equal(pixels_of(lab, row["image_id"])[0, 0], stack)
    names = "select o.name from Image i join i.fileset f join f.usedFiles e join e.originalFile o"
    found = lab.rows(f"{names} where i.id = {row['image_id']} order by o.name")
    assert found == [["set.companion.ome"], ["z0.tif"], ["z1.tif"]]
    [again] = run([pack(tmp_path, members)], zip_holds="fileset", existing="skip")
    assert (again["image_id"], again["status"]) == (row["image_id"], "skipped")


def test_harmful_or_odd_files_are_refused_before_anything_is_made(lab: Lab, run, tiff, tmp_path: Path):
    before = all_counts(lab)
    cases = [
        ([], "input list: it holds no file"),
        ([pack(tmp_path, {"../x.tif": b"x"})], "would leave its folder"),
        ([pack(tmp_path, {})], "the zip holds no file"),
        ([tiff("a", picture(0)), tiff("a", picture(1))], "file 'a': two files have this name"),
        ([tiff("..", picture(0))], "this is no file name"),
    ]
    for files, message in cases:
        with pytest.raises(UserError, match=message):
            run(files)
    assert all_counts(lab) == before


def test_a_file_that_omero_cannot_read_takes_the_whole_import_back(lab: Lab, run, tiff, tmp_path: Path):
    (tmp_path / "bad.tif").write_text("no image at all")
    before = all_counts(lab)
    with pytest.raises(UserError, match="file 'bad': OMERO cannot import it"):
        run(
            [tiff("good", picture(0)), named("bad", tmp_path / "bad.tif") | {"ext": "tiff"}],
            place={"by": "name", "dataset": "d", "project": "p", "create": True},
        )
    assert all_counts(lab) == before


@pytest.mark.parametrize(("owner", "name"), [(omero_imports, "_upload"), (image_import, "apply_changes")])
def test_a_failure_at_any_step_leaves_nothing_behind(lab: Lab, run, tiff, monkeypatch, owner, name):
    before = all_counts(lab)

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, owner, name, 2 if name == "_upload" else 1, refuse)
    with pytest.raises(UserError, match="refused"):
        run([tiff("a", picture(0)), tiff("b", picture(1))], "image,dose,TAG\na,1,new\n")
    assert all_counts(lab) == before


def test_a_broken_connection_is_mended_by_a_rerun(lab: Lab, run, tiff, monkeypatch, proxy: CuttingProxy):
    files = [tiff(str(number), picture(number)) for number in range(3)]
    with monkeypatch.context() as patch:
        fail_at(patch, omero_imports, "_upload", 3, proxy.cut)
        with pytest.raises(UserError, match="the connection broke"):
            run(files, omero_host=proxy.address)
    rows = run(files, existing="skip")
    assert sorted(row["status"] for row in rows) == ["imported", "skipped", "skipped"]
    assert count(lab, "Image") == 3
    assert count(lab, "Dataset") == 1


def test_a_file_damaged_on_its_way_is_noticed(lab: Lab, run, tiff, monkeypatch):
    original = omero_imports._upload
    path = Path(tiff("z", picture(9))["source_path"])
    monkeypatch.setattr(omero_imports, "_upload", lambda process, number, _: original(process, number, path))
    before = all_counts(lab)
    with pytest.raises(UserError, match="file 'a': it arrived damaged"):
        run([tiff("a", picture(0))])
    assert all_counts(lab) == before


def test_undo_reaches_only_the_own_run(lab: Lab, run, tiff):
    run([tiff("a", picture(0))])
    with open_session(lab.address) as session:
        assert ImportRun().filesets(session) == []
        assert omero_imports.imported_by(session, ImportRun()) == {"Fileset": [], "Plate": []}


def test_a_dry_run_changes_nothing(lab: Lab, run, tiff):
    [there] = run([tiff("a", picture(0))])
    before = all_counts(lab)
    rows = run([tiff("a", picture(0)), tiff("b", picture(1))], existing="skip", dry_run=True)
    assert [(row["image_id"], row["status"]) for row in rows] == [
        (there["image_id"], "would skip"),
        ("", "would import"),
    ]
    assert all_counts(lab) == before


def test_a_large_file_is_sent_in_blocks(lab: Lab, run, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(omero_imports, "BLOCK", 1000)
    pixels = picture(1, (64, 64))
    tifffile.imwrite(tmp_path / "x.tif", pixels)
    assert (tmp_path / "x.tif").stat().st_size % 1000
    [row] = run([named("x.tif", tmp_path / "x.tif") | {"ext": "tiff"}])
    np.testing.assert_array_equal(pixels_of(lab, row["image_id"])[0, 0, 0], pixels)
    assert row["image_name"] == "x.tif"


@pytest.mark.parametrize("skip", [None, ["minmax"], ["thumbnails"], ["minmax", "thumbnails"], ["checksum"]])
def test_the_server_is_told_what_to_leave_out(run, tiff, monkeypatch, skip: list[str] | None):
    made, original = [], omero_imports._settings

    def spied(*args):
        made.append(original(*args))
        return made[-1]

    monkeypatch.setattr(omero_imports, "_settings", spied)
    [row] = run([tiff("a", picture(0))], skip=skip)
    [settings] = made
    assert settings.noStatsInfo.val == ("minmax" in (skip or ()))
    assert settings.doThumbnails.val == ("thumbnails" not in (skip or ()))
    assert row["status"] == "imported"


@pytest.mark.parametrize("dry_run", [False, True])
def test_another_users_dataset_is_refused_before_anything_is_sent(omero_server, run, tiff, monkeypatch, dry_run):
    with make_lab(omero_server, monkeypatch, permissions="rwra--") as own:
        dataset = own.colleague().container("Dataset", "theirs")
        own.sign_in()
        monkeypatch.setattr(image_import, "_known", None)  # nothing is looked at, read or sent
        files, place = [tiff("cell", picture(0))], {"by": "id", "dataset_id": str(dataset)}
        with pytest.raises(UserError, match=rf"dataset 'theirs' \({dataset}\): it belongs to another user"):
            run(files, place=place, dry_run=dry_run)


def test_of_a_name_that_a_colleague_has_too_only_what_one_may_use_counts(omero_server, run, tiff, monkeypatch):
    with make_lab(omero_server, monkeypatch, permissions="rwra--") as own:
        colleague = own.colleague()
        theirs = colleague.container("Dataset", "d")
        colleague.container("Project", "p")
        own.sign_in()
        place = {"by": "name", "dataset": "d", "project": "", "create": True}
        [first] = run([tiff("a", picture(0))], omero_host=own.address, place=place)
        [second] = run([tiff("b", picture(1))], omero_host=own.address, place=place)
        [third] = run([tiff("c", picture(2))], omero_host=own.address, place=place | {"project": "p"})
        ids = [int(row["dataset_id"]) for row in (first, second, third)]
        assert theirs < ids[0] == ids[1] < ids[2]
        assert own.rows("select l.parent.name, l.child.id from ProjectDatasetLink l") == [["p", ids[2]]]
        with pytest.raises(UserError, match="2 have this name"):
            run([tiff("e", picture(3))], omero_host=own.address, place=place)


@pytest.mark.parametrize("when", ["made", "uploaded", "imported"])
def test_a_dataset_that_is_deleted_meanwhile_is_named_and_nothing_stays(lab: Lab, run, tiff, monkeypatch, when):
    def delete() -> None:
        with open_session(lab.address) as session:
            session.delete({"Dataset": [row[0] for row in lab.rows("select d.id from Dataset d")]}, keep=["Image"])

    def imported(*args, **kwargs) -> list[int]:
        ids = omero_imports.import_fileset(*args, **kwargs)
        delete()
        return ids

    before = all_counts(lab)
    if when == "made":  # Looked for a third time, when it is there.
        fail_at(monkeypatch, containers, "_ids_of", 3, delete)
    elif when == "uploaded":
        fail_at(monkeypatch, omero_imports, "_upload", 1, delete)
    else:
        monkeypatch.setattr(image_import, "import_fileset", imported)
    with pytest.raises(UserError, match=r"dataset \d+: somebody has deleted it meanwhile, or moved it out"):
        run([tiff("a", picture(0))])
    assert all_counts(lab) == before


@pytest.mark.parametrize("call", ["_upload", "verifyUpload"])
def test_a_dataset_that_is_moved_to_another_group_meanwhile_gets_nothing(lab: Lab, run, tiff, monkeypatch, call):
    other = lab.root.getSession().getAdminService().lookupGroup(lab.stranger().group)
    lab.join(other.name.val)

    def move() -> None:
        with open_session(lab.address) as session:
            datasets = [row[0] for row in lab.rows("select d.id from Dataset d")]
            request = omero.cmd.Chgrp2(targetObjects={"Dataset": datasets}, groupId=other.id.val)
            assert not isinstance(wait_for(session.client.getSession().submit(request)), omero.cmd.ERR)

    before = all_counts(lab)
    # At `verifyUpload` OMERO reads the files.
    fail_at(monkeypatch, omero_imports if call == "_upload" else omero.grid.ImportProcessPrx, call, 1, move)
    with pytest.raises(UserError, match=rf"or moved it out of group '{lab.group}'\. Run the tool again"):
        run([tiff("a", picture(0))])
    assert all_counts(lab) == before


def test_without_checksums_files_are_known_by_name_and_size(lab: Lab, run, tmp_path: Path):
    def file(name: str, seed: int) -> dict[str, str]:
        path = tmp_path / f"{seed}.dat"
        tifffile.imwrite(path, picture(seed), metadata=None)
        return named(name, path) | {"ext": "tiff"}

    config = {"skip": ["checksum"], "existing": "skip"}
    rows = run([file("a.tif", 0), file("b.tif", 1)], **config)  # of the same size
    assert [(row["status"], row["sha1"]) for row in rows] == [("imported", "")] * 2
    stored = lab.rows("select o.hasher.value, o.hash from FilesetEntry e join e.originalFile o")
    size = (tmp_path / "0.dat").stat().st_size
    assert stored == [["File-Size-64", size.to_bytes(8, "little").hex()]] * 2
    again = run([file("b.tif", 1), file("c.tif", 1)], **config)
    assert [row["status"] for row in again] == ["skipped", "imported"]
    assert again[0]["image_id"] == rows[1]["image_id"]
    with pytest.raises(UserError, match=r"file 'a.tif': dataset 'new' has its content already"):
        run([file("a.tif", 0)], skip=["checksum"], existing="refuse")
    # What was imported with checksums is found by name and size, too.
    run([file("d.tif", 2)], existing="skip")
    [row] = run([file("d.tif", 2)], **config)
    assert row["status"] == "skipped"

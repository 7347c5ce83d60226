"""`omero import`, ezomero.ezimport and omero-cli-transfer with the import in pure Python where they call Java."""

import numpy as np
import pytest
import tifffile

pytest.importorskip("omero.clients")

import ezomero

from sandbox.omero.client_import import client_paths, import_files
from tests.omero.client_processes import clients_of


def write(folder, name="cells.ome.tif", seed=0):
    array = np.random.default_rng(seed).integers(0, 999, (2, 3, 20, 30), dtype=np.uint16)
    metadata = {"axes": "CZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(folder / name, array, metadata=metadata, photometric="minisblack")
    return folder / name


def planes(clients, image: int) -> np.ndarray:
    return ezomero.get_image(clients.gateway, image)[1]


def filesets_of(clients) -> list[list[str]]:
    """Client paths of this test's filesets."""
    prefix = str(clients.folder).lstrip("/")
    return clients.rows(f"select e.clientPath from FilesetEntry e where e.clientPath like '{prefix}%' order by e.id")


def test_import_into_a_dataset_with_all_options(clients):
    write(clients.folder)
    options = ["-T", "Dataset:name:new", "-n", "named", "-x", "described", "--annotation-ns", "ns"]
    said = clients.omero("import", *options, "--annotation-text", "words", "--skip", "all", "cells.ome.tif")
    kind, image = said.split(":")
    assert kind == "Image"
    query = (
        f"select d.name, i.name, i.description from Dataset d join d.imageLinks l join l.child i where i.id = {image}"
    )
    assert clients.rows(query) == [["new", "named", "described"]]
    query = f"select a.ns, a.textValue from ImageAnnotationLink l join l.child a where l.parent.id = {image}"
    assert clients.rows(query) == [["ns", "words"]]
    query = "select e.clientPath, o.hasher.value from Image i join i.fileset.usedFiles e join e.originalFile o"
    assert clients.rows(f"{query} where i.id = {image}") == [
        [f"{clients.folder}/cells.ome.tif".lstrip("/"), "File-Size-64"]
    ]
    ((fileset,),) = clients.rows(f"select i.fileset.id from Image i where i.id = {image}")
    assert "upload time of" in clients.omero("fs", "importtime", f"Fileset:{fileset}")


def test_a_folder_its_files_and_what_was_imported_before(clients):
    (clients.folder / "in" / "deep").mkdir(parents=True)
    write(clients.folder / "in", seed=3)
    write(clients.folder / "in" / "deep", "more.ome.tif", seed=4)
    (clients.folder / "in" / "notes.txt").write_text("no image")
    listed = clients.omero("import", "-f", "in")
    assert [line for line in listed.splitlines() if line[0] != "#"] == ["in/cells.ome.tif", "in/deep/more.ome.tif"]
    assert len(clients.omero("import", "in").splitlines()) == 2
    assert clients.omero("import", "--depth", "1", "--exclude=clientpath", "in") == ""
    said = clients.omero("import", "--exclude=filename", "--output", "yaml", "-n", "x", "in/deep", stderr=True)
    assert "imported before" in said
    (clients.folder / "in" / "deep" / "more.ome.tif").rename(clients.folder / "again.ome.tif")
    said = clients.omero("import", "again.ome.tif", stderr=True)
    assert "again.ome.tif: same content as Image:" in said
    assert "imported before" in clients.omero("import", "--exclude=content", "again.ome.tif", stderr=True)
    assert len(filesets_of(clients)) == 3


@pytest.mark.parametrize(
    "algorithm", ["SHA1-160", "MD5-128", "Murmur3-128", "Murmur3-32", "CRC-32", "Adler-32", "File-Size-64"]
)
def test_checksums(clients, algorithm):
    from sandbox.omero.client_import import ImportOptions, import_with_options, managed_repository
    from sandbox.omero.repository.checksums import checksum

    file, client = write(clients.folder, seed=5), clients.gateway.c
    done = import_with_options(client, [file], ImportOptions(algorithm=algorithm))
    query = "select o.id, o.hash, o.hasher.value from FilesetEntry e join e.originalFile o where e.fileset.id = "
    ((number, digest, hasher),) = clients.rows(f"{query}{done.fileset_id}")
    assert (digest, hasher) == (checksum(file, algorithm), algorithm)
    assert managed_repository(client).verifyChecksums([number]) == []


def test_what_cannot_be_imported_is_an_error(clients):
    (clients.folder / "broken.tif").write_bytes(b"II*\0 no more")
    assert "no such file" in clients.omero("import", "missing.tif", fails=True)
    assert "only upload" in clients.omero("import", "--transfer=ln_s", "broken.tif", fails=True)
    assert "not supported" in clients.omero("import", "--report", "broken.tif", fails=True)
    write(clients.folder, seed=6)
    said = clients.omero("import", "-c", "broken.tif", "cells.ome.tif", fails=True)
    assert "broken.tif" in said
    assert "Image:" in said
    assert len(filesets_of(clients)) == 1


def test_a_bulk_import(clients):
    for number in range(2):
        write(clients.folder, f"{number}.ome.tif", number)
    (clients.folder / "files.tsv").write_text("Dataset:name:bulk\t0.ome.tif\nDataset:name:bulk\t1.ome.tif\n")
    (clients.folder / "bulk.yml").write_text("path: files.tsv\ncolumns: [target, path]\n")
    clients.omero("import", "--bulk", "bulk.yml")
    assert clients.rows("select count(l.id) from DatasetImageLink l where l.parent.name = 'bulk'") == [[2]]


def test_ezimport(clients):
    write(clients.folder)
    said = clients.python("""
        print(ezomero.ezimport(conn, "cells.ome.tif", dataset="by ezomero", project="p", ann={"k": "v"}, ns="n"))
    """)
    image = int(said.rpartition("[")[2].strip("]"))
    query = "select d.name, p.name from ProjectDatasetLink k join k.parent p join k.child d join d.imageLinks l"
    assert clients.rows(f"{query} where l.child.id = {image}") == [["by ezomero", "p"]]
    assert ezomero.get_map_annotation_ids(clients.gateway, "Image", image, ns="n")


MAKE_PROJECT = """
    image = {image}
    project = ezomero.post_project(conn, "moving", "about")
    dataset = ezomero.post_dataset(conn, "ds", project_id=project)
    ezomero.link_images_to_dataset(conn, [image], dataset)
    pixels = np.arange(8 * 6 * 2 * 3, dtype=np.uint16).reshape(8, 6, 2, 3, 1)
    drawn = ezomero.post_image(conn, pixels, "no file", dataset_id=dataset)
    shapes = [ezomero.rois.Rectangle(1, 2, 3, 4, label="box"), ezomero.rois.Point(1, 1)]
    ezomero.post_roi(conn, image, shapes, name="roi")
    ezomero.post_map_annotation(conn, "Image", image, {{"gene": "abc"}}, ns="keys")
    ezomero.post_comment_annotation(conn, "Dataset", dataset, "seen")
    tag = omero.gateway.TagAnnotationWrapper(conn)
    tag.setValue("a tag")
    tag.save()
    conn.getObject("Project", project).linkAnnotation(tag)
    open("notes.txt", "w").write("words")
    ezomero.post_file_annotation(conn, "notes.txt", "files", "Image", image)
    print(project, dataset, drawn)
"""


def test_a_project_goes_to_another_user_and_other_forms_of_a_pack(client_lab, clients, tmp_path_factory):
    (imported,) = import_files(clients.gateway.c, [write(clients.folder, seed=7)])
    project, dataset, drawn = clients.python(MAKE_PROJECT.format(image=imported)).split()[-3:]
    clients.omero("transfer", "pack", f"Project:{project}", "pack.zip")
    other = clients_of(client_lab, client_lab.user(client_lab.group()), tmp_path_factory.mktemp("other"))
    other.omero("transfer", "unpack", str(clients.folder / "pack.zip"), "--output", "unpacked")
    query = "select i.name, i.id from Project p join p.datasetLinks k join k.child d join d.imageLinks l join l.child i"
    images = dict(other.rows(f"{query} where p.name = 'moving' and d.name = 'ds'"))
    assert sorted(images) == ["cells.ome.tif", "no file"]
    np.testing.assert_array_equal(planes(other, images["cells.ome.tif"]), planes(clients, imported))
    np.testing.assert_array_equal(planes(other, images["no file"]), planes(clients, int(drawn)))
    shapes = other.rows("select s.class, s.textValue from Roi r join r.shapes s")
    assert sorted(shapes, key=str) == [["ome.model.roi.Point", ""], ["ome.model.roi.Rectangle", "box"]]
    kinds = {row[0].rpartition(".")[2] for row in other.rows("select a.class from Annotation a")}
    assert {"MapAnnotation", "CommentAnnotation", "TagAnnotation", "FileAnnotation"} <= kinds

    clients.omero("transfer", "pack", "--barchive", f"Dataset:{dataset}", "archive.tar")
    clients.omero("transfer", "pack", "--simple", f"Dataset:{dataset}", "simple.tar")
    assert (clients.folder / "simple.tar").is_file()
    (plain,) = import_files(clients.gateway.c, [write(clients.folder, "plain.ome.tif", 8)])
    clients.omero("transfer", "pack", "--rocrate", f"Image:{plain}", "crate.zip")  # it cannot pack attached files
    clients.omero("transfer", "pack", f"Image:{imported}", "folder")
    assert (clients.folder / "folder" / "transfer.xml").is_file()
    clients.omero("transfer", "unpack", "--folder", "folder", "--metadata", "img_id")
    assert len(filesets_of(clients)) == 3


def test_paths_are_remembered_as_the_user_wrote_them(tmp_path, monkeypatch):
    (tmp_path / "a.zarr").mkdir()
    files = [tmp_path / "a.zarr" / ".zattrs", tmp_path / "a.zarr" / "0"]
    absolute = str(tmp_path).lstrip("/")
    assert client_paths(files) == [f"{absolute}/a.zarr/.zattrs", f"{absolute}/a.zarr/0"]
    given = f"{tmp_path}/./a.zarr"
    assert client_paths(files, given) == [f"{absolute}/./a.zarr/.zattrs", f"{absolute}/./a.zarr/0"]
    monkeypatch.chdir(tmp_path)
    assert client_paths(files, "a.zarr/") == client_paths(files)

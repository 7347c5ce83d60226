"""A search in archives that answer in the documented shapes, and in bad ones."""

import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import search_archives

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives.search import search as search_studies
from bioimage_suite.fair.archives.services import ARCHIVES
from tests.unit.fair.archive_server import ANSWERS, Reply, Request, Server, answer, dripping, serving
from tests.unit.fair.good_archives import GOOD, addresses


def search(server: Server, *keys: str, **config: object) -> tuple[list, list[list[str]]]:
    return search_studies({"sources": addresses(server, *keys), "seconds": 10, **config})


def test_all_archives_come_to_one_table() -> None:
    with serving(dict(GOOD)) as server:
        studies, notes = search(server, text="nuclei")
    assert [study.accession for study in studies] == [
        "S-TEST1",
        "S-TEST2",
        "SSBD-TEST3",
        "S-TEST4",
        "idr9901-test-nuclei/experimentA",
    ]
    first = studies[0]
    assert (first.organism, first.organism_id) == ("Homo sapiens", "NCBITaxon:9606")
    assert (first.method, first.method_id) == ("confocal microscopy", "FBbi:00000251")
    assert first.licence == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert (first.date, first.files, first.bytes) == ("2023-05-04", "12", "34567890")
    assert first.link == "https://archive.example.org/studies/S-TEST1"
    assert first.thumbnail == "https://archive.example.org/S-TEST1/thumb.png"
    assert [note[2] for note in notes] == ["answered"] * 4
    assert studies[4].link.startswith(server.address + "/webclient/?show=project-901")


def test_same_study_of_two_archives_is_one_row() -> None:
    with serving(dict(GOOD)) as server:
        studies, _ = search(server, "gide", "bia")
    assert [study.source for study in studies if study.accession == "S-TEST1"] == [
        "GIDE (BioImage Archive); BioImage Archive"
    ]


def test_the_question_reaches_each_archive_in_its_own_words() -> None:
    with serving(dict(GOOD)) as server:
        search(
            server,
            text="nuclei",
            organism="human",
            method="FBbi:00000251",
            year_from=2010,
            year_to=2024,
            licence="CC0",
        )
        gide = next(parse_qs(r.query) for r in server.asked("/gide/search") if "publisher" not in r.query)
        ssbd = next(parse_qs(r.query) for r in server.asked("/gide/search") if "publisher" in r.query)
        bia = parse_qs(server.asked("/bia/v1/search/fts")[0].query)
        idr = json.loads(server.asked("/idr/submitquery/containers/")[0].body)["query_details"]
    assert gide["organism"] == ["http://purl.obolibrary.org/obo/NCBITaxon_9606"]
    assert gide["imaging_method"] == ["http://purl.obolibrary.org/obo/FBbi_00000251"]
    assert gide["license"] == ["https://creativecommons.org/publicdomain/zero/1.0/"]
    assert (gide["year_from"], gide["year_to"], gide["q"]) == (["2010"], ["2024"], ["nuclei"])
    assert ssbd["publisher"] == ["SSBD:repository", "SSBD:database"]
    assert bia["facet.organism.eq"] == ["Homo sapiens"]
    assert bia["facet.licence.eq"] == ["https://creativecommons.org/publicdomain/zero/1.0/"]
    assert bia["facet.year.or"] == [str(year) for year in range(2010, 2025)]
    assert [(c["name"], c["value"]) for c in idr["and_filters"]] == [
        ("Organism", "Homo sapiens"),
        ("Imaging Method", "confocal microscopy"),
    ]
    assert {c["name"] for c in idr["or_filters"][0]} == {"Study Title", "Publication Title", "Description", "name"}


@pytest.mark.parametrize(
    ("years", "asked"),
    [
        ({"year_from": 2024, "year_to": 2024}, ["2024"]),
        ({"year_from": date.today().year - 1}, [str(date.today().year - 1), str(date.today().year)]),
        ({"year_to": 2024}, None),
        ({"year_from": 1, "year_to": 2024}, None),
    ],
)
def test_years_are_asked_one_by_one(years: dict[str, int], asked: list[str] | None) -> None:
    with serving(dict(GOOD)) as server:
        search(server, "bia", **years)
        assert parse_qs(server.asked("/bia/v1/search/fts")[0].query).get("facet.year.or") == asked


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({"organism": "Mus musculus"}, ["S-TEST2"]),
        ({"method": "confocal microscopy"}, ["S-TEST1"]),
        ({"licence": "CC BY 4.0"}, ["S-TEST2", "SSBD-TEST3"]),
        ({"year_from": 2022}, ["S-TEST1", "SSBD-TEST3"]),
        ({"year_to": 2021}, ["S-TEST2"]),
    ],
)
def test_what_an_archive_does_not_filter_is_filtered_here(config: dict[str, object], kept: list[str]) -> None:
    with serving(dict(GOOD)) as server:
        studies, notes = search(server, "gide", **config)
    assert [study.accession for study in studies] == kept
    assert f"{3 - len(kept)} more were found but do not fit" in notes[0][4]


def test_what_an_archive_does_not_say_is_marked() -> None:
    """BioStudies knows accession, title and date only: its rows stay, with what could not be checked."""
    with serving(dict(GOOD)) as server:
        config = {"sources": {"bia": server.address + "/biostudies"}, "organism": "human", "licence": "CC0"}
        studies, notes = search_studies(config)
    assert [(study.accession, study.unchecked) for study in studies] == [("S-TEST1", "organism; licence")]
    assert "column unchecked" in notes[0][4]


def _redirect(location: str) -> Reply:
    return Reply(status=302, headers={"Location": location})


BAD = {
    "error status": (Reply(b"out of order", status=503), "answers status 503"),
    "not json": (Reply(b"<html>maintenance</html>"), "not JSON"),
    "another shape": (Reply(b'{"hits": "many"}'), "no hits"),
    "a list": (Reply(b"[1, 2, 3]"), "no hits"),
    "hits of text": (Reply(b'{"hits": ["a", "b"], "total": 2}'), "no entry"),
    "json bomb": (Reply(b"[" * 1_100_000), "1,000,000 JSON objects and lists"),
    "deep json": (Reply(b'{"hits":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "nested too deep"),
    "oversized": (Reply(b'{"hits": "' + b"x" * (33 * 1024 * 1024) + b'"}'), "longer than"),
    "cut off": (Reply(b'{"hits": [', claimed=5000), "broke off"),
    "to a file": (_redirect("file:///etc/passwd"), "may be followed"),
    "to ftp": (_redirect("ftp://ftp.example.org/x"), "may be followed"),
    "for ever": (_redirect("/gide/search"), "more than 5 redirects"),
    "with user name": (_redirect("http://me:word@127.0.0.1:9/"), "may be followed"),
    "to metadata": (_redirect("http://169.254.169.254/latest/meta-data/"), "lies inside this network"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_archive_costs_only_its_own_answer(case: str) -> None:
    reply, said = BAD[case]
    with serving(GOOD | {"/gide/search": reply}) as server:
        studies, notes = search(server, "gide", "idr")
    assert [study.accession for study in studies] == ["idr9901-test-nuclei/experimentA"]
    assert notes[0][2] == "failed"
    assert said in notes[0][4]
    assert notes[1][2] == "answered"


def test_redirect_to_a_loopback_server_that_was_not_given_is_refused() -> None:
    with serving({"/gide/search": answer("gide_search.json")}) as neighbour:
        redirect = _redirect(neighbour.address + "/gide/search")
        with serving(GOOD | {"/gide/search": redirect}) as server:
            _, notes = search(server, "gide", "idr")
        assert "is not an address that was given" in notes[0][4]
        assert neighbour.requests == []


def test_redirect_within_the_given_addresses_is_followed() -> None:
    with serving(GOOD | {"/old/search": _redirect("/gide/search")}) as server:
        studies, _ = search_studies({"sources": {"gide": server.address + "/old"}})
    assert len(studies) == 3


@pytest.mark.parametrize("late", [dripping(b"{}", 3), Reply(b'{"hits": []}', silence=3)], ids=["silent", "slow body"])
def test_a_slow_archive_is_given_up(late: Reply | Callable[[Request], Reply]) -> None:
    with serving(GOOD | {"/gide/search": late}) as server:
        studies, notes = search(server, "gide", "idr", seconds=0.7)
    assert len(studies) == 1
    assert notes[0][2] == "failed"
    assert "in time" in notes[0][4] or "within 0.7 s" in notes[0][4]


def test_an_archive_that_is_down(free_port: int) -> None:
    with serving(dict(GOOD)) as server:
        sources = {"gide": f"http://127.0.0.1:{free_port}", **addresses(server, "idr")}
        studies, notes = search_studies({"sources": sources})
    assert len(studies) == 1
    assert "cannot be reached" in notes[0][4]


def test_errors_of_idr_are_told() -> None:
    reply = Reply(b'{"Error": "No query is provided"}')
    with serving(GOOD | {"/idr/submitquery/containers/": reply}) as server:
        _, notes = search(server, "gide", "idr")
    assert "No query is provided" in notes[1][4]


def test_no_archive_answers(free_port: int) -> None:
    with pytest.raises(UserError, match=r"none of them answered\. GIDE: server"):
        search_studies({"sources": {"gide": f"http://127.0.0.1:{free_port}"}})


def test_pages_are_asked_for_until_there_are_enough() -> None:
    entry = json.loads((ANSWERS / "gide_search.json").read_text())["hits"][0]["entry"]

    def page(request: Request) -> Reply:
        asked = parse_qs(request.query)
        offset, size = int(asked["offset"][0]), int(asked["size"][0])
        hits = [{"entry": entry | {"identifier": f"S-{number}"}} for number in range(offset, min(offset + size, 230))]
        return Reply(json.dumps({"total": 230, "hits": hits, "facets": None}).encode())

    with serving({"/gide/search": page}) as server:
        all_studies, _ = search(server, "gide", limit=1000)
        some, _ = search(server, "gide", limit=150)
    assert [study.accession for study in all_studies] == [f"S-{number}" for number in range(230)]
    assert len(some) == 150
    assert len(server.requests) == 5


def test_crates_on_disk_as_folder_zip_and_files(tmp_path: Path) -> None:
    folder = ANSWERS / "crates"
    files = sorted(folder.rglob("*.json"))
    with zipfile.ZipFile(tmp_path / "crates.zip", "w") as archive:
        for file in files:
            archive.write(file, str(file.relative_to(folder)))
    wanted = [
        [(folder, "crates")],
        [(tmp_path / "crates.zip", "crates.zip")],
        [(file, file.name) for file in files],
    ]
    tables = [search_studies({"crates": crates, "text": "mitosis"})[0] for crates in wanted]
    assert tables[0] == tables[1] == tables[2]
    # A word in the title weighs more than one in the description.
    assert [study.accession for study in tables[0]] == ["S-TEST5", "S-TEST6"]
    assert (tables[0][0].organism_id, tables[0][0].method_id) == ("NCBITaxon:9606", "FBbi:00000251")
    assert tables[0][0].files == "7"
    assert tables[0][0].source == "Example Archive"


def test_filters_of_crates() -> None:
    crates = [(ANSWERS / "crates", "crates")]
    studies, _ = search_studies({"crates": crates, "text": "nuclei MITOSIS", "organism": "mouse"})
    assert [study.accession for study in studies] == ["S-TEST6"]
    studies, _ = search_studies({"crates": crates, "text": "zebrafish"})
    assert studies == []


def test_a_zip_bomb_and_a_json_bomb_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("ro-crate-metadata.json", "w", force_zip64=True) as member,
    ):
        for _ in range(5):
            member.write(bytes(8 * 1024 * 1024))
    with pytest.raises(UserError, match=r"bomb\.zip"):
        search_studies({"crates": [(bomb, "bomb.zip")]})
    nested = tmp_path / "nested.json"
    nested.write_bytes(b"[" * 1_100_000)
    with pytest.raises(UserError, match="JSON objects and lists"):
        search_studies({"crates": [(nested, "nested.json")]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "no @graph"),
        ('{"@graph": []}', "no descriptor"),
        ('{"@graph": [{"@id": "ro-crate-metadata.json", "about": {"@id": "x"}}, "text", 5]}', "no descriptor"),
    ],
)
def test_what_is_no_crate(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "crate.json"
    file.write_text(content)
    with pytest.raises(UserError, match=said):
        search_studies({"crates": [(file, "crate.json")]})


def test_a_broken_crate_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "crates"
    shutil.copytree(ANSWERS / "crates", folder)
    (folder / "broken-ro-crate-metadata.json").write_text("{")
    (tmp_path / "empty.zip").write_bytes(b"PK\x03\x04")
    crates = [(tmp_path / "empty.zip", "=empty.zip"), (folder, "crates")]
    studies, notes = search_studies({"crates": crates, "text": "mitosis"})
    assert [study.accession for study in studies] == ["S-TEST5", "S-TEST6"]
    assert [note[:4] for note in notes] == [
        ["crates", "", "answered", "2"],
        ["=empty.zip", "", "failed", "0"],
        ["broken-ro-crate-metadata.json", "", "failed", "0"],
    ]
    assert "not a readable zip" in notes[1][4]
    assert "line 1, column 2: not JSON" in notes[2][4]


def test_names_in_the_notes_are_no_formulas(tmp_path: Path) -> None:
    (tmp_path / "empty.zip").write_bytes(b"PK\x03\x04")
    crates = [
        (tmp_path / "empty.zip", "=1+1"),
        (ANSWERS / "crates", "crates"),
    ]
    config, listed, studies, notes = (tmp_path / name for name in ("c.json", "l.json", "s.tsv", "n.tsv"))
    config.write_text("{}")
    listed.write_text(json.dumps([{"path": str(path), "name": name} for path, name in crates]))
    arguments = ["--config", config, "--crates", listed, "--studies", studies, "--notes", notes]
    search_archives.main([str(argument) for argument in arguments])
    assert notes.read_text().splitlines()[2].startswith("'=1+1\t")


def test_links_out_of_a_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "ro-crate-metadata.json").symlink_to(ANSWERS / "crates" / "sub" / "ro-crate-metadata.json")
    with pytest.raises(UserError, match=r"no file named ro-crate-metadata\.json"):
        search_studies({"crates": [(tmp_path, "crates")]})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "archives: none is chosen"),
        ({"organism": "Homo sapien"}, r"Did you mean Homo sapiens \(NCBITaxon:9606\)"),
        ({"method": "confocal microscop"}, r"Did you mean confocal microscopy \(FBbi:00000251\)"),
        ({"year_from": 2020, "year_to": 2010}, "years 2020 to 2010"),
        ({"limit": 5000, "sources": {"gide": ""}}, "number of studies 5000"),
        ({"sources": {"gide": "file:///etc"}}, "address of GIDE"),
        ({"sources": {"gide": "https://me:word@example.org"}}, "address of GIDE"),
        ({"sources": {"idr": "idr.example.org"}}, "address of IDR"),
    ],
)
def test_bad_questions(config: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        search_studies(config)


def test_usual_addresses_are_encrypted() -> None:
    assert all(source.address.startswith("https://") for source in ARCHIVES.values())

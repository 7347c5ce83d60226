"""Licences, advisories and hashes of the pinned packages."""

import hashlib
import json
import re

import pytest

from scripts import supply
from tests.unit.fair.archive_server import Reply, serving

PINS = {"numpy": {"2.3.5"}, "zarr": {"3.1.6"}}
REPORT = {
    "install": [
        {
            "metadata": {"name": "Zarr_Thing", "version": "1.0"},
            "download_info": {
                "url": "https://index.example.org/simple/zarr_thing-1.0.whl",
                "archive_info": {"hashes": {"sha256": "ab" * 32}},
            },
        }
    ]
}


def test_each_pin_is_asked_for_and_what_is_known_is_said():
    answer = {"results": [{}, {"vulns": [{"id": "B"}, {"id": "A"}]}]}
    with serving({"/v1/querybatch": Reply(json.dumps(answer).encode())}) as server:
        assert supply.advisories(PINS, server.address) == {"zarr==3.1.6": ["A", "B"]}
        asked = json.loads(server.requests[0].body)
    assert asked["queries"] == [
        {"package": {"name": "numpy", "ecosystem": "PyPI"}, "version": "2.3.5"},
        {"package": {"name": "zarr", "ecosystem": "PyPI"}, "version": "3.1.6"},
    ]


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"results": []}', b"<html>", b"[]"])
def test_an_answer_of_something_else_counts_as_not_asked(answer, capsys):
    with serving({"/v1/querybatch": Reply(answer)}) as server:
        code = supply.main(["advisories", "oracle", "--database", server.address])
    assert code == supply.NOT_ASKED
    assert "was not asked" in capsys.readouterr().err


def test_without_a_network_it_says_so(free_port, capsys):
    assert supply.main(["advisories", "oracle", "--database", f"http://127.0.0.1:{free_port}"]) == supply.NOT_ASKED
    assert "Run this where there is a network" in capsys.readouterr().err
    assert supply.main(["advisories", "oracle", "--database", "http://example.org"]) == supply.NOT_ASKED


def test_what_is_installed_has_its_licence():
    found = {package: licence for _, package, _, licence in supply.licences(["tools"])}
    assert found["numpy"].startswith("BSD")
    assert found["tifffile"] == "BSD-3-Clause"
    assert len(found) > 100


def test_hashes_keep_no_address_and_unknown_files_are_named(tmp_path, monkeypatch, capsys):
    assert supply.recorded_hashes(REPORT) == [f"zarr-thing==1.0 sha256:{'ab' * 32}"]
    monkeypatch.setattr(supply, "HASHES", tmp_path)
    (tmp_path / "known.whl").write_bytes(b"known")
    (tmp_path / "other.whl").write_bytes(b"other")
    (tmp_path / "tools.txt").write_text(f"a==1 sha256:{hashlib.sha256(b'known').hexdigest()}\n")
    assert supply.main(["check", str(tmp_path / "known.whl")]) == 0
    assert supply.main(["check", str(tmp_path / "known.whl"), str(tmp_path / "other.whl")]) == 1
    assert "other.whl: its hash stands in no list" in capsys.readouterr().out


def test_images_of_services_get_their_digest():
    text = "services:\n  a:\n    image: some/server:5.6.18\n    ports: []\n  b:\n    image: postgres:16\n"
    digests = {"some/server:5.6.18": "sha256:" + "1" * 64, "postgres:16": "sha256:" + "2" * 64}
    pinned = supply.pin_images(text, digests.__getitem__)
    assert f"    image: some/server@sha256:{'1' * 64} # 5.6.18\n    ports: []" in pinned
    assert f"    image: postgres@sha256:{'2' * 64} # 16\n" in pinned
    assert supply.pin_images(pinned, digests.__getitem__) == pinned
    workflow = (supply.ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert len(supply.IMAGE.findall(workflow)) + workflow.count("@sha256:") == 2


def test_each_list_of_pins_has_its_hashes():
    assert {file.stem for file in supply.HASHES.glob("*.txt")} == set(supply.environments())


@pytest.mark.parametrize("file", sorted(supply.HASHES.glob("*.txt")), ids=lambda file: file.stem)
def test_recorded_hashes_are_of_the_pinned_versions_and_name_no_address(file):
    pinned = supply.pinned([file.stem])
    for line in file.read_text().splitlines():
        package, version = re.fullmatch(r"([a-z0-9-]+)==(\S+) sha256:[0-9a-f]{64}", line).groups()
        assert version in pinned.get(package, {version}), f"run: python -m scripts.supply hashes {file.stem}"

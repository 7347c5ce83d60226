"""ISA RO-Crate: its rules refuse, its advice warns, and both look only at what belongs to an investigation."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.crates.validation import guess_profile
from tests.unit.fair.made_crates import entity, errors

ISA = "https://github.com/nfdi4plants/isa-ro-crate-profile"
TERMS = {
    **{name: f"https://bioschemas.org/{name}" for name in ("LabProcess", "LabProtocol", "Sample")},
    **{
        name: f"https://bioschemas.org/properties/{name}"
        for name in ("executesLabProtocol", "parameterValue", "intendedUse", "additionalProperty")
    },
}
DAY = "2026-11-30"


def ref(*identifiers: str) -> Any:
    found = [{"@id": identifier} for identifier in identifiers]
    return found[0] if len(found) == 1 else found


def good() -> dict[str, Any]:
    """An investigation with a study, an assay and all that the profile speaks of."""
    dataset = {"@type": "Dataset", "description": "d", "creator": ref("#jane"), "about": ref("#process")}
    dates = {"dateCreated": DAY, "datePublished": DAY}
    study = {"identifier": "s", "name": "s", "hasPart": ref("assays/a/"), "comment": ref("#remark"), **dates}
    methods = dict.fromkeys(("measurementMethod", "measurementTechnique"), ref("#term"))
    assay = {"identifier": "a", "name": "a", "hasPart": ref("assays/a/x.tif"), **methods}
    process = {"object": ref("#sample"), "result": ref("assays/a/x.tif"), "executesLabProtocol": ref("#protocol")}
    person = {"givenName": "Jane", "familyName": "Doe", "email": "jane@example.org", "jobTitle": ref("#term")}
    graph: list[dict[str, Any]] = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": ref("./")},
        {"@id": "./", "@type": "Dataset", "additionalType": "Investigation", "identifier": "i", **dates},
        {"@id": ISA, "@type": ["CreativeWork", "Profile"], "name": "ISA RO-Crate"},
        {"@id": "studies/s/", "additionalType": "Study", **dataset, **study},
        {"@id": "assays/a/", "additionalType": "Assay", **dataset, **assay},
        {"@id": "assays/a/x.tif", "@type": "File", "name": "x.tif"},
        {"@id": "#process", "@type": "LabProcess", "name": "p", "parameterValue": ref("#value"), **process},
        {"@id": "#protocol", "@type": "LabProtocol", "name": "p", "description": "d", "intendedUse": ref("#term")},
        {"@id": "#sample", "@type": "Sample", "name": "s", "additionalProperty": ref("#value")},
        {"@id": "#value", "@type": "PropertyValue", "name": "exposure", "value": 7.5},
        {"@id": "#term", "@type": "DefinedTerm", "name": "imaging", "termCode": "T:1"},
        {"@id": "#jane", "@type": "Person", "identifier": "0000-0001", "affiliation": ref("#u"), **person},
        {"@id": "#u", "@type": "Organization", "name": "University of Nowhere"},
        {"@id": "https://doi.org/10.1/x", "@type": "ScholarlyArticle", "headline": "h", "identifier": "10.1/x"},
        {"@id": "#remark", "@type": "Comment", "name": "n", "text": "t"},
    ]
    document = {"@context": ["https://w3id.org/ro/crate/1.2/context", TERMS], "@graph": graph}
    entity(document, "ro-crate-metadata.json")["conformsTo"] = ref("https://w3id.org/ro/crate/1.2")
    entity(document, "https://doi.org/10.1/x")["author"] = ref("#jane")
    links = {"hasPart": ref("studies/s/", "assays/a/"), "citation": ref("https://doi.org/10.1/x"), "license": "CC0"}
    said = {"name": "i", "description": "d", "creator": ref("#jane"), "conformsTo": ref(ISA)}
    entity(document, "./").update(**links, **said)
    return document


def test_a_crate_that_follows_the_profile_has_no_finding():
    assert check_document(good(), "c", "base") == []
    assert guess_profile(good()) == "isa"


def change(identifier: str, /, **said: Any) -> Callable[[dict[str, Any]], None]:
    """A change of an entity; None takes the property away."""

    def changed(document: dict[str, Any]) -> None:
        found = entity(document, identifier)
        for key, value in said.items():
            found.pop(key, None) if value is None else found.update({key: value})

    return changed


ARTICLE = "https://doi.org/10.1/x"
BROKEN = [
    (change("./", additionalType="Study"), "Investigation as additionalType of the root"),
    (change("./", identifier=None), "an identifier of the investigation, a text"),
    (change("./", identifier=""), "an identifier of the investigation, a text"),
    (change("./", creator=ref("#u")), "a Person as each creator"),
    (change("./", dateCreated="yesterday"), "dateCreated as a date in ISO 8601"),
    (change("./", hasPart=ref("assays/a/")), "the study in hasPart of the root"),
    (change("studies/s/", identifier=None), "an identifier of the study, a text"),
    (change("studies/s/", identifier=["s", "t"]), "an identifier of the study, a text"),
    (change("studies/s/", name=None), "a name of the study, a text"),
    (change("studies/s/", datePublished="soon"), "datePublished as a date in ISO 8601"),
    (change("studies/s/", description=42), "a text as description"),
    (change("studies/s/", hasPart=ref("#term", "assays/a/")), "a File or Dataset as each part"),
    (change("studies/s/", about=ref("#protocol")), "a LabProcess as about"),
    (change("assays/a/", identifier=42), "an identifier of the assay, a text"),
    (change("assays/a/", name=42), "a text as name of the assay"),
    (change("assays/a/", measurementMethod=ref("#u")), "a text or a DefinedTerm as measurementMethod"),
    (change("assays/a/", measurementTechnique=7), "a text or a DefinedTerm as measurementTechnique"),
    (change("#process", name=None), "a name of the process, a text"),
    (change("#process", object=ref("#u")), "a File, Sample or BioSample as object"),
    (change("#process", result=ref("#u")), "a File, Sample or BioSample as result"),
    (change("#process", executesLabProtocol=ref("#u")), "a LabProtocol as executesLabProtocol"),
    (change("#process", parameterValue=ref("#u")), "a PropertyValue as parameterValue"),
    (change("#protocol", name=42), "a text as name of the protocol"),
    (change("#protocol", description=42), "a text as description of the protocol"),
    (change("#protocol", intendedUse=ref("#u")), "a text or a DefinedTerm as intendedUse"),
    (change("#sample", name=None), "a name of the sample, a text"),
    (change("#sample", additionalProperty=ref("#u")), "a PropertyValue as additionalProperty"),
    (change("assays/a/x.tif", name=None), "a name of the file, a text"),
    (change("#jane", givenName=None), "a givenName, a text"),
    (change("#jane", familyName=42), "a text as familyName"),
    (change("#jane", email=42), "a text as email"),
    (change("#jane", identifier=ref("#u")), "a text or a PropertyValue as identifier of the person"),
    (change("#jane", affiliation="nowhere"), "an Organization as affiliation"),
    (change("#jane", jobTitle="professor"), "a DefinedTerm as jobTitle"),
    (change(ARTICLE, headline=None), "a headline of the publication, a text"),
    (change(ARTICLE, identifier=None), "one identifier of the publication, a text or a PropertyValue"),
    (change(ARTICLE, author=ref("#u")), "a Person as each author"),
    (change("#remark", name=42), "a text as name of the comment"),
    (change("#remark", text=42), "a text as text of the comment"),
    (change("#term", name=None), "a name of the term, a text"),
    (change("#term", termCode=42), "a text as termCode"),
    (change("#value", name=None), "a name of the value, a text"),
    (change("#value", value=True), "a text or a number as value"),
]
ADVICE = [
    (change("./", creator=None), "a creator"),
    (change("studies/s/", dateCreated=None), "a dateCreated"),
    (change("studies/s/", datePublished=None), "a datePublished of the study"),
    (change("assays/a/", description=None), "a description"),
    (change("assays/a/", about=None), "its LabProcesses as about"),
    (change("assays/a/", name=None), "a name of the assay"),
    (change("assays/a/", measurementMethod=None), "a measurementMethod of the assay"),
    (change("assays/a/", measurementTechnique=None), "a measurementTechnique of the assay"),
    (change("#process", object=None), "what the process used as object"),
    (change("#process", result=None), "what the process made as result"),
    (change("#process", executesLabProtocol=None), "its protocol as executesLabProtocol"),
    (change("#process", parameterValue=None), "a parameterValue of the process"),
    (change("#protocol", name=None), "a name of the protocol"),
    (change("#protocol", description=""), "a description of the protocol"),
    (change("#protocol", intendedUse=None), "an intendedUse of the protocol"),
    (change("#sample", additionalProperty=None), "a characteristic or factor as additionalProperty"),
    (change("#jane", familyName=None), "a familyName"),
    (change("#jane", email=None), "an email"),
    (change("#jane", identifier=None), "an identifier of the person, as an ORCID"),
    (change("#jane", affiliation=None), "an affiliation"),
    (change("#jane", jobTitle=None), "a jobTitle"),
    (change(ARTICLE, author=None), "an author of the publication"),
    (change("#remark", name=None), "a name of the comment"),
    (change("#remark", text=None), "a text of the comment"),
    (change("#term", termCode=None), "a termCode"),
    (change("#value", value=None), "a value"),
]
CASES = [
    *((break_it, "error", expected) for break_it, expected in BROKEN),
    *((break_it, "warning", expected) for break_it, expected in ADVICE),
]


@pytest.mark.parametrize(
    ("break_it", "level", "expected"), CASES, ids=[f"{n} {said[:40]}" for n, (_, _, said) in enumerate(CASES)]
)
def test_each_rule_finds_its_mutant(break_it: Callable[[dict[str, Any]], None], level: str, expected: str):
    document = good()
    break_it(document)
    assert (level, expected) in {(one.level, one.expected) for one in check_document(document, "c", "base")}


def test_an_assay_and_its_files_belong_to_a_study():
    document = good()
    entity(document, "studies/s/")["hasPart"] = entity(document, "./")["hasPart"] = ref("studies/s/")
    expected = {one.expected for one in errors(check_document(document, "c", "base"))}
    assert "the assay in hasPart of the root or of a study" in expected


def test_what_nothing_of_the_investigation_names_is_not_looked_at():
    document = good()
    lone = {"#other": "Person", "#note": "Comment", "#word": "DefinedTerm", "#number": "PropertyValue"}
    document["@graph"] += [{"@id": name, "@type": kind} for name, kind in lone.items()]
    assert check_document(document, "c", "base") == []


@pytest.mark.parametrize("address", ["http://schema.org/", "https://bioschemas.org/types/"])
def test_other_addresses_of_the_same_types_count(address: str):
    document = good()
    document["@context"][1] = {**TERMS, **{name: f"{address}{name}" for name in ("LabProcess", "LabProtocol")}}
    assert check_document(document, "c", "base") == []
    entity(document, "#process").pop("name")
    assert [one.expected for one in errors(check_document(document, "c", "base"))] == ["a name of the process, a text"]


def test_advice_of_many_entities_is_folded():
    document = good()
    samples = [deepcopy(entity(document, "#sample")) | {"@id": f"#sample{number:02}"} for number in range(20)]
    for sample in samples:
        del sample["additionalProperty"]
    document["@graph"] += samples
    entity(document, "#process")["object"] = ref(*(sample["@id"] for sample in samples))
    found = check_document(document, "c", "base")
    assert [(one.level, one.column.partition(" ")[0]) for one in found] == [
        ("warning", f"#sample{number:02}") for number in range(6)
    ]
    assert found[-1].suggestion == "and 14 more entities"

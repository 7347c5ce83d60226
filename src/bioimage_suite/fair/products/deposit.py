"""The records of a deposition beside its crate: Zenodo's JSON and the DataCite record."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html import escaped, paragraph
from bioimage_suite.fair.products.study import Author, Study, grant_parts
from bioimage_suite.fair.terms.licences import licence_at
from bioimage_suite.fair.terms.ontology_terms import iri

ACCESS = ("open", "embargoed", "restricted", "closed")
# Access rights of COAR (Confederation of Open Access Repositories), as OpenAIRE writes them into DataCite's rights.
_COAR = {
    "open": ("open access", "http://purl.org/coar/access_right/c_abf2"),
    "embargoed": ("embargoed access", "http://purl.org/coar/access_right/c_f1cf"),
    "restricted": ("restricted access", "http://purl.org/coar/access_right/c_16ec"),
    "closed": ("metadata only access", "http://purl.org/coar/access_right/c_14cb"),
}
# A grant as Zenodo names it: the funder's DOI in Crossref's registry, `::`, the number.
_ZENODO_GRANT = re.compile(r"(10\.13039/\d+)::(\S+)")


@dataclass(frozen=True)
class Access:
    """Who may read the files of a deposition.

    Attributes:
        right: One of `ACCESS`.
        embargo_until: Date from which on embargoed files are open, else empty.
        conditions: Under which conditions restricted files are given out, else empty.
    """

    right: str = "open"
    embargo_until: str = ""
    conditions: str = ""


OPEN = Access()


def read_access(right: str, embargo_until: str, conditions: str) -> Access:
    """Check the access that a user chose.

    Raises:
        UserError: An embargo without a date, a restriction without conditions, or either where it has no meaning.
    """
    if right == "embargoed":
        try:
            # Python takes "20270630" and "2027-W26-3" too; repositories do not.
            embargo_until = date.fromisoformat(embargo_until.strip()).isoformat()
        except ValueError as error:
            message = f"embargo date {embargo_until or '(none)'}: is no date. Give the day when files become open"
            raise UserError(f"{message}, as 2027-06-30.") from error
    elif embargo_until:
        raise UserError(f"embargo date {embargo_until}: access is {right}. Choose embargoed access, or give no date.")
    if (right == "restricted") != bool(conditions.strip()):
        remedy = "Say under which conditions files are given out; only restricted access has some."
        raise UserError(f"access conditions {conditions.strip() or '(none)'}: access is {right}. {remedy}")
    return Access(right, embargo_until, conditions.strip())


def embargo_remark(access: Access, today: date) -> str:
    """Return what to tell of an embargo that has ended, else empty text: repositories want a day to come."""
    if not access.embargo_until or date.fromisoformat(access.embargo_until) > today:
        return ""
    return f"The embargo until {access.embargo_until} has ended: Zenodo takes a day to come only. Choose open access."


def zenodo_json(study: Study, access: Access = OPEN) -> dict[str, Any]:
    """Return Zenodo's deposit metadata (`.zenodo.json`, its schema `legacyrecord.json`).

    Zenodo takes only grants that it knows, by the funder's DOI and the number: `10.13039/501100000780::283595`. Other
    grants and the funding statement stand in the notes. Description, notes and conditions are HTML, so their texts
    are escaped.
    """
    texts = study.texts
    known = [match[0] for match in map(_ZENODO_GRANT.fullmatch, study.grants) if match]
    funding = [*(grant for grant in study.grants if grant not in known), texts["funding"]]
    notes = [texts["acknowledgements"], f"Funding: {'; '.join(filter(None, funding))}" if any(funding) else ""]
    record = {
        "upload_type": "dataset",
        "title": texts["title"],
        "creators": [_zenodo_creator(author) for author in study.authors],
        "description": paragraph(texts["description"]).html,
        "access_right": access.right,
        "license": licence_at(study.license_id).zenodo if access.right in {"open", "embargoed"} else "",
        "embargo_date": access.embargo_until,
        "access_conditions": escaped(access.conditions),
        "publication_date": texts["release_date"],
        "keywords": list(study.keywords),
        "grants": [{"id": grant} for grant in known],
        "related_identifiers": _zenodo_related(study),
        "notes": " ".join(escaped(note) for note in notes if note),
    }
    return {key: value for key, value in record.items() if value}


def _zenodo_creator(author: Author) -> dict[str, str]:
    creator = {"name": author.name, "affiliation": author.affiliation, "orcid": author.orcid.rpartition("/")[2]}
    return {key: value for key, value in creator.items() if value}


def _zenodo_related(study: Study) -> list[dict[str, str]]:
    doi, page = study.texts["publication_doi"], study.texts["landing_page"]
    related = []
    if doi:
        related.append({"identifier": doi, "relation": "isSupplementTo", "resource_type": "publication"})
    if page:
        related.append({"identifier": page, "relation": "isDescribedBy", "resource_type": "dataset"})
    return related


def datacite_record(study: Study, access: Access = OPEN) -> dict[str, Any]:
    """Return the record of the DataCite Metadata Schema 4.6, in DataCite's JSON.

    Its DOI is given by the repository. Organisms and imaging methods are subjects with their ontology.
    Source: https://schema.datacite.org/meta/kernel-4.6/
    """
    texts = study.texts
    released = texts["release_date"]
    published = access.embargo_until or released
    dates = [("Issued", released), ("Available", published if access.right in {"open", "embargoed"} else "")]
    descriptions = [
        ("Abstract", texts["description"]),
        ("Methods", "\n".join(dict.fromkeys(one.parameters for one in study.acquisitions() if one.parameters))),
        ("Other", texts["acknowledgements"]),
    ]
    record = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Bioimaging dataset"},
        "creators": [_datacite_creator(author) for author in study.authors],
        "titles": [{"title": texts["title"]}],
        "publisher": {"name": texts["publisher"] or "Zenodo"},
        "publicationYear": released[:4],
        "subjects": _subjects(study),
        "dates": [{"date": day, "dateType": kind} for kind, day in dates if day],
        "relatedIdentifiers": _datacite_related(study),
        "rightsList": _rights(study, access),
        "descriptions": [{"description": text, "descriptionType": kind} for kind, text in descriptions if text],
        "fundingReferences": _funding(study),
    }
    return {key: value for key, value in record.items() if value}


def _datacite_creator(author: Author) -> dict[str, Any]:
    family, _, given = (part.strip() for part in author.name.partition(","))
    creator: dict[str, Any] = {"name": author.name, "nameType": "Personal", "givenName": given, "familyName": family}
    if not given:  # A name without a comma may be that of a consortium.
        creator = {"name": author.name}
    if author.orcid:
        identifier = {"nameIdentifier": author.orcid, "nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}
        creator["nameIdentifiers"] = [identifier]
    if author.affiliation:
        affiliation = {"name": author.affiliation}
        if author.ror:
            scheme = {"affiliationIdentifierScheme": "ROR", "schemeUri": "https://ror.org"}
            affiliation |= {"affiliationIdentifier": author.ror, **scheme}
        creator["affiliation"] = [affiliation]
    return creator


def _subjects(study: Study) -> list[dict[str, str]]:
    schemes = (
        (study.organisms(), "NCBI Taxonomy", "https://www.ncbi.nlm.nih.gov/taxonomy"),
        (study.methods(), "Biological Imaging Methods Ontology (FBbi)", "http://purl.obolibrary.org/obo/fbbi.owl"),
    )
    terms = [
        {"subject": term.label, "subjectScheme": scheme, "schemeUri": address, "valueUri": iri(term.id)}
        if term.id
        else {"subject": term.label}
        for found, scheme, address in schemes
        for term in found
    ]
    return [*({"subject": keyword} for keyword in study.keywords), *terms]


def _datacite_related(study: Study) -> list[dict[str, str]]:
    doi, page = study.texts["publication_doi"], study.texts["landing_page"]
    article = {
        "relatedIdentifierType": "DOI",
        "relationType": "IsSupplementTo",
        "resourceTypeGeneral": "JournalArticle",
    }
    related = [{"relatedIdentifier": doi, **article}] if doi else []
    if page:
        related.append({"relatedIdentifier": page, "relatedIdentifierType": "URL", "relationType": "IsDescribedBy"})
    return related


def _rights(study: Study, access: Access) -> list[dict[str, str]]:
    right, address = _COAR[access.right]
    rights = {"rights": ": ".join(filter(None, (right, access.conditions))), "rightsUri": address}
    licence = licence_at(study.license_id)
    if access.right not in {"open", "embargoed"} or not licence.address:
        return [rights]
    named = {"rights": licence.name, "rightsUri": licence.address}
    # Zenodo's names of licences are SPDX's in lower case, as DataCite writes them, but for CC0.
    identifier = "cc0-1.0" if licence.zenodo == "cc-zero" else licence.zenodo
    if "/" not in identifier:
        scheme = {"rightsIdentifierScheme": "SPDX", "schemeUri": "https://spdx.org/licenses/"}
        named |= {"rightsIdentifier": identifier, **scheme}
    return [named, rights]


def _funding(study: Study) -> list[dict[str, str]]:
    """Return the grants; DataCite asks for a funder's name, so without one the grant itself is named."""
    references = []
    for grant in study.grants:
        known = _ZENODO_GRANT.fullmatch(grant)
        if known:
            funder = {"funderIdentifier": f"https://doi.org/{known[1]}", "funderIdentifierType": "Crossref Funder ID"}
            references.append({"funderName": known[1], **funder, "awardNumber": known[2]})
            continue
        identifier, name = grant_parts(grant)
        references.append({"funderName": name, "awardNumber": identifier} if name else {"funderName": identifier})
    if not references and study.texts["funding"]:
        references.append({"funderName": study.texts["funding"]})
    return references

"""Validate crates with roc-validator as well, if it is installed, offline.

Offline and without the context in its cache, roc-validator 0.13 reads no terms, checks nothing and answers "valid". So
its cache is filled with the contexts that ship with this tool, and its answer counts only if a canary (a crate with
the same context and root, but no licence) fails.
"""

import atexit
import io
import json
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bioimage_suite.core.apart import ApartError, run_apart
from bioimage_suite.fair.crates.base_rules import crate_version, is_old
from bioimage_suite.fair.crates.named_profiles import named_addresses
from bioimage_suite.fair.crates.terms import (
    GIDE_CONTEXT,
    GIDE_TERMS,
    RO_CRATE,
    context,
    further_terms,
    ro_crate_terms,
    ro_crate_version,
    safe_context,
    without_contexts,
)
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, by_id
from bioimage_suite.tables.sheets import Finding

# roc-validator's profile by RO-Crate version; it has no shapes for the GIDE and BIA profiles.
_PROFILES = {version: f"ro-crate-{version}" for version in ("1.1", "1.2", "1.3")}


def installed() -> bool:
    """Return whether roc-validator is there; only the child process that runs it finds out whether it can be loaded."""
    return find_spec("rocrate_validator") is not None


def roc_findings(document: dict[str, Any], root: str, name: str) -> tuple[list[Finding], frozenset[str]]:
    """Validate the metadata with roc-validator at REQUIRED level: its base profile, and those that the crate names.

    Args:
        document: JSON-LD of the crate.
        root: Id of the root dataset.
        name: Display name of the crate.

    Returns:
        Its findings as errors, or one warning when its answer is not reliable; and the addresses of the profiles
        beside RO-Crate itself whose rules were checked.
    """
    contexts = [one for part in safe_context(document.get("@context")) for one in _readable(part)]
    checked = {**document, "@context": contexts, "@graph": without_contexts(document["@graph"])}
    version = crate_version(document)[:3]
    version = version if version in _PROFILES else "1.1" if is_old(document) else "1.2"
    named = named_addresses(by_id(document.get("@graph")), root)
    try:
        answer = run_apart(_believed_issues, checked, root, version, named, _loaded_cache())
    except ApartError as error:
        failure = Finding("warning", name, 0, "roc-validator", f"failed: {error}", "an answer", "it is not counted")
        return [failure], frozenset()
    if answer is None:
        expected = "that a crate without a licence fails"
        doubt = Finding("warning", name, 0, "roc-validator", "misses no licence", expected, "its answer is not used")
        return [doubt], frozenset()
    issues, profiles = answer
    return [
        Finding("error", name, 0, f"roc-validator {entity}".strip(), message, f"{profile} at REQUIRED level")
        for profile, entity, message in issues
    ], frozenset(profiles)


def unknown_versions(document: dict[str, Any]) -> list[str]:
    """Return the versions of RO-Crate in a crate's `@context` for which roc-validator has no rules, such as drafts."""
    found = document.get("@context")
    parts = [part for part in (found if isinstance(found, list) else [found]) if isinstance(part, str)]
    return sorted({ro_crate_version(part) for part in parts if part.startswith(RO_CRATE)} - set(_PROFILES))


def _readable(part: Any) -> list[Any]:
    """Return a part of a context with its terms written out, if it is not RO-Crate's: its cache has no others."""
    if part == GIDE_CONTEXT:
        return context(f"{RO_CRATE}1.2", GIDE_TERMS)
    return [further_terms(part) or part]


Issue = tuple[str, str, str]


def _believed_issues(
    document: dict[str, Any], root: str, version: str, named: list[str], cache: Path
) -> tuple[list[Issue], list[str]] | None:
    """Return what roc-validator finds, and which of the profiles that are named it has.

    None when it does not miss the licence of a canary. Rules of RO-Crate itself are those of the crate's version, also
    where a profile stands on an older one.
    """
    from rocrate_validator import services

    from bioimage_suite.fair.crates.prepared_queries import prepare_queries

    prepare_queries()
    base_rules = _validator(document, _PROFILES[version], cache)
    canary = _issues(base_rules, _canary(document["@context"], root, version))
    # Rules that are not shapes find faults of the context itself even where no term is read.
    if not any("license" in message for _, _, message in canary):
        return None
    base = set(_PROFILES.values())
    known = {str(one.uri).rstrip("/"): one.identifier for one in services.get_profiles() if one.identifier not in base}
    found = _issues(base_rules, document)
    checked = [address for address in dict.fromkeys(named) if address.rstrip("/") in known]
    for address in checked:
        of_profile = _issues(_validator(document, known[address.rstrip("/")], cache), document)
        found += [one for one in of_profile if one[0] not in base]
    return list(dict.fromkeys(found)), checked


def _canary(context: Any, root: str, version: str) -> dict[str, Any]:
    """Return a crate that lacks a licence and nothing else, with the terms and the root's id of the one to check."""
    head = {"@id": DESCRIPTOR, "@type": "CreativeWork", "conformsTo": {"@id": f"{RO_CRATE}{version}"}}
    dataset = {"@id": root, "@type": "Dataset", "name": "Canary", "description": "It has no licence."}
    return {"@context": context, "@graph": [head | {"about": {"@id": root}}, dataset | {"datePublished": "2026-01-01"}]}


def _validator(document: dict[str, Any], profile: str, cache: Path) -> Any:
    """Return roc-validator with the rules of a profile and of those on which it stands, for crates like a document.

    It reads the rules once, however many crates it is given.
    """
    from rocrate_validator.models import Severity, ValidationSettings, Validator

    return Validator(
        ValidationSettings(
            rocrate_uri=None,
            profile_identifier=profile,
            requirement_severity=Severity.REQUIRED,
            offline=True,
            cache_path=cache / "http",
            cache_max_age=-1,
            metadata_only=True,
            packaging_mode="detached" if _is_detached(document) else "attached",
        )
    )


def _issues(validator: Any, document: dict[str, Any]) -> list[Issue]:
    """Return the profile, the entity and the message of each violation of the validator's rules."""
    from rocrate_validator.models import Severity

    issues = validator.validate(metadata_dict=document).get_issues(min_severity=Severity.REQUIRED)
    return sorted(
        {
            (str(issue.check.requirement.profile.identifier), str(issue.violatingEntity or ""), str(issue.message))
            for issue in issues
        }
    )


def _is_detached(document: dict[str, Any]) -> bool:
    return not any(isinstance(entity, dict) and entity.get("@id") == "./" for entity in document["@graph"])


def _loaded_cache() -> Path:
    """Return the folder of the cache.

    Raises:
        ApartError: The packages that come with roc-validator cannot be loaded, or fail.
    """
    try:
        return _cache_folder()
    except Exception as error:  # Packages of another release may raise anything.
        raise ApartError(f"{type(error).__name__}: {error}") from error


@cache
def _cache_folder() -> Path:
    """Create a folder with roc-validator's HTTP cache, filled with RO-Crate's contexts, until the process ends."""
    import requests
    from requests.adapters import BaseAdapter, HTTPAdapter
    from requests_cache import CachedSession
    from urllib3.response import HTTPResponse

    class Shipped(BaseAdapter):
        """Adapter that answers a request with the context of that version, without the network."""

        def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
            headers = {"Content-Type": "application/ld+json"}
            terms = json.dumps({"@context": ro_crate_terms(ro_crate_version(str(request.url)))}).encode()
            body = HTTPResponse(body=io.BytesIO(terms), headers=headers, status=200, preload_content=False)
            return HTTPAdapter().build_response(request, body)

        def close(self) -> None:
            """Do nothing: no connection is open."""

    folder = Path(tempfile.mkdtemp(prefix="roc-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with CachedSession(cache_name=str(folder / "http"), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Shipped())
        for version in _PROFILES:
            # The cache distinguishes requests by their Accept headers; these are the ones of its JSON-LD readers.
            for accept in (None, "application/ld+json", "application/ld+json, application/json;p=0.9, */*;q=0.1"):
                session.get(f"{RO_CRATE}{version}/context", headers={"Accept": accept} if accept else {})
    return folder

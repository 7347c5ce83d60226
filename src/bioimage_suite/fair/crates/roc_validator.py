"""Validate crates with roc-validator as well, if it is installed, offline.

Offline and without the context in its cache, roc-validator 0.13 reads no terms, checks nothing and answers "valid". So
its cache is filled with the context that ships with this tool, and its answer counts only if a canary (the same crate
without the root's licence) fails.
"""

import atexit
import io
import shutil
import tempfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from bioimage_suite.core.apart import ApartError, run_apart
from bioimage_suite.fair.crates.base_rules import crate_version, is_old
from bioimage_suite.fair.crates.terms import RO_CRATE, safe_context, without_contexts
from bioimage_suite.tables.sheets import Finding

# roc-validator's profile by RO-Crate version; it has no shapes for the GIDE and BIA profiles.
_PROFILES = {version: f"ro-crate-{version}" for version in ("1.1", "1.2", "1.3")}


def installed() -> bool:
    """Return whether roc-validator can be imported."""
    try:
        import rocrate_validator  # noqa: F401
    except ImportError:
        return False
    return True


def roc_findings(document: dict[str, Any], root: str, name: str) -> list[Finding]:
    """Validate the metadata with roc-validator's base profile at REQUIRED level.

    Args:
        document: JSON-LD of the crate.
        root: Id of the root dataset, for the canary.
        name: Display name of the crate.

    Returns:
        Its findings as errors; or one warning when its answer is not reliable.
    """
    contexts = safe_context(document.get("@context"))
    checked = {**document, "@context": contexts, "@graph": without_contexts(document["@graph"])}
    version = crate_version(document)[:3]
    version = version if version in _PROFILES else "1.1" if is_old(document) else "1.2"
    try:
        issues = run_apart(_believed_issues, checked, root, version, _cache_folder())
    except ApartError as error:
        return [Finding("warning", name, 0, "roc-validator", f"failed: {error}", "an answer", "it is not counted")]
    if issues is None:
        expected = "that a crate without a licence fails"
        return [Finding("warning", name, 0, "roc-validator", "passes everything", expected, "its answer is not used")]
    return [
        Finding("error", name, 0, f"roc-validator {entity}".strip(), message, f"{_PROFILES[version]} at REQUIRED level")
        for entity, message in issues
    ]


def _believed_issues(document: dict[str, Any], root: str, version: str, cache: Path) -> list[tuple[str, str]] | None:
    """Return what roc-validator finds, None when it finds nothing in a canary: the crate without its licence."""
    canary = deepcopy(document)
    for entity in canary["@graph"]:
        if isinstance(entity, dict) and entity.get("@id") == root:
            entity.pop("license", None)
    return _issues(document, version, cache) if _issues(canary, version, cache) else None


def _issues(document: dict[str, Any], version: str, cache: Path) -> list[tuple[str, str]]:
    from rocrate_validator import services
    from rocrate_validator.models import Severity

    settings = {
        "rocrate_uri": None,
        "profile_identifier": _PROFILES[version],
        "requirement_severity": Severity.REQUIRED,
        "offline": True,
        "cache_path": cache / "http",
        "cache_max_age": -1,
        "metadata_only": True,
        "packaging_mode": "detached" if _is_detached(document) else "attached",
    }
    result = services.validate_metadata_as_dict(document, settings)
    issues = result.get_issues(min_severity=Severity.REQUIRED)
    return sorted({(str(issue.violatingEntity or ""), str(issue.message)) for issue in issues})


def _is_detached(document: dict[str, Any]) -> bool:
    return not any(isinstance(entity, dict) and entity.get("@id") == "./" for entity in document["@graph"])


@cache
def _cache_folder() -> Path:
    """Create a folder with roc-validator's HTTP cache, filled with the shipped context, until the process ends."""
    import requests
    from requests.adapters import BaseAdapter, HTTPAdapter
    from requests_cache import CachedSession
    from urllib3.response import HTTPResponse

    context = (Path(__file__).resolve().parent / "contexts" / "ro-crate-context.jsonld").read_bytes()

    class Shipped(BaseAdapter):
        """Adapter that answers every request with the shipped context, without the network."""

        def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
            headers = {"Content-Type": "application/ld+json"}
            body = HTTPResponse(body=io.BytesIO(context), headers=headers, status=200, preload_content=False)
            return HTTPAdapter().build_response(request, body)

        def close(self) -> None:
            """Do nothing: no connection is open."""

    folder = Path(tempfile.mkdtemp(prefix="roc-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with CachedSession(cache_name=str(folder / "http"), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Shipped())
        for version in ("1.1", "1.2", "1.3"):
            # The cache distinguishes requests by their Accept headers; these are the ones of its JSON-LD readers.
            for accept in (None, "application/ld+json", "application/ld+json, application/json;p=0.9, */*;q=0.1"):
                session.get(f"{RO_CRATE}{version}/context", headers={"Accept": accept} if accept else {})
    return folder

"""What roc-validator says of crates."""

from copy import deepcopy

import pytest

from bioimage_suite.fair.crates import roc_validator
from tests.unit.fair.made_crates import crate, errors, root

needs_roc = pytest.mark.skipif(not roc_validator.installed(), reason="roc-validator is optional")


@needs_roc
@pytest.mark.slow
@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_crates_that_are_made_pass_roc_validator(product: str):
    document = crate(product)
    assert roc_validator.roc_findings(document, root(document)["@id"], "crate") == []


@needs_roc
@pytest.mark.slow
def test_roc_validator_is_believed_only_when_a_canary_fails(monkeypatch: pytest.MonkeyPatch):
    document = crate("gide")
    broken = deepcopy(document)
    root(broken).pop("name")
    assert errors(roc_validator.roc_findings(broken, root(broken)["@id"], "c"))
    monkeypatch.setattr(roc_validator, "_issues", lambda *_: [])
    assert [f.suggestion for f in roc_validator.roc_findings(document, root(document)["@id"], "c")] == [
        "its answer is not used"
    ]

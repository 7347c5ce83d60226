"""The values for Galaxy's Helm chart have the shape of the chart's own; no Kubernetes runs them here."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "kubernetes"
SCHEMA = json.loads((FOLDER / "values.schema.json").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((FOLDER / "values.yml").read_text(encoding="utf-8"))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_values_have_the_shape_of_the_charts():
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize("place", [(), ("configs",), ("jobs", "rules"), ("configs", "galaxy.yml", "galaxy")])
def test_a_key_that_the_chart_does_not_have_is_found(place: tuple[str, ...]):
    changed = copy.deepcopy(VALUES)
    at = changed
    for name in place:
        at = at[name]
    at["misspelt"] = 1
    with pytest.raises(jsonschema.ValidationError, match="misspelt"):
        jsonschema.validate(changed, SCHEMA)


def test_rules_without_the_suites_are_found():
    changed = copy.deepcopy(VALUES)
    del changed["configs"]["job_conf.yml"]["execution"]["environments"]["tpv_dispatcher"]["tpv_config_files"][1]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, SCHEMA)


def test_helm_finds_nothing_to_fill_in_in_the_shared_rules():
    assert "{{" not in (FOLDER.parent / "tpv" / "bioimage_suite.yml").read_text(encoding="utf-8")

#!/usr/bin/env bash
# roc-validator 0.13.0, profile isa-ro-crate: the value of a PropertyValue.
#
# Expected: the profile says of `value` "Value text or number" (https://github.com/nfdi4plants/isa-ro-crate-profile), so an
#           exposure of 7.5 is as good as one of 7, or as the text "7.5".
# Seen:     7 and "7.5" are taken, 7.5 is an error: the rule names xsd:float and xsd:integer, but JSON-LD makes xsd:double
#           of every number with a fraction, so no such number can ever pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check roc-validator==0.13.0
seen=$("$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import logging
import sys

from rocrate_validator import services
from rocrate_validator.models import Severity

logging.disable(logging.CRITICAL)
SCHEMA, BIO = "http://schema.org/", "https://bioschemas.org/"
# Written out, so that nothing is fetched.
WORDS = "Dataset CreativeWork PropertyValue additionalType identifier hasPart about name value object"
TERMS = {word: SCHEMA + word for word in WORDS.split()}
TERMS |= {"LabProcess": BIO + "LabProcess", "parameterValue": BIO + "properties/parameterValue"}
for value in (7, "7.5", 7.5):
    graph = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}},
        {"@id": "./", "@type": "Dataset", "additionalType": "Investigation", "hasPart": {"@id": "s/"}},
        {"@id": "s/", "@type": "Dataset", "additionalType": "Study", "about": {"@id": "#process"}},
        {"@id": "#process", "@type": "LabProcess", "name": "p", "parameterValue": {"@id": "#value"}},
        {"@id": "#value", "@type": "PropertyValue", "name": "exposure", "value": value},
    ]
    settings = {"rocrate_uri": None, "profile_identifier": "isa-ro-crate", "offline": True, "metadata_only": True}
    settings |= {"requirement_severity": Severity.REQUIRED, "cache_path": f"{sys.argv[1]}/http"}
    result = services.validate_metadata_as_dict({"@context": TERMS, "@graph": graph}, settings)
    refused = any("PropertyValue value MUST be" in str(issue.message) for issue in result.get_issues())
    print(f"{json.dumps(value)}: {'an error' if refused else 'taken'}")
PYTHON
)
echo "$seen"
[ "$seen" = "$(printf '7: taken\n"7.5": taken\n7.5: an error')" ] || { echo "the behaviour changed" >&2; exit 1; }
echo "as described: a number with a fraction is no value"

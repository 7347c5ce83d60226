#!/usr/bin/env bash
# galaxy-util 26.1.2, galaxy.util.sanitize_html: the cleaning that Galaxy gives to the HTML of a tool that is not allowed.
#
# Expected: a self-contained report, with its pictures as data URIs (RFC 2397), shows its pictures; one that loads them from
#           another host is the one that may lose them.
# Seen:     the other way round. `src="data:image/png;base64,..."` is taken away and an <img> without source is left;
#           `src="https://..."` stays. The text of <title> is shown on the page, as only its tags are removed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check galaxy-util==26.1.2
"$folder/venv/bin/python" - <<'PYTHON'
from galaxy.util.sanitize_html import sanitize_html

pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
page = (
    "<!DOCTYPE html><html><head><title>Nuclei</title></head><body>"
    f'<img alt="within" src="data:image/png;base64,{pixel}"><img alt="elsewhere" src="https://example.org/a.png">'
    "</body></html>"
)
cleaned = sanitize_html(page)
print(cleaned)
assert cleaned == 'Nuclei<img alt="within"><img alt="elsewhere" src="https://example.org/a.png">', "the behaviour changed"
PYTHON
echo "as described: the picture within the page is gone, the one elsewhere stays"

#!/usr/bin/env bash
# galaxy-tool-util 26.1.2: <required_files> of a tool's XML, which says what is sent to a job on another machine.
#
# Expected: type="glob" means what it means to a shell, pathlib and .gitignore: in `lib/*.py` the star stops at a slash, and
#           `lib/**/*.py` also reaches lib/a.py.
# Seen:     patterns go to fnmatch, which knows no folders. `lib/*.py` ships lib/deep/er/b.py too, and `lib/**/*.py` does not
#           ship lib/a.py, as it wants two slashes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check galaxy-tool-util==26.1.2
mkdir -p "$folder/tool/lib/deep/er"
touch "$folder/tool/lib/a.py" "$folder/tool/lib/deep/er/b.py"
"$folder/venv/bin/python" - "$folder/tool" <<'PYTHON'
import sys
from pathlib import Path

from galaxy.tool_util.parser import get_tool_source

folder = Path(sys.argv[1])
shipped = {}
for pattern in ("lib/*.py", "lib/**/*.py"):
    xml = folder / "tool.xml"
    xml.write_text(
        f'<tool id="t" name="T" version="1"><required_files><include type="glob" path="{pattern}" /></required_files>'
        "<command>true</command><inputs /><outputs /></tool>"
    )
    files = get_tool_source(str(xml)).parse_required_files().find_required_files(str(folder))
    shipped[pattern] = sorted(files)
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern))
    print(f"{pattern}: Galaxy ships {shipped[pattern]}, pathlib finds {found}")
assert shipped["lib/*.py"] == ["lib/a.py", "lib/deep/er/b.py"], "the behaviour changed"
assert shipped["lib/**/*.py"] == ["lib/deep/er/b.py"], "the behaviour changed"
PYTHON
echo "as described: a star crosses folders, and two stars need one"

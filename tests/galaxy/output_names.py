"""Print how Galaxy names the outputs of each tool: `{tool: {output: name}}` for what is given as JSON.

Runs with Galaxy's own Python: `.venv/galaxy/bin/python -m tests.galaxy.output_names '{"on": "dataset 5"}'`. `on` is
what Galaxy says of the inputs, other keys are values of the form.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

from galaxy.tool_util.parser import get_tool_source
from galaxy.util.template import fill_template
from packaging.version import Version

from scripts.suite_files import tool_xml_files

VERSION = Version("3.5")
"""Of Python, for which Galaxy takes a tool's templates to be written."""


def opened(value: Any) -> Any:
    """Return values of a form as a label sees them, with a dot for what a conditional holds."""
    return SimpleNamespace(**{key: opened(one) for key, one in value.items()}) if isinstance(value, dict) else value


def names(path: str, on: str, form: dict[str, Any]) -> dict[str, str]:
    """Return the name of each output of a tool; one that reads a value that the form lacks is left out."""
    root = get_tool_source(path).root
    tool = SimpleNamespace(name=root.get("name"))
    found = {}
    for output in root.find("outputs"):
        context = {"tool": tool, "on_string": on, **opened(form).__dict__}
        try:
            label = fill_template(output.get("label", ""), context=context, python_template_version=VERSION)
        except Exception:  # Cheetah's own, or Python's: a value is not there
            continue
        found[output.get("name")] = label
    return found


def main() -> None:
    """Print the names for what the command line gives."""
    form = json.loads(sys.argv[1])
    on = form.pop("on", "")
    print(json.dumps({path.stem: names(str(path), on, form) for path in tool_xml_files()}))


if __name__ == "__main__":
    main()

"""Print the forms of tools as Galaxy's API gives them, without a Galaxy that runs.

Runs with Galaxy's own Python: `.venv/galaxy/bin/python -m tests.training.tool_forms TOOL.xml ...`.
"""

import json
import sys
from typing import Any

from galaxy.tool_util.parser import get_tool_source


def form_of(page: Any) -> list[dict[str, Any]]:
    """Return the inputs of a page, nested."""
    return [_input(source) for source in page.parse_input_sources()]


def _input(source: Any) -> dict[str, Any]:
    kind = source.parse_input_type()
    if kind in ("section", "repeat"):
        below = form_of(source.parse_nested_inputs_source())
        open_at_first = source.get_bool("expanded", False)
        title = source.get("title")
        return {"type": kind, "name": source.parse_name(), "title": title, "expanded": open_at_first, "inputs": below}
    if kind == "conditional":
        cases = [{"value": case, "inputs": form_of(nested)} for case, nested in source.parse_when_input_sources()]
        test = _field(source.parse_test_input_source())
        return {"type": kind, "name": source.parse_name(), "test_param": test, "cases": cases}
    return _field(source)


def _field(source: Any) -> dict[str, Any]:
    kind = source.get("type")
    field = {"type": kind, "name": source.parse_name(), "label": source.parse_label(), "value": source.get("value")}
    if kind == "boolean":
        field["value"] = str(source.get_bool("checked", False)).lower()
    if kind == "select":
        options = source.parse_static_options()
        field["options"] = [[label, value, chosen] for label, value, chosen, *_ in options]
        chosen = [value for _, value, chosen, *_ in options if chosen] or [value for _, value, *_ in options[:1]]
        field["value"] = chosen[0] if chosen else None
    if kind in ("select", "data"):
        field["multiple"] = source.get_bool("multiple", False)
    return field


def main(files: list[str]) -> None:
    """Print id, title and form of each tool."""
    forms = {}
    for file in files:
        tool = get_tool_source(file)
        inputs = [one for page in tool.parse_input_pages().page_sources for one in form_of(page)]
        forms[tool.parse_id()] = {"name": tool.parse_name(), "version": tool.parse_version(), "inputs": inputs}
    print(json.dumps(forms))


if __name__ == "__main__":
    main(sys.argv[1:])

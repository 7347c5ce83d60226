"""Search the suite's tools by Galaxy's server: print the ids found for each query, best first, as JSON.

Needs Galaxy's own Python, no Galaxy that runs: `.venv/galaxy/bin/python -m tests.galaxy.tool_search QUERY ...`.
"""

import json
import sys
import tempfile
from types import SimpleNamespace
from typing import Any

from galaxy.config import GalaxyAppConfiguration
from galaxy.tool_util.parser import get_tool_source
from galaxy.tools.search import ToolPanelViewSearch

from scripts.suite_files import tool_xml_files


def described(path: str) -> Any:
    """Return what the index reads of a tool."""
    source = get_tool_source(path)
    return SimpleNamespace(
        id=source.parse_id(), name=source.parse_name(), description=source.parse_description(), guid=None,
        tool_type=source.parse_tool_type(), edam_operations=source.parse_edam_operations(), labels=[], tool_tags=[],
        edam_topics=source.parse_edam_topics(), repository_name=None, repository_owner=None,
        raw_help=source.parse_help().content, is_latest_version=True, hidden=False,
        get_panel_section=lambda: ("bioimage", "Image analysis"),
    )  # fmt: skip


def main() -> None:
    """Print what each query finds."""
    tools = {one.id: one for one in (described(str(path)) for path in tool_xml_files())}
    cache = SimpleNamespace(_new_tool_ids=set(tools), _removed_tool_ids=set(), _tool_paths_by_id={},
                            get_tool_by_id=tools.get)  # fmt: skip
    toolbox = SimpleNamespace(get_tool=tools.get, panel_has_tool=lambda *_: True)
    with tempfile.TemporaryDirectory() as folder:
        config = GalaxyAppConfiguration(root=folder)
        search = ToolPanelViewSearch("default", f"{folder}/index", config)
        search.build_index(cache, toolbox)
        print(json.dumps({query: search.search(query, config) for query in sys.argv[1:]}))


if __name__ == "__main__":
    main()

"""Parsing of a tool's arguments, including those whose text must not pass through a shell."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path


def parse_arguments(parser: ArgumentParser, argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line; `--arguments FILE` adds the arguments of a JSON list of strings.

    Galaxy writes names and other free text into that file, where quotes, dollars and backticks have no meaning.

    Args:
        parser: The tool's parser.
        argv: Arguments; None for those of the process.
    """
    parser.add_argument("--arguments", type=Path, help="JSON file: a list of further arguments")
    words = list(sys.argv[1:] if argv is None else argv)
    if "--arguments" in words:
        file = Path(words[words.index("--arguments") + 1])
        words += json.loads(file.read_text(encoding="utf-8"))
    return parser.parse_args(words)

"""Workflow runs that must stop, with what the person who started them must then read. planemo has no test for these."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bioblend.galaxy import GalaxyInstance

from scripts.run_workflow import run_workflow
from scripts.workflow_import import import_workflow

TEST_DATA = Path(__file__).resolve().parents[2] / "test-data"


@dataclass(frozen=True)
class BadRun:
    """A run with bad input.

    Attributes:
        workflow: Name of the workflow's file without `.ga`.
        images: Files of `test-data/` that become the list `Images`.
        metadata: What `Filled metadata` says.
        said: Texts that the failed step must say.
    """

    workflow: str
    images: tuple[str, ...]
    metadata: str
    said: tuple[str, ...]


_TEMPLATE = (TEST_DATA / "fair/template_rembi.csv").read_text(encoding="utf-8")
BAD_RUNS = (
    BadRun(
        "fair-deposition",
        ("fair/cells_a.ome.tiff", "fair/cells_b.ome.tiff"),
        _TEMPLATE.replace("Homo sapiens", "Homo sapien").replace("CC0", ""),
        ("validate_metadata", "Mend them and validate again", "Homo sapien", "Study: License"),
    ),
)


def check_bad_runs(gi: GalaxyInstance, files: list[str]) -> bool:
    """Start the bad runs of these workflows and say whether each stopped as it must.

    Args:
        gi: Connection as the user who runs them.
        files: Workflows' .ga files.
    """
    good = True
    for run in BAD_RUNS:
        for file in (Path(file) for file in files if Path(file).stem == run.workflow):
            good = _stops(gi, file, run) and good
    return good


def _stops(gi: GalaxyInstance, file: Path, run: BadRun) -> bool:
    with _inputs(run) as (images, metadata):
        title = f"{run.workflow} that must stop"
        inputs = {"Images": tuple(sorted(images.iterdir())), "Filled metadata": (metadata,)}
        result = run_workflow(gi, import_workflow(gi, file), {}, inputs, title)
    said = "\n".join(result.problems)
    missing = [text for text in run.said if text not in said]
    stopped = not result.succeeded and not missing
    print(f"{run.workflow} (bad metadata): {'passed' if stopped else 'failed'}")
    if not stopped:
        print(f"  not said: {missing}; the run {'succeeded' if result.succeeded else 'said'}\n{said}")
    return stopped


@contextmanager
def _inputs(run: BadRun) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as name:
        images, metadata = Path(name) / "images", Path(name) / "template.csv"
        images.mkdir()
        for image in run.images:
            (images / Path(image).name).symlink_to(TEST_DATA / image)
        metadata.write_text(run.metadata, encoding="utf-8")
        yield images, metadata

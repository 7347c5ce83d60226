"""A history with an output of every tool whose output is a page or an image for the browser."""

from dataclasses import dataclass, field
from typing import Any

from bioblend.galaxy import GalaxyInstance

from sandbox.process import ROOT

DATA = ROOT / "test-data"
Source = dict[str, str]


@dataclass
class History:
    """A history of one user, and what was put into it.

    Attributes:
        gi: Connection of the user.
        id: Of the history.
        put: Uploaded datasets by the name of their file.
    """

    gi: GalaxyInstance
    id: str
    put: dict[str, Source] = field(default_factory=dict)

    def upload(self, name: str, kind: str) -> Source:
        """Upload a file of the test data once; return how a form names it."""
        if name not in self.put:
            made = self.gi.tools.upload_file(str(DATA / name), self.id, file_type=kind, file_name=name.split("/")[-1])
            self.put[name] = {"src": "hda", "id": made["outputs"][0]["id"]}
        return self.put[name]

    def run(self, tool: str, **inputs: Any) -> dict[str, Source]:
        """Start a tool; return its outputs by name."""
        ran = self.gi.tools.run_tool(self.id, tool, inputs)
        return {one["output_name"]: {"src": "hda", "id": one["id"]} for one in ran["outputs"]}

    def wait(self) -> None:
        """Wait until every dataset has ended well.

        Raises:
            AssertionError: One has not; the message has what its job says.
        """
        for one in self.gi.histories.show_history(self.id, contents=True):
            shown = self.gi.datasets.wait_for_dataset(one["id"], maxwait=600, interval=1, check=False)
            assert shown["state"] == "ok", (shown["name"], shown["state"], shown.get("misc_info"))


def many(*sources: Source) -> dict[str, Any]:
    """Return several datasets for one field."""
    return {"values": list(sources)}


def make_reports(history: History) -> dict[str, dict[str, Source]]:
    """Run each tool that writes a report; return its outputs by tool."""
    image = history.upload("nuclei.ome.tiff", "ome.tiff")
    labels = history.upload("nuclei_truth.ome.tiff", "ome.tiff")
    table = history.upload("fair_archives/nuclei_measured.tabular", "tabular")
    origin = history.upload("fair_archives/origin.tabular", "tabular")
    cells = history.upload("fair_archives/measured_cells.tabular", "tabular")
    crate = history.upload("fair/gide_misspelt.jsonld", "jsonld")
    template = history.upload("fair/template_rembi.csv", "csv")
    profiles = history.upload("plate_profiles.tabular", "tabular")
    score = {"score|by": "induction", "score|least_objects": "5"}
    return {
        "overlay_objects": history.run("overlay_objects", images=many(image), labels=many(labels), title="Overlay"),
        "summarize_measurements": history.run("summarize_measurements", tables=many(table), features="area_px"),
        "metadata_report": history.run("metadata_report", images=many(image)),
        "validate_metadata": history.run("validate_metadata", metadata=many(template), scopes="biosample"),
        "validate_crate": history.run("validate_crate", crate=crate),
        "attribute_results": history.run("attribute_results", results=many(cells), origin=origin),
        "find_hits": history.run("find_hits", profiles=profiles, **score),
    }


def make_views(history: History) -> dict[str, Source]:
    """Make what Galaxy's visualizations and the page of a viewer show."""
    image = history.upload("nuclei.ome.tiff", "ome.tiff")
    labels = history.upload("nuclei_truth.ome.tiff", "ome.tiff")
    table = history.upload("fair_archives/nuclei_measured.tabular", "tabular")
    found = history.run("vitessce_view", image=image, labels=labels, table=table)
    given = {"source|image": image, "source|labels_0|map": labels, "target|format": "ome-zarr-0.5"}
    zarr = history.run("convert_image", **given)["output_zarr"]
    return {**found, "zarr": zarr, "zarr_page": history.run("vitessce_view", image=zarr)["page"]}

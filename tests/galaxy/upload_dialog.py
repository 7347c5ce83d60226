"""Images that a user takes from OMERO in Galaxy's upload dialog: results made from them find their way back."""

from pathlib import Path
from typing import Any

from bioblend.galaxy import GalaxyInstance

from sandbox.state import OmeroServer
from scripts.omero_file_source import store_omero_source
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from tests.galaxy.seed_omero import PASSWORD, PROJECT, USER

TOOLS, DATASET, IMAGES = ("omero_import_rois", "omero_find"), "nuclei", ["cell_1.tif", "cell_2.tif"]
LABEL_MAPS = Path(__file__).parents[2] / "test-data"
SECONDS = 300.0


def check_upload_dialog(gi: GalaxyInstance, server: OmeroServer, files: list[str]) -> bool:
    """Take a dataset from Galaxy's own OMERO file source, give its images to two tools, and compare the ids.

    Args:
        gi: Connection of the user.
        server: The OMERO server that has the images of `seed_omero`.
        files: Tools' XML files; without those of the two tools nothing is checked.
    """
    if not set(TOOLS) <= {Path(file).stem for file in files}:
        return True
    login = OmeroLogin(USER, PASSWORD)
    source = store_omero_source(gi, login, server.host, server.port)
    again = store_omero_source(gi, login, server.host, server.port)
    entries = browse(gi, source["uri_root"], [PROJECT, DATASET])
    history = gi.histories.create_history(name="upload dialog")["id"]
    images = _fetched_list(gi, history, [{"src": "url", "url": one["uri"], "name": one["name"]} for one in entries])
    store_omero_login(gi, OmeroLogin(USER, PASSWORD), tools_that_want_omero(gi))
    found = _import_rois(gi, server, history, images)
    listed = _find(gi, server, history, images)
    expected = sorted([one["uri"].rpartition("image_")[2], one["name"], one["name"]] for one in entries)
    problems = [] if again["uuid"] == source["uuid"] else ["storing the file source twice made two"]
    problems += [] if [row[1] for row in expected] == IMAGES else [f"the dialog lists {entries}"]
    problems += [] if sorted(row[:3] for row in found) == expected else [f"ROIs would go to {found}, not {expected}"]
    problems += [] if sorted(row[:2] for row in listed) == [row[:2] for row in expected] else [f"found are {listed}"]
    print(f"OMERO in the upload dialog: {'failed' if problems else 'passed'}", *problems, sep="\n  ")
    return not problems


def browse(gi: GalaxyInstance, root: str, names: list[str]) -> list[dict[str, Any]]:
    """Return what the upload dialog shows in the folder to which the names lead, ordered by name."""
    place = root
    for name in [*names, ""]:
        entries: list[dict[str, Any]] = gi.make_get_request(f"{gi.url}/remote_files", params={"target": place}).json()
        place = next((one["uri"] for one in entries if one["name"] == name), place)
    return sorted(entries, key=lambda one: str(one["name"]))


def _fetched_list(gi: GalaxyInstance, history: str, elements: list[dict[str, Any]]) -> str:
    """Make a list of datasets from addresses, as the upload dialog does; return its id."""
    target = {"destination": {"type": "hdca"}, "collection_type": "list", "name": "images", "elements": elements}
    payload = {"history_id": history, "targets": [target]}
    job = gi.make_post_request(f"{gi.url}/tools/fetch", payload)["jobs"][0]["id"]
    gi.jobs.wait_for_job(job, maxwait=SECONDS)
    [made] = gi.histories.show_history(history, contents=True, types=["dataset_collection"])
    return str(made["id"])


def _import_rois(gi: GalaxyInstance, server: OmeroServer, history: str, images: str) -> list[list[str]]:
    """Return the rows of the object table for a check of label maps against the list of images."""
    maps = [gi.tools.upload_file(str(LABEL_MAPS / name), history, file_name=name) for name in IMAGES]
    inputs = {
        "label_maps": {"values": [{"src": "hda", "id": one["outputs"][0]["id"]} for one in maps]},
        "match|source": "source",
        "match|images": {"values": [{"src": "hdca", "id": images}]},
        "roi_name": "from the upload dialog",
        "dry_run": "true",
    }
    return tool_rows(gi, server, "omero_import_rois", history, inputs)


def _find(gi: GalaxyInstance, server: OmeroServer, history: str, images: str) -> list[list[str]]:
    """Return the rows of the object table of the list of images."""
    inputs = {"target|source": "source", "target|images": {"values": [{"src": "hdca", "id": images}]}}
    return tool_rows(gi, server, "omero_find", history, inputs)


def tool_rows(gi: GalaxyInstance, server: OmeroServer, tool_id: str, history: str, inputs: Any) -> list[list[str]]:
    """Run a tool and return the rows of its first output, or what went wrong."""
    tool = gi.tools.show_tool(tool_id)
    given = gi.users.get_credentials_for_tool(gi.users.get_current_user()["id"], tool_id, tool["version"])
    inputs = {"omero_host": server.address, **inputs}
    run = gi.tools.run_tool(history, tool_id, inputs, credentials_context=given)
    job = gi.jobs.wait_for_job(run["jobs"][0]["id"], maxwait=SECONDS)
    if job["state"] != "ok":
        details = gi.jobs.show_job(job["id"], full_details=True)
        return [[job["state"], details.get("tool_stderr", "")[-500:]]]
    table = gi.datasets.download_dataset(run["outputs"][0]["id"], require_ok_state=True, maxwait=SECONDS)
    return [line.split("\t") for line in table.decode().splitlines()[1:]]

"""Every kind of page of OMERO.web, iviewer, figure and vitessce answers on the sandbox, unmodified from PyPI.

pages.txt has one address of each pattern in their `urls.py` that a user may ask for. Left out: what needs scripts, and
addresses that fail by themselves (/webclient/help/, /webgateway/search/).
"""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.omero.web.content import OBJECTS, Content, Visitor

PAGES = (Path(__file__).parent / "pages.txt").read_text().split("\n")[:-1]
FAULTS = ("supported by the sandbox", "Traceback (most", '{"error"')


def test_every_page_answers(visitor: Visitor):
    wrong = {}
    for page in PAGES:
        answer = visitor.get(page)
        kind = answer.headers["content-type"]
        text = answer.text if kind.startswith(("text", "application/json")) else ""
        if (
            answer.status_code != 200
            or "supported by the sandbox" in text
            or "Traceback (most" in text
            or '{"error"' in text
        ):
            wrong[page] = f"{answer.status_code} {text[-200:]}"
        elif "/webclient/login/" in answer.url and "login" not in page:
            wrong[page] = "asks to log in"
    assert not wrong


def test_the_tree_has_what_is_there_with_its_rights(shown: Content, visitor: Visitor):
    (project,) = visitor.get("/webclient/api/containers/?id={user}").json()["projects"]
    assert (project["id"], project["name"], project["childCount"]) == (shown.ids["project"], "Project one", 1)
    assert project["permsCss"] == "canEdit canAnnotate canLink canDelete canChgrp isOwned"
    images = visitor.get("/webclient/api/images/?id={dataset}").json()["images"]
    assert [image["id"] for image in images] == [shown.ids["image"], shown.ids["second"]]


def test_a_plate_shows_its_wells(shown: Content, visitor: Visitor):
    grid = visitor.get("/webgateway/plate/{plate}/").json()
    wells = [[cell and cell["wellId"] for cell in row[:2]] for row in grid["grid"][:2]]
    assert wells[0][0] == shown.ids["well"]
    assert wells[0][1]
    assert wells[1][0]
    assert wells[1][1] is None


def test_iviewer_measures_a_shape_as_it_was_brought_back(visitor: Visitor):
    (channels,) = visitor.get("/iviewer/shape_stats/?z=0&t=0&cs=0,1&ids={shape}").json().values()
    top, bottom, left, right = OBJECTS[0]
    assert [channel["points"] for channel in channels] == [(bottom - top) * (right - left)] * 2
    assert channels[0]["min"] >= 2000 > 500 > channels[1]["max"]


def finished(visitor: Visitor) -> dict[str, Any]:
    """Wait for the commands that OMERO.web has begun, as its page does; return the last."""
    end = time.monotonic() + 60
    while True:
        found = visitor.get("/webclient/activities_json/").json()
        if found["inprogress"] == 0:
            jobs = [job for job in found.values() if isinstance(job, dict)]
            return max(jobs, key=lambda job: job["start_time"])
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_a_dataset_changes_its_group_and_an_image_goes(shown: Content, visitor: Visitor):
    group = shown.lab.session.getAdminService().lookupGroup(shown.other_group).id.val
    made = visitor.post(
        "/webclient/action/addnewcontainer/project/{project}/",
        {"folder_type": "dataset", "name": "moving", "description": "", "owner": shown.ids["user"]},
    )
    dataset = made.json()["id"]
    visitor.post("/webclient/chgrp/", {"group_id": group, "Dataset": dataset})
    assert finished(visitor)["status"] == "finished"
    gone = shown.lab.image("gone.tif", __import__("numpy").zeros((2, 2), "uint8"))
    visitor.post("/webclient/action/deletemany/", {"image": gone})
    assert finished(visitor)["status"] == "finished"
    assert shown.lab.rows(f"select i.id from Image i where i.id = {gone}") == []
    context = {"omero.group": "-1"}
    found = shown.lab.session.getQueryService().get("Dataset", dataset, context)
    assert found.details.group.id.val == group


@pytest.mark.parametrize(
    ("page", "form", "expected"),
    [
        ("/webclient/action/savename/dataset/{dataset}/", {"name": "Dataset two"}, "false"),
        ("/webclient/annotate_comment/", {"image": "{second}", "comment": "new"}, "annId"),
        ("/webclient/annotate_map/", {"image": "{second}", "mapAnnotation": '[["k", "v"]]'}, "annId"),
        ("/webclient/annotate_rating/", {"image": "{second}", "rating": 3}, "true"),
        ("/webclient/edit_channel_names/{second}/", {"channel0": "a", "channel1": "b"}, "channelNames"),
        ("/webgateway/saveImgRDef/{second}/?c=1|0:500$FF0000,-2|0:1000$00FF00&m=c&z=1&t=1", {}, "true"),
        ("/webgateway/copyImgRDef/?fromid={image}", {"toids": ["{second}"]}, "true"),
        ("/figure/save_web_figure/", {"figureJSON": '{"version": 8, "panels": [], "figureName": "f"}'}, ""),
    ],
)
def test_forms_are_taken(shown: Content, visitor: Visitor, page: str, form: dict[str, Any], expected: str):
    filled = {
        k: v.format(**shown.ids) if isinstance(v, str) and v[0] == "{" and '"' not in v else v for k, v in form.items()
    }
    filled = {k: [x.format(**shown.ids) for x in v] if isinstance(v, list) else v for k, v in filled.items()}
    answer = visitor.post(page, filled)
    assert answer.status_code == 200, answer.text[-300:]
    assert expected in answer.text


def test_a_photo_of_the_user_is_kept_and_goes(shown: Content, visitor: Visitor):
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (60, 60), "red").save(file, "PNG")
    default = visitor.get("/webclient/avatar/{user}/").content
    page = "/webadmin/change_avatar/{user}/upload/"
    assert visitor.post(page, files={"photo": ("me.png", file.getvalue(), "image/png")}).status_code == 200
    assert visitor.get("/webclient/avatar/{user}/").content != default
    (photo,) = shown.lab.session.getAdminService().getMyUserPhotos()
    assert (photo.name.val, photo.details.group.name.val) == ("me.png", "user")
    assert visitor.post("/webadmin/change_avatar/{user}/deletephoto/").status_code == 200
    assert visitor.get("/webclient/avatar/{user}/").content == default


def test_thumbnails_come_in_batches(shown: Content, visitor: Visitor):
    found = visitor.get("/webclient/get_thumbnails/?id={image}&id={second}&id={field}").json()
    assert {int(number) for number in found} == {shown.ids[name] for name in ("image", "second", "field")}
    assert all(picture.startswith("data:image/jpeg;base64,") for picture in found.values())

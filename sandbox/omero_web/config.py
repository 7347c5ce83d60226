"""OMERO.web's settings: the folder that it takes as OMERODIR, with `etc/grid/config.xml`."""

import json
import secrets
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sandbox.private_file import write_private

APPS = ["omero_iviewer", "omero_figure", "omero_vitessce"]
IMAGES, IMAGES_AND_CONTAINERS = ["images"], ["images", "dataset", "well"]


def write_config(folder: Path, *, static_dir: Path, url: str = "", omero: tuple[str, int] | None = None) -> None:
    """Write the settings of an OMERO.web that keeps everything in `folder`.

    Args:
        folder: The folder that becomes OMERODIR, made if missing.
        static_dir: Where the collected style sheets and scripts lie.
        url: Where OMERO.web will listen, `http://127.0.0.1:4080`.
        omero: Host and port of the OMERO server; None while static files are collected.
    """
    grid = folder / "etc" / "grid"
    grid.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = folder / "secret_key"
    if not secret.exists():
        write_private(secret, secrets.token_urlsafe(40))
    values = settings(static_dir=static_dir, url=url, omero=omero) | {"omero.web.secret_key": secret.read_text()}
    root = ElementTree.Element("icegrid")
    active = ElementTree.SubElement(root, "properties", id="__ACTIVE__")
    for name, value in {"omero.config.version": "5.1.0", "omero.config.profile": "default"}.items():
        ElementTree.SubElement(active, "property", name=name, value=value)
    profile = ElementTree.SubElement(root, "properties", id="default")
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        ElementTree.SubElement(profile, "property", name=name, value=text)
    write_private(grid / "config.xml", ElementTree.tostring(root, encoding="unicode"))


def settings(*, static_dir: Path, url: str, omero: tuple[str, int] | None) -> dict[str, Any]:
    """Return the settings by name, as `omero config set` would take them: the apps' own instructions, put together."""
    host, port = omero or ("127.0.0.1", 4064)
    return {
        "omero.web.server_list": [[host, port, "omero"]],
        "omero.web.apps": APPS,
        "omero.web.check_version": "false",
        "omero.web.static_root": str(static_dir),
        "omero.web.middleware": _middleware(),
        "omero.web.viewer.view": "omero_iviewer.views.index",
        "omero.web.ui.top_links": [
            ["Data", "webindex", {"title": "Browse Data via Projects, Tags etc"}],
            ["History", "history", {"title": "History"}],
            ["Figure", "figure_index", {"title": "Open Figure in new tab", "target": "_blank"}],
        ],
        "omero.web.ui.right_plugins": [
            ["Acquisition", "webclient/data/includes/right_plugin.acquisition.js.html", "metadata_tab"],
            ["Preview", "webclient/data/includes/right_plugin.preview.js.html", "preview_tab"],
            ["Vitessce", "omero_vitessce/webclient_plugins/right_plugin.vitessce.js.html", "vitessce_tab"],
        ],
        "omero.web.open_with": [
            _open_with("omero_iviewer", "omero_iviewer_index", IMAGES_AND_CONTAINERS, "OMERO.iviewer"),
            _open_with("omero_figure", "new_figure", IMAGES, "OMERO.figure"),
            _open_with("omero_vitessce", "open_vitessce", ["project", "dataset", "image"], "Vitessce"),
        ],
        "omero.web.omero_vitessce.serveraddress": f'"{url}"',
    }


def _middleware() -> list[dict[str, Any]]:
    """Return OMERO.web's own list, and WhiteNoise, which serves the static files without another web server."""
    own = (
        "django.middleware.common.BrokenLinkEmailsMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    )
    names = ("whitenoise.middleware.WhiteNoiseMiddleware", *own)
    return [{"index": index, "class": name} for index, name in enumerate(names)]


def _open_with(app: str, view: str, objects: list[str], label: str) -> list[Any]:
    options: dict[str, Any] = {"supported_objects": objects, "label": label, "target": "_blank"}
    if app == "omero_iviewer":
        options["script_url"] = "omero_iviewer/openwith.js"
    return [app, view, options]

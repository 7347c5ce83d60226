"""A self-contained page of a view: configuration, pixels and table, and optionally the viewer itself.

The viewer is a single file of `@galaxyproject/vitessce` (npm, MIT licence) with React, Vitessce and their dependencies,
as Galaxy's own visualization uses it. Because of its 14 MB it is not part of this suite: the page embeds the file if
the user gives it; otherwise it loads the file from an address and checks its hash.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html import document, escaped

VIEWER = "@galaxyproject/vitessce 0.0.5"
VIEWER_ADDRESS = "https://cdn.jsdelivr.net/npm/@galaxyproject/vitessce@0.0.5/static/index.js"
VIEWER_SHA256 = "0b2495025e2883f62169a2623bb859efc160b81cb5cbaf187368510405e67465"
# Address of the page's own files; no host can have a name in `.invalid` (RFC 2606).
INLINE = "https://inline.invalid"

# Requests for the page's own files are answered from the page; all others go to the network.
_FETCH = """
const stored = JSON.parse(document.getElementById("files").textContent);
const network = window.fetch.bind(window);
window.fetch = async (resource, options) => {
  const url = resource instanceof Request ? resource.url : String(resource);
  if (!url.startsWith("INLINE/")) return network(resource, options);
  const content = stored[decodeURI(url.slice("INLINE/".length))];
  if (content === undefined) return new Response(null, { status: 404 });
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  return new Response(bytes, { status: 200, headers: { "Content-Length": String(bytes.length) } });
};
""".replace("INLINE", INLINE)
_UNPACK = """
const packed = Uint8Array.from(atob(document.getElementById("viewer").textContent), (letter) => letter.charCodeAt(0));
const unpacked = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")));
const viewer = new Blob([await unpacked.arrayBuffer()], { type: "text/javascript" });
await import(URL.createObjectURL(viewer));
"""
# Shown by Galaxy, the page takes the copy of Galaxy's own visualization; the hash decides whether that is the viewer.
_LOAD = """
const { address, hash } = JSON.parse(document.getElementById("viewer").textContent);
const galaxy = location.pathname.split(/\\/(?:datasets?|api)\\//)[0];
const copy = galaxy + "/static/plugins/visualizations/vitessce/static/index.js";
const addresses = location.protocol.startsWith("http") ? [copy, address] : [address];
const load = (place) => {
  if (place === addresses.length) return document.getElementById("app").textContent =
    "The viewer could not be loaded from " + address + ". This page needs the network, or the viewer in it.";
  const next = () => load(place + 1);
  const script = Object.assign(document.createElement("script"),
    { type: "module", crossOrigin: "anonymous", integrity: hash, src: addresses[place], onerror: next });
  document.body.append(script);
};
load(0);
"""
_STYLE = "html,body,#app,#app>div,.vitessce-container{height:100%;margin:0}body{font-family:system-ui,sans-serif}"


def check_viewer(script: bytes, name: str) -> bytes:
    """Check that a file is the viewer that this page was made for.

    Raises:
        UserError: The file is another one: a page must not embed an unknown script.
    """
    found = hashlib.sha256(script).hexdigest()
    if found != VIEWER_SHA256:
        raise UserError(
            f"viewer {name}: is not static/index.js of {VIEWER} (sha256 {found}). Fetch it from {VIEWER_ADDRESS}."
        )
    return script


def build_page(
    config: Mapping[str, Any], files: Mapping[str, bytes], *, viewer: bytes = b"", viewer_address: str = VIEWER_ADDRESS
) -> str:
    """Build the page.

    Args:
        config: Configuration of Vitessce; `files` has the content of addresses that begin with `INLINE`.
        files: Content by path below `INLINE`.
        viewer: Script of the viewer, as `check_viewer` returns it; empty to load it from `viewer_address`.
        viewer_address: Address of the script; the browser does not run a script with another hash.

    Returns:
        HTML of the whole page.
    """
    incoming = json.dumps({"root": "", "visualization_config": {"dataset_content": config}})
    stored = json.dumps({path: base64.b64encode(data).decode() for path, data in files.items()}, separators=(",", ":"))
    if viewer:
        # mtime=0: the same input gives the same page.
        packed = base64.b64encode(gzip.compress(viewer, 9, mtime=0)).decode()
        script = f'<script type="text/plain" id="viewer">{packed}</script>\n<script type="module">{_UNPACK}</script>'
    else:
        digest = base64.b64encode(bytes.fromhex(VIEWER_SHA256)).decode()
        told = json.dumps({"address": viewer_address, "hash": f"sha256-{digest}"})
        script = f'<script type="application/json" id="viewer">{_safe(told)}</script>\n<script>{_LOAD}</script>'
    body = (
        f'<div id="app" data-incoming="{escaped(incoming)}"></div>\n'
        f'<script type="application/json" id="files">{_safe(stored)}</script>\n<script>{_FETCH}</script>\n{script}'
    )
    return document(str(config["name"]), body, head=f"<style>{_STYLE}</style>")


def _safe(text: str) -> str:
    """Return JSON in which `<` is escaped: it occurs only in strings, and would end the script element."""
    return text.replace("<", "\\u003c")

"""Galaxy's web client and its image viewers, as one folder of static files: `.venv/galaxy/static`."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.setup import VENVS, SetupError, cache_folder

STATIC = VENVS / "galaxy" / "static"
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # of Debian


@dataclass(frozen=True)
class Viewer:
    """A visualization of Galaxy, as published in the npm registry."""

    name: str
    version: str
    sha256: str


VITESSCE = Viewer("vitessce", "0.0.5", "cf323b94a0ca49e2f358f4f59516694d424b533add2731f6d26ca9a3e9af83d4")
VIEWERS = (
    Viewer("vizarr", "0.1.8", "c09c8017e9bd69a2ed24ae3af32e61cfaa0d4e563b31aea1e2ffdd32877217bf"),
    Viewer("tiffviewer", "0.0.3", "bd1f5168de34ecba1cf85cc872b6a113c8ce605eeb252a7639f46da1934e7544"),
    VITESSCE,
)

# Vizarr imports a JPEG 2000 decoder from a CDN and shows nothing where that cannot be reached. No image of this
# suite is compressed in that way.
JPX_IMPORT = re.compile(r'(?<=from")https://[^"]+/jpx\.js(?=")')
JPX_STUB = """export class JpxImage {
  parse() { throw new Error("JPEG 2000 is not supported by this offline copy of Vizarr"); }
}
"""


def install_frontend() -> None:
    """Assemble the web client and the viewers, unless this environment has them already.

    Raises:
        SetupError: The client's files or a viewer could not be fetched.
    """
    if STATIC.exists():
        return
    print("Galaxy's web client and image viewers", flush=True)
    with tempfile.TemporaryDirectory(dir=STATIC.parent) as folder:
        static = Path(folder) / "static"
        # Links, not copies: the web client has 34 MB. Absolute, because the folder is renamed below.
        _run([VENVS / "galaxy" / "bin" / "galaxy-web-client-install", "--mode", "absolute", static])
        for viewer in VIEWERS:
            target = static / "plugins" / "visualizations" / viewer.name / "static"
            _unpack(fetch_package(viewer), target)
        _make_offline(static / "plugins" / "visualizations" / "vizarr" / "static")
        static.rename(STATIC)


def fetch_package(viewer: Viewer) -> Path:
    """Return the viewer's package from the cache, or fetch it with the npm of Galaxy's environment."""
    folder = cache_folder() / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / f"galaxyproject-{viewer.name}-{viewer.version}.tgz"
    if not package.exists():
        with tempfile.TemporaryDirectory(dir=folder) as download:
            npm = VENVS / "galaxy" / "bin" / "npm"
            spec = f"@galaxyproject/{viewer.name}@{viewer.version}"
            _run([npm, "pack", "--loglevel=error", "--pack-destination", download, spec])
            (Path(download) / package.name).replace(package)
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    if found != viewer.sha256:
        package.unlink()
        raise SetupError(f"{package.name}: sha256 is {found}, expected {viewer.sha256}. Run the set-up again.")
    return package


def node_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables with which Node trusts the certificates that this machine trusts.

    Node has its own list; behind a proxy that opens TLS, the proxy's certificate is only in the machine's list.
    """
    known = {name: environment.get(name) for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "PIP_CERT")}
    certificates = next((file for file in known.values() if file), SYSTEM_CERTIFICATES)
    return {**environment, "NODE_EXTRA_CA_CERTS": certificates}


def _unpack(package: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(package, folder, format="gztar")
        shutil.copytree(Path(folder) / "package" / "static", target)


def _make_offline(static: Path) -> None:
    index = static / "index.js"
    # newline="" keeps the bytes of the bundle as they are
    with index.open(encoding="utf-8", newline="") as source:
        text, count = JPX_IMPORT.subn("./jpx.js", source.read(), count=1)
    if count != 1:
        raise SetupError(f"{index}: the import of jpx.js was not found; another version of Vizarr?")
    with index.open("w", encoding="utf-8", newline="") as target:
        target.write(text)
    (static / "jpx.js").write_text(JPX_STUB)


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        env=node_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"{command[0]} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")

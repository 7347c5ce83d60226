"""What tests of the OMERO tools share: a user with content in a group, how to start a tool, connections that break."""

import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import omero
import omero.clients
import pytest
from omero.rtypes import rbool, rstring, unwrap

from bioimage_suite.omero.waiting import PixelsWait
from tests.galaxy.seed_omero import link, make_image


@dataclass
class Lab:
    """A user, alone in a new group unless others join, and what a test puts there."""

    host: str
    port: int
    user: str
    password: str
    group: str
    client: Any
    root: Any
    monkeypatch: pytest.MonkeyPatch
    clients: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def session(self) -> Any:
        return self.client.getSession()

    def save(self, thing: Any) -> int:
        return int(self.session.getUpdateService().saveAndReturnObject(thing).id.val)

    def container(self, kind: str, name: str) -> int:
        made = getattr(omero.model, f"{kind}I")()
        made.name = rstring(name)
        return self.save(made)

    def image(
        self, name: str, planes: dict[Any, Any] | np.ndarray, dataset: int | None = None, channels: Any = ("DAPI",)
    ) -> int:
        """Make an image of one plane (rows, columns), or of planes by (z, c, t)."""
        if isinstance(planes, np.ndarray):
            planes = {(0, 0, 0): planes}
        number = make_image(self.session, name, planes, list(channels))
        if dataset is not None:
            child = omero.model.ImageI(number, False)
            link(self.session, "DatasetImageLinkI", omero.model.DatasetI(dataset, False), child)
        return number

    def annotate(self, image_id: int, annotation: Any) -> int:
        number = self.save(annotation)
        unloaded = type(annotation)(number, False)
        link(self.session, "ImageAnnotationLinkI", omero.model.ImageI(image_id, False), unloaded)
        return number

    def rows(self, hql: str) -> list[list[Any]]:
        found = self.session.getQueryService().projection(hql, omero.sys.ParametersI())
        return [[omero.rtypes.unwrap(value) for value in row] for row in found]

    def colleague(self) -> "Lab":
        """Another user of the same group."""
        user = _make_user(self.root, self.group, "secret-2")
        client = _login(self.host, self.port, user, "secret-2")
        self.clients.append(client)
        return Lab(self.host, self.port, user, "secret-2", self.group, client, self.root, self.monkeypatch)

    def stranger(self) -> "Lab":
        """A user of another group."""
        group = _make_group(self.root)
        user = _make_user(self.root, group, "secret-3")
        client = _login(self.host, self.port, user, "secret-3")
        self.clients.append(client)
        return Lab(self.host, self.port, user, "secret-3", group, client, self.root, self.monkeypatch)

    def join(self, group: str) -> None:
        """Become a member of one more group."""
        admin = self.root.getSession().getAdminService()
        groups = [omero.model.ExperimenterGroupI(admin.lookupGroup(group).id.val, False)]
        admin.addGroups(admin.lookupExperimenter(self.user), groups)

    def sign_in(self) -> None:
        """Let the tools use this user's name and password."""
        self.monkeypatch.delenv("OMERO_SESSION_KEY", raising=False)
        self.monkeypatch.setenv("OMERO_USER", self.user)
        self.monkeypatch.setenv("OMERO_PASSWORD", self.password)

    def run(self, module: Any, folder: Path, outputs: dict[str, str], **config: Any) -> dict[str, Path]:
        """Run a tool's main within this process; returns the path of each output."""
        file = folder / f"{uuid.uuid4().hex}.json"
        file.write_text(json.dumps({"omero_host": self.address, "omero_group": "", **config}))
        paths = {name: folder / value for name, value in outputs.items()}
        arguments = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
        self.monkeypatch.setattr(sys, "argv", [module.__name__, "--config", str(file), *arguments])
        module.main()
        return paths


def typed(kind: str, objects: Any, by: str = "name") -> dict[str, str]:
    """A target as the tool's form gives it."""
    return {"source": "typed", "kind": kind, "by": by, "objects": str(objects)}


def from_table(path: Path) -> dict[str, Any]:
    return {"source": "table", "table": {"element_identifier": "table", "source_path": str(path)}}


def named(identifier: str, path: Path) -> dict[str, str]:
    """A file of a Galaxy list."""
    return {"element_identifier": identifier, "source_path": str(path)}


def read_rows(path: Path) -> list[dict[str, str]]:
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


@contextmanager
def make_lab(
    server: Any, monkeypatch: pytest.MonkeyPatch, known: Lab | None = None, permissions: str = "rwrw--"
) -> Iterator[Lab]:
    """A lab on any server, that of a user who is known already or a new one; its connections end with the block."""
    root = _login(server.host, server.port, "root", server.root_password)
    group = known.group if known else _make_group(root, permissions)
    user = known.user if known else _make_user(root, group, "secret-1")
    client = _login(server.host, server.port, user, "secret-1")
    found = Lab(server.host, server.port, user, "secret-1", group, client, root, monkeypatch, [root, client])
    found.sign_in()
    try:
        yield found
    finally:
        for one in found.clients:
            with suppress(Exception):
                one.closeSession()


class CuttingProxy:
    """Stands between a client and a server until it is told to cut every connection."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._interrupt = False
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        break_lines([self._listener, *self._sockets])

    def interrupt(self) -> None:
        """Cut every connection as soon as the client says something, but let new ones through.

        Cut at once, Ice may see it before the next call, and connect anew without an error.
        """
        self._interrupt = True

    def passing(self, _data: bytes, from_client: bool) -> None:
        """Is called before a piece of the talk is passed on; a subclass may count, keep or cut."""
        if from_client and self._interrupt:
            self._interrupt = False
            broken, self._sockets = self._sockets, []
            break_lines(broken)

    def _accept(self) -> None:
        with suppress(OSError), self._listener:
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                threading.Thread(target=self._pass, args=(near, far), daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            back = threading.Thread(target=self._copy, args=(far, near, False), daemon=True)
            back.start()
            self._copy(near, far, True)
            back.join()

    def _copy(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                self.passing(data, from_client)
                target.sendall(data)
        break_lines([source, target])


@contextmanager
def setting(lab: Lab, key: str, value: object) -> Iterator[None]:
    """Set a value of the server's configuration for the block; skip a test of the sandbox's test mode elsewhere."""
    if key.startswith("omero.sandbox.") and os.environ.get("OMERO_TEST_ADDRESS"):
        pytest.skip(f"{key} is a setting of the sandbox")
    config = lab.root.getSession().getConfigService()
    config.setConfigValue(key, str(value))
    try:
        yield
    finally:
        config.setConfigValue(key, "")


def allow_downloads(lab: Lab, policy: str) -> None:
    """Set which original files the members of the lab's group may download, such as "+plate"."""
    service = lab.root.getSession()
    group = service.getAdminService().lookupGroup(lab.group)
    group.config = [omero.model.NamedValue("omero.policy.binary_access", policy)]
    service.getUpdateService().saveObject(group)


def break_lines(sockets: list[socket.socket]) -> None:
    """Break connections; each socket is closed by the thread that serves it.

    Closed here, its number could belong to a new connection before a thread reads from it, which would take the bytes.
    """
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def fail_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: int, action: Callable[[], None]) -> None:
    """Do something before the given call (from 1) of a function."""
    original, calls = getattr(owner, name), []

    def replaced(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) == number:
            action()
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, replaced)


def _login(host: str, port: int, user: str, password: str) -> Any:
    client = omero.client(host=host, port=port)
    client.createSession(user, password)
    return client


def _make_group(root: Any, permissions: str = "rwrw--") -> str:
    name = f"group-{uuid.uuid4().hex[:12]}"
    made = omero.model.ExperimenterGroupI()
    made.name, made.ldap = rstring(name), rbool(False)
    made.details.permissions = omero.model.PermissionsI(permissions)
    root.getSession().getAdminService().createGroup(made)
    return name


def _make_user(root: Any, group: str, password: str) -> str:
    admin = root.getSession().getAdminService()
    name = f"user-{uuid.uuid4().hex[:12]}"
    person = omero.model.ExperimenterI()
    person.omeName = person.firstName = person.lastName = rstring(name)
    person.ldap = rbool(False)
    ids = (admin.lookupGroup(group).id.val, admin.getSecurityRoles().userGroupId)
    groups = [omero.model.ExperimenterGroupI(number, False) for number in ids]
    admin.createExperimenterWithPassword(person, rstring(password), groups[0], groups)
    return name


def picture(seed: int, shape: tuple[int, ...] = (20, 30), dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)


def pixels_of(lab: Lab, image: str | int) -> np.ndarray:
    """Pixels (t, c, z, y, x)."""
    query = f"select p from Pixels p join fetch p.pixelsType where p.image.id = {image}"
    pixels = lab.session.getQueryService().findByQuery(query, None)
    sizes = [unwrap(getattr(pixels, f"size{axis}")) for axis in "TCZYX"]
    store = lab.session.createRawPixelsStore()
    PixelsWait(time.sleep).until_ready(lambda: store.setPixelsId(pixels.id.val, False), f"image {image}")
    planes = [store.getPlane(z, c, t) for t, c, z in np.ndindex(*sizes[:3])]
    store.close()
    dtype = np.dtype(unwrap(pixels.pixelsType.value)).newbyteorder(">")
    return np.frombuffer(b"".join(planes), dtype).reshape(sizes)


def count(lab: Lab, model: str) -> int:
    return int(lab.rows(f"select count(o) from {model} o")[0][0])


def all_counts(lab: Lab) -> dict[str, int]:
    models = ("Image", "Fileset", "Dataset", "Project", "Screen", "Plate", "Roi", "Annotation", "OriginalFile")
    return {model: count(lab, model) for model in models}


def plate_members(fields: dict[str, list[np.ndarray]], folder: Path) -> dict[str, bytes]:
    """The files of an OME-Zarr 0.4 plate: images (y, x) by well path such as "A/1"."""
    import zarr

    root = zarr.open_group(folder / "p.zarr", mode="w", zarr_format=2)
    rows, columns = (sorted({path.split("/")[part] for path in fields}) for part in (0, 1))
    wells = [
        {"path": path, "rowIndex": rows.index(path.split("/")[0]), "columnIndex": columns.index(path.split("/")[1])}
        for path in fields
    ]
    named_rows, named_columns = ([{"name": name} for name in names] for names in (rows, columns))
    plate: dict[str, Any] = {
        "name": "assay",
        "rows": named_rows,
        "columns": named_columns,
        "wells": wells,
        "version": "0.4",
    }
    root.attrs["plate"] = {**plate, "field_count": max(map(len, fields.values()))}
    for path, images in fields.items():
        well = root.require_group(path)
        well.attrs["well"] = {"images": [{"path": str(n)} for n in range(len(images))], "version": "0.4"}
        for number, image in enumerate(images):
            group = well.create_group(str(number))
            group.create_array("0", data=image, chunks=image.shape)
            axes = [{"name": name, "type": "space"} for name in "yx"]
            scale = [{"type": "scale", "scale": [1.0, 1.0]}]
            datasets: list[Any] = [{"path": "0", "coordinateTransformations": scale}]
            group.attrs["multiscales"] = [{"axes": axes, "datasets": datasets, "version": "0.4"}]
    return {
        f"assay.zarr/{path.relative_to(folder / 'p.zarr')}": path.read_bytes()
        for path in (folder / "p.zarr").rglob("*")
        if path.is_file()
    }

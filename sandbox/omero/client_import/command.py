"""`omero import` in pure Python, which OMERO's clients start in place of the Java importer.

    export OMERODIR=<suite>/sandbox/omero/without_java PATH=<suite>/sandbox/omero/without_java/bin:$PATH
    omero import -T Dataset:name:new image.ome.tif

omero-py's `import` reads its command line and calls `java ... CommandLineImporter <arguments>`; so do
ezomero.ezimport and omero-cli-transfer. In the folder above they find a `java` that runs this module. It takes
the arguments of OMERO 5.6's importer and prints what that prints, for the files that `image_files` reads.
An option that it cannot honour is an error; none is silently ignored.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.omero.client_import.importing import (
    Imported,
    ImportFailed,
    ImportOptions,
    client_paths,
    filesets,
    import_with_options,
    same_content,
)
from sandbox.omero.image_files import ImageFileError, open_image_file
from sandbox.omero.image_files.ome_zarr import is_zarr
from sandbox.omero.repository.checksums import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAIN_CLASS = "ome.formats.importer.cli.CommandLineImporter"
DEPTH = "-Domero.import.depth="
# Nothing to switch here: thumbnails are made when they are looked at, and upgrades are never searched for.
WITHOUT_EFFECT = ("--no-thumbnails", "--no-upgrade-check", "--advanced-help")
WITHOUT_EFFECT_VALUES = ("--parallel-upload", "--parallel-fileset", "--debug", "--encrypted", "--transfer")
REFUSED = ("-l", "--readers", "--report", "--upload", "--logs", "--email", "--qa-baseurl")


class CommandError(Exception):
    """A command line that cannot be carried out; the message says why."""


def parser() -> argparse.ArgumentParser:
    """Return a parser of the importer's options (`omero import --javahelp` of OMERO 5.6)."""
    made = argparse.ArgumentParser(prog="omero import", description=__doc__, allow_abbrev=False)
    for name, explanation in (
        ("-s", "server"),
        ("-p", "port"),
        ("-k", "session key"),
        ("-d", "id of a dataset for the images, or Dataset:<id>"),
        ("-r", "id of a screen for the plates, or Screen:<id>"),
    ):
        made.add_argument(name, help=explanation)
    made.add_argument("-T", "--target", help="Dataset:<id>, Dataset:name:<name>, Screen:<id> or Screen:name:<name>")
    made.add_argument("-n", "--name", "--plate_name", help="name of the images or plates")
    made.add_argument("-x", "--description", "--plate_description", help="description of the images or plates")
    made.add_argument("-f", action="store_true", help="show the files of each fileset, import nothing")
    made.add_argument("-c", action="store_true", help="go on after an error")
    made.add_argument("--output", choices=["ids", "legacy", "yaml"], default="ids")
    made.add_argument("--exclude", choices=["clientpath", "filename", "content"], action="append", default=[])
    made.add_argument("--checksum-algorithm", choices=list(CHECKSUMS), default="SHA1-160")
    made.add_argument("--annotation-ns", "--annotation_ns", action="append", default=[])
    made.add_argument("--annotation-text", "--annotation_text", action="append", default=[])
    made.add_argument("--annotation-link", "--annotation_link", action="append", default=[], type=int)
    made.add_argument("--no-stats-info", action="store_true", help="store no minima and maxima")
    for name in WITHOUT_EFFECT:
        made.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    for name in WITHOUT_EFFECT_VALUES:
        made.add_argument(name, help=argparse.SUPPRESS)
    made.add_argument("path", nargs="*")
    return made


def candidates(paths: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the images to import: files and OME-Zarr folders as named, and every readable image of other folders."""
    for given in paths:
        path = Path(given)
        if not path.exists():
            raise CommandError(f"{given}: no such file")
        if path.is_dir() and not is_zarr(path):
            yield from _images_in(given.rstrip("/"), depth)
        else:
            yield given


def _images_in(folder: str, depth: int) -> Iterator[str]:
    for path in sorted(Path(folder).iterdir()):
        if path.is_dir() and not is_zarr(path):
            if depth > 1:
                yield from _images_in(f"{folder}/{path.name}", depth - 1)
        elif _is_image(path):
            yield f"{folder}/{path.name}"


def _is_image(path: Path) -> bool:
    try:
        open_image_file(path).close()
    except ImageFileError:
        return False
    return True


def find_target(client: Any, options: argparse.Namespace) -> tuple[str, int] | None:
    """Return what the images go into; make a container given by name where there is none."""
    target = options.target
    for kind, given in (("Dataset", options.d), ("Screen", options.r)):
        if given:  # as CommandLineImporter.java reads them: a number, or the form of -T
            target = given if given.startswith(f"{kind}:") else f"{kind}:{given}"
    if not target:
        return None
    kind, _, value = target.partition(":")
    if kind not in ("Dataset", "Screen"):
        raise CommandError(f"target {target}: only Dataset and Screen are supported")
    value = value.removeprefix("id:")
    if value.isdigit():
        return kind, int(value)
    if not value.startswith("name:"):
        raise CommandError(f"target {target}: only <id> and name:<name> are supported")
    return kind, _container(client, kind, value.removeprefix("name:"))


def _container(client: Any, kind: str, name: str) -> int:
    """Return the newest of the user's containers with this name, or make one."""
    import omero.sys
    from omero.rtypes import rstring

    parameters = omero.sys.ParametersI().addString("name", name)
    parameters.addLong("owner", client.sf.getAdminService().getEventContext().userId)
    text = f"select c.id from {kind} c where c.name = :name and c.details.owner.id = :owner order by c.id desc"
    found = client.sf.getQueryService().projection(text, parameters)
    if found:
        newest: int = found[0][0].val
        return newest
    made = getattr(omero.model, f"{kind}I")()
    made.name = rstring(name)
    new: int = client.sf.getUpdateService().saveAndReturnObject(made).id.val
    return new


def annotation_ids(client: Any, options: argparse.Namespace) -> tuple[int, ...]:
    """Return the annotations for the images: those named by id, and a new comment for each text with its namespace."""
    import omero.model
    from omero.rtypes import rstring

    made = list(options.annotation_link)
    if len(options.annotation_ns) not in (0, len(options.annotation_text)):
        raise CommandError("--annotation-ns has to be given as often as --annotation-text, or not at all")
    namespaces = options.annotation_ns or [None] * len(options.annotation_text)
    for namespace, text in zip(namespaces, options.annotation_text, strict=True):
        comment = omero.model.CommentAnnotationI()
        comment.textValue = rstring(text)
        comment.ns = rstring(namespace) if namespace else None
        made.append(client.sf.getUpdateService().saveAndReturnObject(comment).id.val)
    return tuple(made)


def is_excluded(client: Any, file: Path, path: str, ways: Sequence[str]) -> bool:
    """Return whether a file was imported before: the same path, the same name, or the same content."""
    import omero.sys

    texts = {
        "clientpath": ("select u.id from FilesetEntry u where u.clientPath = :value", path),
        "filename": ("select u.id from FilesetEntry u where u.originalFile.name = :value", file.name),
    }
    query = client.sf.getQueryService()
    for way in ways:
        if way == "content":
            found: list[Any] = same_content(client, file)
        else:
            text, value = texts[way]
            found = query.projection(text, omero.sys.ParametersI().addString("value", value))
        if found:
            return True
    return False


def report(done: Imported, style: str) -> None:
    """Print what was imported: ids to standard output, the rest to standard error (LoggingImportMonitor.java)."""
    kind, ids = ("Plate", done.plate_ids) if done.plate_ids else ("Image", done.image_ids)
    if style == "yaml":
        print(f"- Fileset: {done.fileset_id}\n  {kind}: [{', '.join(map(str, ids))}]", flush=True)
        return
    others = [f"Fileset:{done.fileset_id}"]
    if style == "legacy":
        print("Imported pixels:", file=sys.stderr)
        print(*done.pixels_ids, sep="\n", flush=True)
        others += [f"{kind}:{number}" for number in ids]
    else:
        print(f"{kind}:{','.join(map(str, ids))}", flush=True)
    print("Other imported objects:", *others, sep="\n", file=sys.stderr)


def import_all(client: Any, paths: Sequence[str], options: argparse.Namespace) -> int:
    """Import each fileset; return how many failed."""
    chosen = ImportOptions(
        find_target(client, options),
        options.name,
        options.description,
        annotation_ids(client, options),
        options.checksum_algorithm,
        without_stats=options.no_stats_info,
    )
    failed = 0
    if options.output == "yaml":
        print("---", flush=True)
    for given, files in filesets(paths):
        if is_excluded(client, files[0], client_paths(files, given)[0], options.exclude):
            print(f"{files[0]}: excluded, it was imported before", file=sys.stderr)
            continue
        before = same_content(client, files[0])
        if before:
            print(f"{files[0]}: same content as Image:{','.join(map(str, before))}", file=sys.stderr)
        try:
            report(import_with_options(client, files, chosen, given), options.output)
        except ImportFailed as error:
            failed += 1
            print(f"ERROR: {error}", file=sys.stderr)
            if not options.c:
                break
    return failed


def show_files(paths: Sequence[str]) -> None:
    """Print the files of each fileset."""
    for _, files in filesets(paths):
        print("#" + "=" * 38, f"# Group: {files[0]}", *files, sep="\n")


def connect(options: argparse.Namespace) -> Any:
    """Join the session that omero-py has opened, and return the client."""
    import omero

    client = omero.client(options.s or "localhost", int(options.p or 4064))
    client.joinSession(options.k)
    return client


def main(argv: Sequence[str]) -> int:
    """Import what the arguments of `java` name; return 0 if all of it is imported."""
    at = list(argv).index(MAIN_CLASS) if MAIN_CLASS in argv else -1
    depth = next((int(a.removeprefix(DEPTH)) for a in argv[: at + 1] if a.startswith(DEPTH)), 4)
    given = list(argv[at + 1 :])
    try:
        for name in REFUSED:
            if name in given:
                raise CommandError(f"{name} is not supported by the import without Java")
        options = parser().parse_args(given)
        if options.transfer not in (None, "upload"):
            raise CommandError(f"--transfer={options.transfer}: only upload is supported by the import without Java")
        paths = list(candidates(options.path, depth))
        if not paths:
            raise CommandError("no image to import; TIFF, OME-TIFF, PNG, JPEG, OME-Zarr and .fake need no Java")
        if options.f:
            show_files(paths)
            return 0
        client = connect(options)
        try:
            return import_all(client, paths, options)
        finally:
            client.__del__()  # leaves the session to omero-py, which opened it
    except CommandError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

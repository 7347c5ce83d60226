"""Test the tools and workflows on a real Galaxy and an OMERO sandbox of their own, both thrown away afterwards.

python -m tests.galaxy.run                                          # everything
python -m tests.galaxy.run tools/image/segment_objects/segment_objects.xml ...   # these tools or workflows (.ga) only
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bioblend.galaxy import GalaxyInstance

from sandbox import process, servers
from sandbox.galaxy import server as galaxy_server
from sandbox.process import SandboxError
from sandbox.state import OmeroServer, Sandbox
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from tests.galaxy import secret_watch
from tests.galaxy.archive import serving_archive
from tests.galaxy.must_stop import check_bad_runs
from tests.galaxy.omero_round_trip import round_trip_of, write_round_trips
from tests.galaxy.seed_omero import PASSWORD, USER
from tests.galaxy.two_at_once import check_two_at_once
from tests.galaxy.upload_dialog import check_upload_dialog
from tests.run import PLANEMO, REPORTS, ROOT, tool_files

# What the tools' and workflows' tests name as servers; the copy that is tested has the live ones instead.
OMERO_PLACEHOLDER = "127.0.0.1:14064"
ARCHIVE_PLACEHOLDER = "127.0.0.1:14080"
TEST_SECONDS = 600


def copy_suite(target: Path, live: Mapping[str, str]) -> None:
    """Copy tools and workflows, with the live servers in place of the placeholders.

    Args:
        target: Folder that gets `tools/`, `workflows/` and links to `src/` and `test-data/`, so that relative paths
            between them stay good.
        live: `host:port` by placeholder.
    """
    for name in ("tools", "workflows"):
        # Links between the groups are resolved, as packaging for the Tool Shed does.
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    write_round_trips(target / "workflows")
    for name in ("src", "test-data"):
        (target / name).symlink_to(ROOT / name)
    for pattern in ("tools/**/*.xml", "workflows/*/*-tests.yml"):
        for file in target.glob(pattern):
            text = file.read_text()
            for placeholder, address in live.items():
                text = text.replace(placeholder, address)
            file.write_text(text)


def fill_data_tables(folder: Path) -> None:
    """Give the new Galaxy the rows that tests of tools choose from: their `test-data/*.loc`."""
    folder.parent.mkdir(mode=0o700)
    folder.mkdir()
    for file in (ROOT / "tools").glob("*/*/test-data/*.loc"):
        # Galaxy puts the folder of the .loc in its place; in a Tool Shed repository the files lie there.
        rows = file.read_text().replace("${__HERE__}", str(ROOT / "test-data"))
        (folder / file.name).write_text(rows)


def seed(omero: OmeroServer) -> None:
    """Fill the OMERO sandbox with what the tests expect."""
    subprocess.run(
        [sys.executable, "-m", "tests.galaxy.seed_omero", omero.host, str(omero.port)],
        cwd=ROOT,
        env={**os.environ, "OMERO_SANDBOX_ROOT_PASSWORD": omero.root_password},
        stdin=subprocess.DEVNULL,
        check=True,
    )


def store_credentials(sandbox: Sandbox) -> None:
    """Give Galaxy's user the test account of OMERO, for the steps of workflows; tool tests bring their own."""
    gi = GalaxyInstance(sandbox.galaxy.url, key=sandbox.galaxy.user_key)
    store_omero_login(gi, OmeroLogin(USER, PASSWORD), tools_that_want_omero(gi))


def planemo_test(sandbox: Sandbox, files: list[str], report: Path) -> int:
    """Run the tests of tools, or of workflows (the two together are more than planemo takes in one call).

    Args:
        sandbox: The servers.
        files: Tools' XML files, or workflows' .ga files.
        report: JUnit file to write.

    Returns:
        planemo's exit code.
    """
    command = [*PLANEMO, "test", "--engine", "external_galaxy", "--galaxy_url", sandbox.galaxy.url]
    command += ["--galaxy_admin_key", sandbox.galaxy.admin_key, "--galaxy_user_key", sandbox.galaxy.user_key]
    command += ["--no_dependency_resolution", "--test_timeout", str(TEST_SECONDS)]
    command += ["--test_output", str(report.with_suffix(".html"))]
    command += ["--test_output_json", str(report.with_suffix(".json")), "--test_output_junit", str(report)]
    return subprocess.run([*command, *files], cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


def run_tests(sandbox: Sandbox, files: list[str], reports: Path, folder: Path) -> bool:
    """Run the tests of tools, then those of workflows; say whether every one passed.

    One planemo at a time: of two at once, Galaxy on SQLite now and then refused a credential or lost an upload.
    """
    codes = []
    tools = [file for file in files if file.endswith(".xml")]
    if tools:
        gi = GalaxyInstance(sandbox.galaxy.url, key=sandbox.galaxy.user_key)
        watch = secret_watch.SecretWatch(folder / "galaxy", gi, [PASSWORD])
        with secret_watch.watching(watch):
            codes.append(planemo_test(sandbox, tools, reports / "planemo-tools.xml"))
            if any(Path(file).name.startswith("omero_") for file in tools):
                secret_watch.run_by_key(sandbox, watch)
        watch.look_at_the_end([folder / "omero" / "log", reports])
        watch.expect({Path(file).stem for file in tools if Path(file).name.startswith("omero_")})
        codes.append(0 if secret_watch.report(watch, reports / "secrets.json") else 1)
        codes.append(0 if check_upload_dialog(gi, sandbox.omero, tools) else 1)
    workflows = [file for file in files if file.endswith(".ga")]
    if workflows:
        # Only now: a tool's test stores the credentials that it brings, and forgets them.
        store_credentials(sandbox)
        codes.append(planemo_test(sandbox, workflows, reports / "planemo-workflows.xml"))
        gi = GalaxyInstance(sandbox.galaxy.url, key=sandbox.galaxy.user_key)
        codes.append(0 if check_bad_runs(gi, workflows) else 1)
        codes.append(0 if check_two_at_once(gi, sandbox.omero, workflows) else 1)
    return not any(codes)


def run_suite(folder: Path, chosen: list[str], reports: Path, archive_address: str) -> bool:
    """Start OMERO and Galaxy in `folder`, run the tests of the chosen files, or all; say whether every one passed."""
    suite = folder / "suite"
    omero = servers.start_omero(folder / "omero")
    try:
        copy_suite(suite, {OMERO_PLACEHOLDER: omero.address, ARCHIVE_PLACEHOLDER: archive_address})
        files = chosen or [*tool_files(), *map(str, sorted((ROOT / "workflows").glob("*/*.ga")))]
        copies = [str(suite / Path(file).resolve().relative_to(ROOT)) for file in files]
        copies += [str(made) for file in copies if (made := round_trip_of(Path(file))).exists()]
        seed(omero)
        fill_data_tables(folder / "galaxy" / "tool-data")
        galaxy = galaxy_server.start(folder / "galaxy", suite / "tools")
        try:
            return run_tests(Sandbox(omero, galaxy), copies, reports, folder)
        finally:
            galaxy_server.stop(galaxy)
            for log in ("galaxy.log", "celery.log"):
                shutil.copy(folder / "galaxy" / log, reports / f"server-{log}")
    finally:
        process.stop(omero.processes)


def main(argv: list[str] | None = None) -> int:
    """Test all files or those named; 0 if every test passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="*", help="tools' XML files or workflows' .ga files")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder for planemo's reports")
    parser.add_argument("--keep", action="store_true", help="keep the servers' folder, with their logs")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args.reports.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=ROOT / ".sandbox"))
    try:
        with serving_archive() as archive_address:
            return 0 if run_suite(folder, args.file, args.reports.resolve(), archive_address) else 1
    except SandboxError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if args.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

"""The set-up: what is there is left alone, what is half-made is made again, what is missing is named."""

import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from sandbox import setup
from sandbox.setup import SetupError, freeze, frontend, ice_wheel, network, system, venvs
from sandbox.setup.freeze import pins
from sandbox.setup.zeroc_ice import side_by_side


@pytest.fixture
def empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment "one" in a folder of its own; making it and filling it take no time."""

    def create_empty(name: str) -> None:
        shutil.rmtree(venvs.VENVS / name, ignore_errors=True)
        (venvs.VENVS / name / "bin").mkdir(parents=True)
        venvs.python_of(name).symlink_to(sys.executable)

    requirements = tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "one.txt").write_text("# nothing\n")
    monkeypatch.setattr(venvs, "VENVS", tmp_path / "venv")
    monkeypatch.setattr(venvs, "REQUIREMENTS", requirements)
    monkeypatch.setattr(venvs, "_create_empty", create_empty)
    monkeypatch.setattr(venvs, "_run_with_progress", lambda *_: True)
    monkeypatch.setattr(venvs, "require_packages_to_fetch", lambda _: None)
    return "one"


def test_a_whole_environment_is_left_alone(empty_environment: str):
    venvs.install(empty_environment)
    assert venvs.is_installed(empty_environment)
    made = venvs.python_of(empty_environment).lstat().st_ino
    venvs.install(empty_environment)
    assert venvs.python_of(empty_environment).lstat().st_ino == made


def test_a_worktree_with_a_link_has_the_environments_of_the_other_checkout(tmp_path: Path):
    """Else its set-up would make them anew below the servers that run from them."""
    package = tmp_path / "worktree" / "sandbox" / "setup"
    package.mkdir(parents=True)
    shutil.copy(setup.__file__, package)
    (tmp_path / "other" / ".venv").mkdir(parents=True)
    (tmp_path / "worktree" / ".venv").symlink_to(tmp_path / "other" / ".venv")
    ask = [sys.executable, "-c", "from sandbox.setup import VENVS; print(VENVS)"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "worktree")}
    found = subprocess.run(ask, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(tmp_path / "other" / ".venv")


def test_an_interrupted_environment_is_made_again(empty_environment: str):
    venvs.install(empty_environment)
    folder = venvs.VENVS / empty_environment
    (folder / ".installed").unlink()
    (folder / "half").touch()
    venvs.install(empty_environment)
    assert not (folder / "half").exists()
    assert venvs.is_installed(empty_environment)


def test_changed_requirements_are_seen(empty_environment: str):
    venvs.install(empty_environment)
    (venvs.REQUIREMENTS / "one.txt").write_text("# something else\n")
    assert not venvs.is_installed(empty_environment)


def test_a_failed_installation_names_its_log_and_leaves_no_stamp(empty_environment: str, monkeypatch):
    monkeypatch.setattr(venvs, "_run_with_progress", lambda *_: False)
    with pytest.raises(SetupError, match=r"one\.log"):
        venvs.install(empty_environment)
    assert not venvs.is_installed(empty_environment)


def test_other_packages_are_fetched_while_one_is_compiled(empty_environment: str, monkeypatch, tmp_path: Path):
    (venvs.REQUIREMENTS / "one.txt").write_text("a==1  # why\nzeroc-ice==3.6.5\nb==2\n")
    seen: list[tuple[list[str], bool]] = []
    fetched = threading.Event()

    def pip(command: list[str], *_: object) -> bool:
        names = [line.split("=")[0] for line in Path(command[command.index("-r") + 1]).read_text().splitlines()]
        seen.append(([name for name in names if name in {"a", "b", "zeroc-ice"}], "--find-links" in command))
        fetched.set()
        return True

    def compile_slowly(_: Path) -> Path:
        assert fetched.wait(10)  # not before pip has the others
        return tmp_path

    monkeypatch.setattr(venvs, "_run_with_progress", pip)
    venvs.install(empty_environment, make_wheels=compile_slowly)
    assert seen == [(["a", "b"], False), (["zeroc-ice"], True)]


@pytest.mark.parametrize("address", ["https://index.invalid/simple", "http://127.0.0.1:9/simple"])
def test_an_index_that_cannot_be_reached_is_told_at_once(monkeypatch, tmp_path: Path, address: str):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", address.replace("://", "://jane:secret@"))
    network.require_packages_to_fetch.cache_clear()
    with pytest.raises(SetupError, match=r"package packaging==.*: pip cannot fetch it .*name a mirror") as said:
        network.require_packages_to_fetch(Path(sys.executable))
    assert "secret" not in str(said.value)


def test_packages_in_a_folder_are_enough(monkeypatch, tmp_path: Path):
    pin = next(line.split()[0] for line in network._pins() if line.startswith("packaging=="))
    with zipfile.ZipFile(tmp_path / f"{pin.replace('==', '-')}-py3-none-any.whl", "w") as wheel:
        folder = f"{pin.replace('==', '-')}.dist-info"
        name, version = pin.split("==")
        wheel.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{folder}/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    network.require_packages_to_fetch.cache_clear()
    network.require_packages_to_fetch(Path(sys.executable))


def test_files_compile_side_by_side_and_the_linker_waits_for_them(tmp_path: Path):
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\n[ "$1" = -c ] && sleep 1 && echo made > "$2" && exit\ncat "$@"\n')
    compiler.chmod(0o755)
    call = [sys.executable, str(ice_wheel.SIDE_BY_SIDE), str(tmp_path), str(compiler)]
    started = time.monotonic()
    subprocess.run([*call, "-c", str(tmp_path / "a.o")], check=True)
    assert time.monotonic() - started < 1  # did not wait for the compiler
    linked = subprocess.run([*call, str(tmp_path / "a.o")], check=True, capture_output=True, text=True)
    assert linked.stdout == "made\n"


def test_headers_are_compiled_once_by_the_flags_of_the_first_file(tmp_path: Path):
    compiler = tmp_path / "compiler"
    compiler.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/said\nfor one; do out=$one; done\ntouch "$out"\n')
    compiler.chmod(0o755)
    header = tmp_path / side_by_side.HEADERS
    command = [str(compiler), "-O1", "-c", "a.cpp", "-o", str(tmp_path / "a.o")]
    assert side_by_side.with_headers(tmp_path, command) == command  # there is no header
    header.touch()
    expected = [str(compiler), "-include", str(header), *command[1:]]
    assert [side_by_side.with_headers(tmp_path, command) for _ in range(2)] == [expected] * 2
    assert (tmp_path / "said").read_text() == f"-O1 -x c++-header {header} -o {header}.gch\n"
    plain = [str(compiler), "-c", "a.c", "-o", "a.o"]
    assert side_by_side.with_headers(tmp_path, plain) == plain


def test_another_python_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(system, "PYTHON", (3, 12))
    with pytest.raises(SetupError, match=sys.version.split()[0]):
        system.require_python()


def test_what_is_missing_and_not_permitted_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(system, "_root_prefix", lambda: None)
    packages = {"there": lambda: True, "libone-dev": lambda: False, "libtwo-dev": lambda: False}
    with pytest.raises(SetupError, match="apt-get install libone-dev libtwo-dev"):
        system.require_packages(packages, why="a test")


def test_what_is_missing_and_permitted_is_installed(monkeypatch: pytest.MonkeyPatch):
    installed: list[str] = []
    monkeypatch.setattr(system, "_root_prefix", lambda: [])
    monkeypatch.setattr(system.shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(system, "_apt_get", lambda _prefix, arguments, _hint: installed.extend(arguments))
    system.require_packages({"libone-dev": lambda: "libone-dev" in installed}, why="a test")
    assert installed == ["update", "install", "-y", "--no-install-recommends", "libone-dev"]


def test_pins_are_read_with_and_without_comments():
    assert pins("# a==1\nNum_Py==2.3.5   # why\n\nzope.interface==1.0\n") == {
        "num-py": "2.3.5",
        "zope-interface": "1.0",
    }


def test_freeze_keeps_the_upper_half_and_rewrites_the_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "one.txt"
    file.write_text(f"# why\nwanted==1.0  # because\n\n{freeze.MARKER}old==1\n")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nprintf 'needed==3\\nwanted==2.0\\n'\n")
    python.chmod(0o755)
    monkeypatch.setattr(freeze, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(freeze, "python_of", lambda _: python)
    freeze.freeze("one")
    assert file.read_text() == f"# why\nwanted==2.0  # because\n\n{freeze.MARKER}needed==3\n"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, frontend.SYSTEM_CERTIFICATES),
        ({"PIP_CERT": "/pip.pem"}, "/pip.pem"),
        ({"PIP_CERT": "/pip.pem", "NODE_EXTRA_CA_CERTS": "/node.pem"}, "/node.pem"),
    ],
)
def test_node_trusts_what_the_machine_trusts(given: dict[str, str], expected: str):
    assert frontend.node_environment(given)["NODE_EXTRA_CA_CERTS"] == expected

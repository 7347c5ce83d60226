"""The configuration files of the sandbox's Galaxy. A comment gives the reason for each unusual setting."""

import base64
import json
import os
import secrets
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from sandbox.private_file import write_private
from sandbox.process import ROOT

ADMIN_EMAIL = "admin@example.org"
ADMIN_NAME = "admin"
DATA_MANAGERS = "data_managers"
"""The group of tools that fill data tables."""
GROUP_NAMES = {"omero": "OMERO", "image": "Image analysis", "plate": "Plates and open tables", "fair": "FAIR data"}


@dataclass(frozen=True)
class Secrets:
    """The secrets of this Galaxy: made once, kept in its folder, readable by its owner only."""

    bootstrap_key: str
    """API key that may make users. It belongs to no user and owns no history."""
    password: str
    """Of the one user, ADMIN_EMAIL."""
    id_secret: str
    vault_key: str
    """Fernet key: 32 bytes in URL-safe base64."""

    @classmethod
    def random(cls) -> "Secrets":
        """Return new ones."""
        return cls(
            bootstrap_key=secrets.token_hex(16),
            password=secrets.token_urlsafe(12),
            id_secret=secrets.token_hex(16),
            vault_key=base64.urlsafe_b64encode(os.urandom(32)).decode(),
        )


@dataclass(frozen=True)
class Jobs:
    """Where Galaxy's jobs run."""

    config: dict[str, object]
    """Galaxy's `job_config`: its runners, and which job goes to which."""
    commands: str = ""
    """Folder with the commands of a batch system, put before Galaxy's PATH."""


CORES = len(os.sched_getaffinity(0))
"""Of this machine: a job over a list works on as many images at once."""

LOCAL_JOBS = Jobs(
    {
        # A worker also waits for the metadata of its job: with a worker a core, cores would wait for them.
        "runners": {"local": {"load": "galaxy.jobs.runners.local:LocalJobRunner", "workers": CORES + 2}},
        "execution": {"default": "tools", "environments": {"tools": {"runner": "local", "local_slots": CORES}}},
    }
)


def load_secrets(folder: Path) -> Secrets:
    """Return the secrets of this Galaxy; make them the first time."""
    file = folder / "secrets.json"
    if not file.exists():
        write_private(file, json.dumps(asdict(Secrets.random()), indent=1))
    return Secrets(**json.loads(file.read_text()))


def write_config(
    folder: Path,
    *,
    tools_dir: Path,
    known: Secrets,
    jobs: Jobs = LOCAL_JOBS,
    settings: Mapping[str, object] | None = None,
) -> Path:
    """Write all configuration files of a Galaxy into its folder.

    Args:
        folder: Galaxy's root and working directory; it writes nothing outside.
        tools_dir: Folder whose subfolders have the tools, one section of the tool panel each.
        known: Secrets of this Galaxy.
        jobs: Where its jobs run.
        settings: Settings of galaxy.yml in place of the sandbox's own.

    Returns:
        Path of galaxy.yml.
    """
    for name in ("data", "tours", "broker/queue", "broker/control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # Galaxy looks for it below its root, by this name; a tool's test finds its files there.
    (folder / "test-data").unlink(missing_ok=True)
    (folder / "test-data").symlink_to(ROOT / "test-data")
    (folder / "tool_conf.xml").write_text(_tool_conf(tools_dir))
    for tour in tour_files():
        shutil.copy(tour, folder / "tours")
    (folder / "sanitize_allowlist.txt").write_text("".join(f"{one}\n" for one in html_tools(tools_dir)))
    _write_data_tables(folder, tools_dir)
    vault = {"type": "database", "path_prefix": "/galaxy", "encryption_keys": [known.vault_key]}
    write_private(folder / "vault_conf.yml", json.dumps(vault))
    config = folder / "galaxy.yml"
    # JSON is YAML, and the standard library writes it.
    write_private(config, json.dumps({"galaxy": _settings(folder, known, jobs) | dict(settings or {})}, indent=1))
    return config


def html_tools(tools_dir: Path) -> list[str]:
    """Return the ids of the tools that write HTML, sorted."""
    roots = (ET.parse(file).getroot() for file in tools_dir.glob("*/*/*.xml"))  # noqa: S314 - files of this repository
    return sorted(
        root.get("id", "")
        for root in roots
        if root.tag == "tool" and root.find("outputs/*[@format='html']") is not None
    )


def tour_files() -> list[Path]:
    """Return the tours that the tutorials bring along."""
    return sorted(ROOT.glob("docs/training/topics/*/tutorials/*/tours/*.yaml"))


def _write_data_tables(folder: Path, tools_dir: Path) -> None:
    """Write the tables that tools choose from, and the data managers that fill them.

    What data managers have registered stays, in the folder's `tool-data/`.
    """
    tables = "".join(
        ET.tostring(table, encoding="unicode").replace("tool-data/", quoteattr(f"{folder}/tool-data/")[1:-1])
        for file in sorted(tools_dir.glob(f"{DATA_MANAGERS}/*/tool_data_table_conf.xml.sample"))
        for table in ET.parse(file).getroot()  # noqa: S314 - files of this repository
    )
    for sample in tools_dir.glob(f"{DATA_MANAGERS}/*/tool-data/*.loc.sample"):
        loc = folder / "tool-data" / sample.stem
        loc.parent.mkdir(exist_ok=True)
        loc.touch()
    # Without this file Galaxy uses a sample file that fetches from the network.
    (folder / "tool_data_table_conf.xml").write_text(f"<tables>{tables}</tables>\n")
    managers = []
    for file in sorted(tools_dir.glob(f"{DATA_MANAGERS}/*/data_manager_conf.xml")):
        for manager in ET.parse(file).getroot():  # noqa: S314 - files of this repository
            manager.set("tool_file", str(file.parent / manager.get("tool_file", "")))
            managers.append(ET.tostring(manager, encoding="unicode"))
    (folder / "data_manager_conf.xml").write_text(f"<data_managers>{''.join(managers)}</data_managers>\n")


def _tool_conf(tools_dir: Path) -> str:
    sections = []
    for group in sorted(path for path in tools_dir.iterdir() if any(path.glob("*/*.xml"))):
        if group.name == DATA_MANAGERS:  # They have a place of their own, in the administrator's pages.
            continue
        name = GROUP_NAMES.get(group.name, group.name)
        sections.append(
            f"  <section id={quoteattr(group.name)} name={quoteattr(name)}>\n"
            f'    <tool_dir dir={quoteattr(str(group))} recursive="true"/>\n'
            "  </section>\n"
        )
    collection_tools = (
        "build_list_1.2.0",
        "extract_dataset",
        "flatten_collection",
        "filter_failed_collection",
        "merge_collection",
        # With these two a workflow cuts a list into parts, one job each, and joins them again.
        "tag_collection_from_file",
        "apply_rules",
    )
    return "".join(
        [
            '<toolbox monitor="false">\n',
            '  <section id="getext" name="Get data">\n    <tool file="data_source/upload.xml"/>\n  </section>\n',
            *sections,
            '  <section id="collections" name="Collections">\n',
            *(f'    <tool file="${{model_tools_path}}/{name}.xml"/>\n' for name in collection_tools),
            "  </section>\n",
            "</toolbox>\n",
        ]
    )


def _settings(folder: Path, known: Secrets, jobs: Jobs) -> dict[str, object]:
    return {
        "brand": "Bioimage Suite",
        "admin_users": ADMIN_EMAIL,
        "bootstrap_admin_api_key": known.bootstrap_key,
        "id_secret": known.id_secret,
        # IMMEDIATE: a transaction takes its lock at the start, so that SQLite waits instead of failing half-way.
        "database_connection": f"sqlite:///{folder}/galaxy.sqlite?isolation_level=IMMEDIATE&timeout=30",
        "data_dir": str(folder / "data"),
        # No tool_path: with one, Galaxy does not find its own upload tool.
        "tool_config_file": str(folder / "tool_conf.xml"),
        "tool_data_table_config_path": str(folder / "tool_data_table_conf.xml"),
        "data_manager_config_file": str(folder / "data_manager_conf.xml"),
        "galaxy_data_manager_data_path": str(folder / "tool-data"),
        "vault_config_file": str(folder / "vault_conf.yml"),
        # Galaxy's own OMERO file source: a user adds a server of theirs, and browses it in the upload dialog.
        "file_source_templates": [{"include": str(_galaxy_file("files/templates/examples/omero_server.yml"))}],
        "static_dir": str(folder / "static"),
        # Their HTML is static and escaped (docs/guides/administrators.md); without it Galaxy shows it as source text.
        "sanitize_allowlist_file": str(folder / "sanitize_allowlist.txt"),
        "tour_config_dir": str(folder / "tours"),
        "conda_auto_init": False,
        "conda_auto_install": False,
        "use_cached_dependency_manager": False,
        "dependency_resolvers": [{"type": "galaxy_packages", "base_path": str(folder / "deps"), "versionless": True}],
        # Otherwise Galaxy looks for a container builder on the network.
        "container_resolvers": [{"type": "explicit"}],
        # The job's script holds the credentials in plain text.
        "cleanup_job": "always",
        **_celery(folder),
        "job_config": jobs.config,
        # The default waits are for a busy server; here they are most of a short job's time.
        "job_handler_monitor_sleep": 0.2,
        "job_runner_monitor_sleep": 0.2,
        "workflow_monitor_sleep": 0.2,
        "monitor_thread_join_timeout": 5,
    }


def _galaxy_file(path: str) -> Path:
    """Return a file of the installed Galaxy."""
    return ROOT / ".venv" / "galaxy" / "lib" / "python3.11" / "site-packages" / "galaxy" / path


def _celery(folder: Path) -> dict[str, object]:
    broker = folder / "broker"
    return {
        "enable_celery_tasks": True,
        # Metadata in Celery's warm process: a process of its own spends 5.7 s on imports for every job.
        "metadata_strategy": "directory_celery",
        "celery_conf": {
            "broker_url": "filesystem://",
            "broker_transport_options": {
                "data_folder_in": str(broker / "queue"),
                "data_folder_out": str(broker / "queue"),
                "control_folder": str(broker / "control"),
                "polling_interval": 0.1,
            },
            "result_backend": f"db+sqlite:///{folder}/celery_results.sqlite?timeout=30",
            "task_routes": {
                "galaxy.fetch_data": "galaxy.external",
                "galaxy.set_job_metadata": "galaxy.external",
            },
        },
    }

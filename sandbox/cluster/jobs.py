"""What Galaxy is told of the cluster: its runners, and the site's own half of the rules for TPV."""

import json
import os
from pathlib import Path

from sandbox.cluster.pulsar import Pulsar
from sandbox.cluster.slurm import Slurm
from sandbox.galaxy.config import Jobs
from sandbox.private_file import write_private
from sandbox.process import ROOT

SHARED_RULES = ROOT / "deploy" / "tpv" / "bioimage_suite.yml"
# Galaxy takes a job without an exit code for a good one, and Slurm kills a job before it can write any: so each job
# says that it failed before it begins, in the file that its end writes over (Galaxy 26.1, output_collect.py).
# No braces: TPV fills them in.
FAILED_FIRST = (
    'code_file="$_GALAXY_JOB_DIR/galaxy_$(basename "$_GALAXY_JOB_DIR").ec"; '
    '[ -s "$code_file" ] || echo 137 > "$code_file"'
)
# Jobs of a history with this word in its name run on Pulsar: a choice of the sandbox, to show both.
PULSAR_WORD = "pulsar"


def cluster_jobs(folder: Path, slurm: Slurm, pulsar: Pulsar) -> Jobs:
    """Write the site's rules for TPV into a folder, and return the jobs' configuration.

    Args:
        folder: Folder of the Galaxy.
        slurm: Where jobs run.
        pulsar: Where jobs of histories run that are named for it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    site = folder / "tpv_site.yml"
    # JSON is YAML, and the standard library writes it.
    write_private(site, json.dumps(site_rules(pulsar), indent=1))
    runners = {
        "local": {"load": "galaxy.jobs.runners.local:LocalJobRunner", "workers": 1},
        # One worker: of several, one may finish a job and remove its folder before another has read the metadata of
        # its results there ("Failed to find metadata/params.json", Galaxy 26.1, with embed_metadata_in_job off).
        "slurm": {"load": "galaxy.jobs.runners.cli:ShellJobRunner", "workers": 1},
        "pulsar": {"load": "bioimage_pulsar:PulsarRunner", "workers": 2},
    }
    dispatcher = {
        "runner": "dynamic",
        "type": "python",
        "function": "map_tool_to_destination",
        "rules_module": "tpv.rules",
        "tpv_config_files": [str(SHARED_RULES), str(site)],
    }
    execution = {"default": "tpv_dispatcher", "environments": {"tpv_dispatcher": dispatcher}}
    return Jobs({"runners": runners, "execution": execution}, slurm.commands)


def site_rules(pulsar: Pulsar) -> dict[str, object]:
    """Return the destinations, and which tools and histories go there: what each site writes for itself."""
    on_pulsar = {
        "id": "histories_on_pulsar",
        "if": f"'{PULSAR_WORD}' in job.history.name.lower()",
        "scheduling": {"require": [PULSAR_WORD]},
    }
    slurm_destination = {
        "runner": "slurm",
        "max_cores": os.cpu_count(),
        "params": {
            "shell_plugin": "LocalShell",
            "job_plugin": "Slurm",
            "job_partition": "main",
            "job_ncpus": "{int(cores)}",
            "job_time": "{int(walltime_minutes)}",
            # What begins with a dash is passed on to sbatch as it is.
            "job_--mem": "{int(mem * 1024)}M",
            # Celery reads the results, as it does for other jobs.
            "embed_metadata_in_job": False,
        },
        "env": [{"execute": FAILED_FIRST}],
    }
    pulsar_destination = {
        "runner": "pulsar",
        "max_cores": os.cpu_count(),
        "params": {"url": pulsar.url, "private_token": pulsar.token, "default_file_action": "transfer"},
        "scheduling": {"require": [PULSAR_WORD]},
    }
    return {
        "global": {"default_inherits": "default"},
        "tools": {
            "default": {"cores": 1, "mem": 1, "context": {"walltime_minutes": 60}, "rules": [on_pulsar]},
            # As many at once as Slurm has licences; on Pulsar, as many as it runs jobs.
            "(.*/)?omero_.*": {"params": {"job_--licenses": "omero:1"}},
        },
        "destinations": {"slurm": slurm_destination, "pulsar": pulsar_destination},
    }

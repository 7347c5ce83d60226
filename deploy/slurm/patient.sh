#!/bin/sh
# Runs a command of Slurm, and waits while the controller is away: patient.sh /usr/bin/squeue ARGUMENT ...
#
# Galaxy's CLI runner (26.1) cannot tell a failed command from one that says nothing: a squeue that does not reach the
# controller means to it that every job has ended, and an sbatch that does not, that the job failed. Galaxy ends a
# command after a minute, keeps its jobs, and asks again. docs/guides/administrators.md, "A cluster", says where to put this.
case ${1##*/} in
    # A job may have been taken where only the answer was lost: it is not sent again.
    sbatch) lost="connect failure" ;;
    *) lost="Unable to contact|timed out|Zero Bytes" ;;
esac
errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT
trap 'exit 1' TERM INT
until "$@" 2>"$errors"; do
    grep -qE "$lost" "$errors" || { cat "$errors" >&2; exit 1; }
    sleep 1
done
cat "$errors" >&2

#!/bin/sh
# Installs Debian's Slurm for the tests of the cluster, if it is not there. Says what is missing and
# fails where that cannot be done.
set -eu
PATH="$PATH:/usr/sbin:/sbin"

missing=""
for program in slurmctld slurmd sbatch; do
	command -v "$program" >/dev/null || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
	echo "Slurm is not here (no$missing), and it can be installed with apt-get as root alone." >&2
	echo "Ask for: apt-get install slurmctld slurmd slurm-client; elsewhere slurm or slurm-wlm." >&2
	exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	slurmctld slurmd slurm-client

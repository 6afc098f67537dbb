"""A Slurm of one node with two pretended GPUs, as ordinary processes below a temporary folder.

It needs no root, no system service and nothing in /etc. The node poses as one of 16 processors; its
GPUs are links to /dev/null, which Slurm hands out and names to jobs as it does real ones.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "setpriv")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/finished.txt
AccountingStorageType=accounting_storage/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
KillWait=5
MinJobAge=600
# Without cgroups this alone holds jobs to their memory.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=200000 Gres=gpu:fake:2
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE
PartitionName=gpu Nodes=ALL MaxTime=INFINITE
"""


@dataclass(frozen=True)
class Job:
    """What Slurm says of a job: times in minutes, memory in MB."""

    number: str
    partition: str
    state: str
    reason: str
    comment: str
    gpus: str
    minutes: int
    memory: int


class Cluster:
    """A running Slurm.

    Attributes:
        folder: all that it writes.
        environment: what its commands need in the environment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._configure()
        self.environment = os.environ | {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder}/bin:{PATH}",
        }

    @property
    def node(self) -> str:
        """The node's name."""
        return socket.gethostname().partition(".")[0]

    def run(self, *command: str) -> str:
        """Return what a Slurm command prints.

        Raises:
            CalledProcessError: the command failed; notes have what it said.
        """
        try:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, check=True
            )
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr)
            raise
        return done.stdout

    def start(self, daemon: str) -> None:
        """Start slurmctld or slurmd; it dies with this process."""
        self._daemons[daemon] = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", daemon, "-D"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def end(self, daemon: str) -> None:
        """End slurmctld or slurmd, as a restart of the service would."""
        process = self._daemons.pop(daemon)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait_until_it_answers(self, seconds: float = 30) -> None:
        """Wait until the controller answers."""
        self._wait(lambda done: done.returncode == 0, seconds)

    def wait_until_idle(self, seconds: float = 30) -> None:
        """Wait until the node takes jobs and no job is left."""
        self._wait(lambda done: set(done.stdout.split()) == {"idle"}, seconds)

    def _wait(
        self, enough: Callable[[subprocess.CompletedProcess[str]], bool], seconds: float
    ) -> None:
        """Ask for the node's state until the answer is enough."""
        end = time.monotonic() + seconds
        while True:
            done = subprocess.run(["sinfo", "-h", "-o", "%T"], env=self.environment,
                                  capture_output=True, text=True)  # fmt: skip
            if enough(done):
                return
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        logs = "\n".join((self.folder / f"{name}.log").read_text()[-1500:]
                         for name in ("slurmctld", "slurmd"))  # fmt: skip
        raise AssertionError(f"after {seconds} s Slurm says {done.stdout}{done.stderr}\n{logs}")

    def jobs(self) -> list[Job]:
        """Return all jobs that Slurm remembers, in the order of submission."""
        blocks = self.run("scontrol", "show", "jobs", "-d").split("\n\n")
        found = [dict(re.findall(r"(\w+)=(\S*)", block)) for block in blocks if "JobId=" in block]
        jobs = [
            Job(
                fields["JobId"],
                fields["Partition"],
                fields["JobState"],
                fields["Reason"],
                fields["Comment"],
                fields.get("TresPerJob", "none").removeprefix("gres:"),
                _minutes(fields["TimeLimit"]),
                int(re.sub("M$", "", fields["MinMemoryNode"])),
            )
            for fields in found
        ]
        return sorted(jobs, key=lambda job: int(job.number))

    def processes_of(self, job: Job) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the processes of a running job with their environment."""
        for process, variables in self._processes():
            if variables.get("SLURM_JOB_ID") == job.number:
                yield process, variables

    def variable_of(self, job: Job, name: str) -> set[str]:
        """Return what an environment variable is in the processes of a running job."""
        return {variables[name] for _, variables in self.processes_of(job) if name in variables}

    def stop(self) -> None:
        """End all jobs and daemons, whatever state they are in."""
        try:
            subprocess.run(["scancel", "--full", "--user", _user()], env=self.environment,
                           capture_output=True, timeout=10)  # fmt: skip
            self.wait_until_idle(10)
        except (subprocess.TimeoutExpired, AssertionError):
            pass
        for daemon in list(self._daemons):
            self.end(daemon)
        for process, _ in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _processes(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the processes that run with this cluster's configuration, jobs among them."""
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                text = entry.read_bytes().decode(errors="replace")
            except OSError:  # it has ended, or is another user's
                continue
            variables = dict(line.split("=", 1) for line in text.split("\0") if "=" in line)
            if variables.get("SLURM_CONF") == f"{self.folder}/slurm.conf":
                yield int(entry.parent.name), variables

    def _configure(self) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        ports = _free_ports(2)
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                host=self.node,
                user=_user(),
                controller_port=ports[0],
                node_port=ports[1],
            )
        )
        for number in range(2):
            (self.folder / f"gpu{number}").symlink_to("/dev/null")
        (self.folder / "gres.conf").write_text(
            f"Name=gpu Type=fake File={self.folder}/gpu[0-1] Flags=nvidia_gpu_env\n"
        )
        # The executor takes every SLURM_ variable away before it calls srun, which then looks for
        # its configuration in /etc/slurm.
        wrapper = self.folder / "bin" / "srun"
        real = shutil.which("srun", path=PATH)
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {real} "$@"\n')
        wrapper.chmod(0o755)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster, and stop it whatever happens."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    assert not missing, f"no {', '.join(missing)} here; 'make test-cluster' installs them"
    with tempfile.TemporaryDirectory(prefix="itdr-slurm-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.start("slurmctld")
            cluster.start("slurmd")
            cluster.wait_until_idle()
            yield cluster
        finally:
            cluster.stop()


def _minutes(limit: str) -> int:
    """Return the minutes of a time such as 1-02:30:00."""
    days, _, clock = limit.rpartition("-")
    hours, minutes, _ = map(int, clock.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + minutes


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()

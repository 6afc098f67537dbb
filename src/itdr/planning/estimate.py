"""What one job costs: time, disk, download and money, from stated or measured rates."""

from dataclasses import dataclass

from itdr.planning.jobs import Job
from itdr.planning.measured import Measured
from itdr.planning.sizes import Sizes
from itdr.settings.endpoint import EndpointSettings

_SEVENS = 7.6  # billions of parameters of the model that answering rates are stated for
_PER_JOB = {
    "fetch_tokenizer",
    "import_adapter",
    "make_table",
    "make_aggregates",
    "make_statistics",
    "draw_figures",
    "make_page",
}
_PER_EXAMPLE = {"build_examples", "annotate_examples", "split_examples", "import_release"}


@dataclass(frozen=True)
class Cost:
    """What jobs cost. Hours of one GPU or processor, MB, US dollars."""

    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    disk_mb: float = 0.0
    download_mb: float = 0.0
    dollars: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    @property
    def parts(self) -> tuple[float, float, float, float, float]:
        """The numbers in their order."""
        return (self.gpu_hours, self.cpu_hours, self.disk_mb, self.download_mb, self.dollars)


def cost(job: Job, sizes: Sizes, measured: Measured) -> Cost:
    """Return what one job costs."""
    if job.rule == "train_adapter":
        return _training(job, sizes, measured)
    if job.asks_model:
        return _answering(job, sizes, measured)
    seconds = measured.stages.get(job.rule, sizes.rates.stages.get(job.rule, 0.0))
    return Cost(
        cpu_hours=seconds * units(job, sizes) / 3600,
        disk_mb=_disk(job, sizes),
        download_mb=_download(job, sizes),
        dollars=_teaching(job, sizes),
    )


def gpus_of(job: Job, sizes: Sizes) -> int:
    """Return how many GPUs a job holds."""
    if job.rule != "train_adapter" and not job.asks_model:
        return 0
    model = sizes.workflow.models[job.wildcards["model"]]
    return model.training_gpus if job.rule == "train_adapter" else model.inference_gpus


def hours(job: Job, sizes: Sizes, measured: Measured) -> float:
    """Return how long one job takes from its start to its end."""
    needed = cost(job, sizes, measured)
    return needed.gpu_hours / max(1, gpus_of(job, sizes)) + needed.cpu_hours


def units(job: Job, sizes: Sizes) -> float:
    """Return how many units of work a job of a processor's stage has; see config/rates.yaml."""
    pair = (job.wildcards.get("task", ""), job.wildcards.get("dataset", ""))
    if job.rule in _PER_JOB | _PER_EXAMPLE:
        return 1.0 if job.rule in _PER_JOB else sizes.examples(pair)
    if job.rule in ("fetch_dataset", "normalise_dataset"):
        download, kept, _ = sizes.raw_mb(pair[1]) if sizes.is_downloaded(pair[1]) else (0, 0, True)
        return download if job.rule == "fetch_dataset" else kept
    if job.rule == "fetch_model":
        return sizes.weights_mb(job.wildcards["model"])
    if job.rule == "audit_examples":
        return sum(map(sizes.examples, sizes.workflow.cells))
    if job.rule == "mix_examples":
        return sizes.training_examples(job.wildcards["variant"])
    return sizes.answering(job.pairs)[0]


def training_rate(model: str, sizes: Sizes, measured: Measured) -> float:
    """Return the tokens per second of training a model, on all its GPUs together."""
    if model in measured.training:
        return measured.training[model]
    gpus = sizes.workflow.models[model].training_gpus
    if not gpus:
        return sizes.rates.processor.training / (1e3 * sizes.billions(model))
    rates, settings = sizes.rates.training, sizes.workflow.experiment.training
    always = settings.gradient_checkpointing is True  # auto: where the GPU is too small
    share = rates.share_with_checkpointing if always else rates.share
    return gpus * share * rates.operations / (4e9 * sizes.billions(model))


def answering_rate(model: str, sizes: Sizes, measured: Measured) -> float:
    """Return the tokens per second of a model's prompts and answers."""
    if model in measured.answering:
        return measured.answering[model]
    rates = sizes.rates.answering
    engine = engine_of(model, sizes)
    if engine == "api":
        return rates.api
    if not sizes.workflow.models[model].inference_gpus:
        return sizes.rates.processor.answering / (1e3 * sizes.billions(model))
    rate = rates.vllm if engine == "vllm" else rates.transformers
    return rate * _SEVENS / sizes.billions(model)


def engine_of(model: str, sizes: Sizes) -> str:
    """Return what is reckoned to answer for a model."""
    if sizes.workflow.models[model].endpoint:
        return "api"
    engine = sizes.workflow.experiment.inference.engine
    automatic = "vllm" if sizes.workflow.models[model].inference_gpus else "transformers"
    return automatic if engine == "auto" else engine


def _training(job: Job, sizes: Sizes, measured: Measured) -> Cost:
    model, rates = job.wildcards["model"], sizes.rates.training
    tokens = sizes.training_tokens(job.wildcards["variant"])
    gpus = gpus_of(job, sizes)
    start = rates if gpus else sizes.rates.processor
    seconds = start.start_s + tokens / training_rate(model, sizes, measured)
    settings = sizes.workflow.training(job.wildcards["variant"])
    size = rates.adapter_mb * settings.lora_rank / 8 * sizes.billions(model) / _SEVENS
    return _on_device(gpus, seconds) + Cost(disk_mb=size)


def _answering(job: Job, sizes: Sizes, measured: Measured) -> Cost:
    model = job.wildcards["model"]
    rows, prompts, answers = sizes.answering(job.pairs)
    endpoint = sizes.workflow.models[model].endpoint
    gpus = gpus_of(job, sizes)
    seconds = (sizes.rates.answering if endpoint or gpus else sizes.rates.processor).start_s
    seconds += (prompts + answers) / answering_rate(model, sizes, measured)
    dollars = _price(endpoint, prompts, answers) if endpoint else 0.0
    disk = Cost(disk_mb=rows * sizes.rates.disk.answer_kb / 1e3, dollars=dollars)
    return _on_device(gpus, seconds) + disk


def _on_device(gpus: int, seconds: float) -> Cost:
    return Cost(gpu_hours=gpus * seconds / 3600, cpu_hours=0 if gpus else seconds / 3600)


def _teaching(job: Job, sizes: Sizes) -> float:
    teacher = sizes.workflow.experiment.teacher
    if job.rule != "annotate_examples" or teacher.kind != "endpoint":
        return 0.0
    pair = (job.wildcards["task"], job.wildcards["dataset"])
    prompt, answer = sizes.tokens(pair)
    return _price(teacher, prompt * sizes.examples(pair), answer * sizes.examples(pair))


def _price(endpoint: EndpointSettings, prompts: float, answers: float) -> float:
    return ((endpoint.input_price or 0) * prompts + (endpoint.output_price or 0) * answers) / 1e6


def _disk(job: Job, sizes: Sizes) -> float:
    pair, disk = (job.wildcards.get("task", ""), job.wildcards.get("dataset", "")), sizes.rates.disk
    if job.rule == "fetch_model":
        return units(job, sizes)
    if job.rule in ("fetch_dataset", "normalise_dataset"):
        kept = sizes.raw_mb(pair[1])[1] if sizes.is_downloaded(pair[1]) else 0.0
        return kept * (disk.tables_share if job.rule == "normalise_dataset" else 1)
    if job.rule in _PER_EXAMPLE | {"mix_examples"}:
        return units(job, sizes) * disk.example_kb / 1e3
    return 0.0


def _download(job: Job, sizes: Sizes) -> float:
    dataset = job.wildcards.get("dataset", "")
    if job.rule == "fetch_model":
        return units(job, sizes)
    if job.rule != "fetch_dataset" or not sizes.is_downloaded(dataset):
        return 0.0
    return sizes.raw_mb(dataset)[0]

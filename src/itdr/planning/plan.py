"""The plan of a target as a text to read: what is left to do, what it costs, and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from textwrap import fill

from itdr.planning.estimate import Cost, answering_rate, engine_of, training_rate
from itdr.planning.jobs import Job
from itdr.planning.measured import Measured
from itdr.planning.needs import Needs
from itdr.planning.sizes import Sizes

WIDTH = 80
_HEADS = ("stage", "jobs", "GPU h", "CPU h", "disk", "download", "US$")


def plan(needs: Needs) -> str:
    """Return the plan of what targets still need."""
    jobs = needs.jobs
    if not jobs:
        return f"{needs.name}: nothing is left to do.\n"
    counts = Counter(job.rule for job in jobs)
    costs = {rule: needs.cost(rule) for rule in counts}
    rows = [(rule, str(counts[rule]), *_shown(costs[rule])) for rule in counts]
    total = sum(costs.values(), Cost())
    rows.append(("total", str(len(jobs)), *_shown(total)))
    reasons = "\n".join(fill(line, WIDTH, initial_indent="- ", subsequent_indent="  ",
                             break_long_words=False, break_on_hyphens=False)
                        for line in _reasons(needs))  # fmt: skip
    return (f"{needs.name}: {len(jobs)} jobs are left to do; what is done already is not "
            f"counted.\n\n{_table(rows)}\n\nHow this was reckoned\n{reasons}\n")  # fmt: skip


def _reasons(needs: Needs) -> Iterable[str]:
    jobs, sizes, measured = needs.jobs, needs.sizes, needs.measured
    yield from sizes.workflow.notes
    audit = (
        "counted by this run's audit"
        if sizes.audit
        else (
            "as many as the task files ask for, with the published means, plus "
            f"{sizes.rates.overhead_tokens:g} tokens for the description and the chat template"
        )
    )
    yield f"Examples and tokens: {audit}."
    unknown = ["/".join(pair) for pair in sizes.workflow.cells if not sizes.is_published(pair)]
    if unknown:
        yield (
            f"No length is published for {', '.join(unknown)}: the mean of the same task on other "
            f"datasets, or {sizes.rates.unknown_prompt_tokens:g} tokens asked and "
            f"{sizes.rates.unknown_answer_tokens:g} answered, until the audit has counted."
        )
    for model in needs.models:
        yield from _of_model(model, jobs, sizes, measured)
    for rule in dict.fromkeys(job.rule for job in jobs):
        if rule in measured.stages:
            yield (f"{rule}: {measured.stages[rule]:.3g} s per unit, measured on "
                   f"{_finished(measured.jobs[rule])}.")  # fmt: skip
    yield "All that is not measured here comes from config/rates.yaml."
    if any(job.rule == "annotate_examples" for job in jobs):
        teacher = sizes.workflow.experiment.teacher
        if teacher.kind == "endpoint":
            yield (
                f"Teacher {teacher.model}: {teacher.input_price} and {teacher.output_price} US$ "
                "per million tokens in and out; answers kept in its cache cost nothing again."
            )
    unknown = sorted(job.wildcards["dataset"] for job in jobs if job.rule == "fetch_dataset"
               and sizes.is_downloaded(job.wildcards["dataset"])
               and not sizes.raw_mb(job.wildcards["dataset"])[2])  # fmt: skip
    if unknown:
        yield (
            f"No public source states the whole size of {', '.join(unknown)}: at least what is "
            f"stated, or {sizes.rates.unknown_dataset_mb:g} MB each."
        )


def _of_model(model: str, jobs: Sequence[Job], sizes: Sizes, measured: Measured) -> Iterable[str]:
    variants = [job.wildcards["variant"] for job in jobs
                if job.rule == "train_adapter" and job.wildcards["model"] == model]  # fmt: skip
    settings = sizes.workflow.models[model]
    endpoint = settings.endpoint
    if variants:
        tokens = sum(map(sizes.training_tokens, variants))
        several = "training of" if len(variants) == 1 else "trainings, in all"
        yield (f"{model}: {len(variants)} {several} {tokens / 1e6:,.1f} million tokens, at "
               f"{training_rate(model, sizes, measured):,.0f} tokens/s, "
               f"{_origin('train', model, measured, _device(settings.training_gpus, sizes))}."
               )  # fmt: skip
    asked = [sizes.answering(job.pairs) for job in jobs
             if job.asks_model and job.wildcards["model"] == model]  # fmt: skip
    if asked:
        where = "over the network" if endpoint else _device(settings.inference_gpus, sizes)
        rows, prompts, answers = (sum(numbers) for numbers in zip(*asked, strict=True))
        yield (
            f"{model}: {rows:,.0f} answers in {len(asked)} {'job' if len(asked) == 1 else 'jobs'}, "
            f"{(prompts + answers) / 1e6:,.1f} million tokens in all, at "
            f"{answering_rate(model, sizes, measured):,.0f} tokens/s with "
            f"{engine_of(model, sizes)}, {_origin('infer', model, measured, where)}."
        )
    if not endpoint:
        billions, told_by = sizes.told_billions(model)
        if told_by not in ("its file", "its weights"):
            yield (f"{model}: {billions:g} billion parameters by {told_by}; 'billions' in "
                   f"config/models/{model}.yaml says it for certain.")  # fmt: skip
    if endpoint:
        yield (f"{model}: {endpoint.input_price} and {endpoint.output_price} US$ per million "
               "tokens in and out, as its file says.")  # fmt: skip


def _device(gpus: int, sizes: Sizes) -> str:
    several = f"{gpus} GPUs, as if that many times as fast as one: " if gpus > 1 else ""
    return f"on {several}{sizes.rates.gpu}" if gpus else "on the processor"


def _origin(kind: str, model: str, measured: Measured, where: str) -> str:
    jobs = measured.jobs.get(f"{kind} {model}")
    return f"measured on {_finished(jobs)}" if jobs else where


def _finished(jobs: int) -> str:
    return f"{jobs} finished job{'' if jobs == 1 else 's'}"


def _shown(found: Cost) -> tuple[str, ...]:
    sizes = size_text(found.disk_mb), size_text(found.download_mb)
    dollars = f"{found.dollars:,.2f}" if found.dollars else ""
    return (_hours(found.gpu_hours), _hours(found.cpu_hours), *sizes, dollars)


def hours_text(hours: float) -> str:
    """Return a duration for people: "12.3 h", "4 min" or "20 s"."""
    if hours >= 1:
        return f"{hours:,.1f} h"
    return f"{hours * 60:.0f} min" if hours >= 1 / 60 else f"{hours * 3600:.0f} s"


def _hours(hours: float) -> str:
    return "" if not hours else f"{hours:,.1f}" if hours >= 0.1 else f"{hours:.3f}"


def size_text(mb: float) -> str:
    """Return a size for people: "1.2 GB" or "3.4 MB"; "" for none."""
    return "" if not mb else f"{mb / 1000:,.1f} GB" if mb >= 1000 else f"{mb:,.1f} MB"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [_HEADS, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADS))]
    texts = ["  ".join([line[0].ljust(widths[0]),
                        *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:],
                                                                   strict=True))]).rstrip()
             for line in lines]  # fmt: skip
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([texts[0], rule, *texts[1:-1], rule, texts[-1]])

"""Likelihoods of choices: the sums of log-probabilities that single forward passes give."""

import logging

import pyarrow as pa
import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from itdr.errors import DataError, ModelError, SettingsError
from itdr.evaluation.score import score
from itdr.files.formats import read_parquet, write_parquet
from itdr.inference.engine import GeneratedAnswer, Prompt
from itdr.inference.infer import infer
from itdr.inference.journal import Journal
from itdr.inference.likelihood import likelihoods
from itdr.inference.tokens import TokenPrompt
from itdr.inference.transformers_engine import TransformersEngine
from itdr.instructions.build import build
from itdr.instructions.choices import ChoiceLikelihood, choices_of
from itdr.instructions.record import PREDICTION, RECORD
from itdr.instructions.tasks import load_task
from itdr.models.prompt import PromptRenderer
from itdr.settings.experiment import BuildSettings, InferenceSettings
from itdr.settings.scoring import ScoringSettings
from tests.unit.test_greedy import ARCHITECTURES
from tests.unit.test_inference import settings_of

SHARED = [30, 11, 50, 50, 12, 40, 9, 22]


def token_prompts(count=20):
    """Return prompts of 1 to 17 tokens and more, with 2 to 6 choices of 1 to 5 tokens each."""
    torch.manual_seed(3)
    found = []
    for i in range(count):
        choices = tuple(
            tuple(torch.randint(9, 60, (1 + (i + 2 * k) % 5,)).tolist()) for k in range(2 + i % 5)
        )
        ids = [*SHARED[: 8 * (i % 2)], *torch.randint(9, 60, (1 + i * 5 % 17,)).tolist()]
        found.append(TokenPrompt(ids, max(map(len, choices)), choices=choices))
    return found


def by_hand(model, ids, choice):
    with torch.no_grad():
        logits = model(torch.tensor([[*ids, *choice]])).logits[0].double()
    steps = [logits[len(ids) - 1 + place].log_softmax(-1) for place in range(len(choice))]
    total = sum(float(step[token]) for step, token in zip(steps, choice, strict=True))
    return total, all(int(step.argmax()) == t for step, t in zip(steps, choice, strict=True))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_gives_the_log_probabilities_of_single_passes(architecture):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture]().eval()
    prompts = token_prompts()
    for prompt in prompts[:6]:  # a choice that is what the model would say
        step = model(torch.tensor([prompt.ids])).logits[0, -1].argmax()
        prompts.append(TokenPrompt(prompt.ids, 2, choices=((int(step),), (int(step), 59))))
    found = likelihoods(model, prompts)
    greedy = set()
    for prompt, told in zip(prompts, found, strict=True):
        assert len(told) == len(prompt.choices)
        for choice, (total, top) in zip(prompt.choices, told, strict=True):
            expected, expected_top = by_hand(model, prompt.ids, choice)
            assert total == pytest.approx(expected, abs=1e-4)
            assert top is expected_top
            greedy.add((top, len(choice) > 1))
    assert {(True, False), (False, False), (False, True)} <= greedy


def test_a_prompt_is_computed_once_for_all_of_its_choices():
    torch.manual_seed(0)
    model = ARCHITECTURES["llama"]().eval()
    passes = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: passes.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    prompt = TokenPrompt([*range(9, 40)], 3, choices=((41,), (42, 43), (42, 44, 45), (46,)))
    likelihoods(model, [prompt])
    assert passes == [31, 1, 2], "the prompt; what leads on in the choices of two and three tokens"


PROMPTS = [
    Prompt("words", "Choose.", "heat", 0, ("Yes.", "No.")),
    Prompt("long", "Choose.", "heat " * 20, 0, ("Yes.", "No.", "Yes or no, who knows?")),
    Prompt("same beginning", "Choose.", "alien", 0, ("Alien", "Alien 3", "Aliens")),
]


def asked(folder, prompts=PROMPTS, **settings):
    engine = TransformersEngine(settings_of(folder), InferenceSettings(**settings))
    return {i: a for came in engine.answer(prompts, (), None) for i, a in came}


def test_texts_are_scored_as_their_tokens_behind_the_prompt(random_model):
    """The tokenizer knows single letters alone, so it splits Yes, and Alien begins Aliens."""
    model = AutoModelForCausalLM.from_pretrained(random_model).eval()
    renderer = PromptRenderer(AutoTokenizer.from_pretrained(random_model))
    found = asked(random_model)
    for place, prompt in enumerate(PROMPTS):
        ids = renderer.prompt(prompt.instruction, prompt.text)
        for choice in found[place].choices:
            example = renderer.example(prompt.instruction, prompt.text, choice.text)
            tokens = example.ids[example.prompt_length : -1]  # without the end of turn
            assert choice.tokens == len(tokens) == len(choice.text)
            expected = by_hand(model, ids, tokens)
            assert (choice.logprob, choice.greedy) == (
                pytest.approx(expected[0], abs=1e-4), expected[1]
            )  # fmt: skip
        best = max(found[place].choices, key=lambda choice: choice.logprob)
        assert (found[place].text, found[place].tokens) == (best.text, best.tokens)
        assert found[place].finish_reason == "stop" and found[place].prompt_tokens == len(ids)


def test_generated_and_scored_prompts_share_a_run(random_model):
    generated = Prompt("text", "Choose.", "heat", 5)
    alone = asked(random_model, [generated])[0]
    assert alone.choices is None
    both = asked(random_model, [PROMPTS[0], generated, PROMPTS[1]])
    assert both[1] == alone
    assert [both[0].text, both[2].text] == [asked(random_model)[i].text for i in (0, 1)]


def test_a_prompt_without_room_for_its_longest_choice_is_skipped(random_model):
    whole = asked(random_model)
    tight = whole[1].prompt_tokens + max(choice.tokens for choice in whole[1].choices)
    assert asked(random_model, max_length=tight)[1].finish_reason == "stop"
    skipped = asked(random_model, max_length=tight - 1)[1]
    assert (skipped.finish_reason, skipped.choices) == ("skipped", None)


# Where the text of a choice has no tokens of its own


def renderer(random_model, template=None):
    tokenizer = AutoTokenizer.from_pretrained(random_model)
    tokenizer.chat_template = template or tokenizer.chat_template
    return PromptRenderer(tokenizer)


def test_a_template_that_changes_the_choice_is_refused(random_model):
    upper = "{% for m in messages %}{{ m['content'] | upper }}\n{% endfor %}"
    with pytest.raises(ModelError, match=r"does not write the choice 'Yes\.' behind the prompt"):
        renderer(random_model, upper).choices("", "x", ["Yes.", "No."])


def test_a_tokenizer_that_joins_prompt_and_choice_is_refused(random_model):
    joined = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    # "us" and "er" are "us", "er"; "user" is one token.
    with pytest.raises(ModelError, match=r"joins the end of the prompt .* choice 'er'"):
        renderer(random_model, joined).choices("", "us", ["er", "No."])


# In files


TASK = {
    "task": "LIKE", "title": "Like", "version": 1, "description": "Will it be liked?",
    "sampling": {"kind": "rating", "history": 10, "min_history": 3}, "answer": "choice",
    "choices": ["Yes.", "No."], "metrics": ["auc", "accuracy", "log-loss-per-token"],
    "trivial_answers": ["history-share"],
    "datasets": {"films": {"examples": 9, "template": "{{ target.title }}", "liked": 4}},
}  # fmt: skip


def task_file(folder, **changes):
    (folder / "tasks").mkdir(exist_ok=True)
    task = {key: value for key, value in (TASK | changes).items() if value is not None}
    (folder / "tasks" / "LIKE.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    return [folder]


def record(number, output="Yes.", **more):
    return {"id": f"LIKE/films/{number}", "task": "LIKE", "dataset": "films", "user_id": "u",
            "instruction": "Will it be liked?", "input": f"item {number}", "output": output,
            "template_version": 1} | more  # fmt: skip


def titled(*titles):
    return [{"item_id": str(place), "title": title} for place, title in enumerate(titles)]


def write(folder, rows):
    write_parquet(folder / "test.parquet", pa.Table.from_pylist(rows, schema=RECORD))
    return [folder / "test.parquet"]


def test_the_right_choice_is_built_from_ratings_and_from_positives(write_tables, tmp_path):
    """What training learns is the output, whose tokens are those that are scored."""
    interactions = [(f"u{user}", str(step), float(1 + (user + step) % 5))
                    for user in range(8) for step in range(user, user + 6)]  # fmt: skip
    items = [(str(n), f"Film {n}", ["Drama"]) for n in range(30)]
    tables = write_tables(interactions, items, [{"user_id": f"u{user}"} for user in range(8)])
    next_items = {"kind": "next_items", "history": 3, "positives": 1, "negatives": 2}
    titled_choices = {"choices": "candidates", "sampling": next_items, "metrics": ["hit@1"],
                      "datasets": {"films": {"examples": 9, "template": "x"}},
                      "trivial_answers": None}  # fmt: skip
    for changes in ({}, titled_choices):
        task = load_task("LIKE", task_file(tmp_path, **changes))
        out = tmp_path / "built.parquet"
        assert build(task, "films", tables, out, BuildSettings(), seed=1) >= 5
        rows = read_parquet(out, RECORD).to_pylist()
        for row in rows:
            choices = choices_of(task.choices, row)
            target = next(item for item in items if item[0] == row["targets"][0])
            rated = next(r for u, i, r in interactions if (u, i) == (row["user_id"], target[0]))
            assert row["output"] == (target[1] if changes else choices[rated < 4])
            assert row["output"] in choices
        assert len({row["output"] for row in rows}) > 1


@pytest.mark.parametrize("source", ["fixed", "candidates"])
def test_from_examples_to_scores(random_model, tmp_path, source):
    fixed = source == "fixed"
    more = {} if fixed else {"choices": "candidates", "metrics": ["hit@1", "ndcg@3", "log-loss"],
                             "trivial_answers": ["random"]}  # fmt: skip
    folders = task_file(tmp_path, **more)
    films = titled("Heat", "Alien", "Alien 3", "Brazil")
    rows = [
        record(n, ("Yes.", "No.")[n % 2]) if fixed
        else record(n, "Alien 3", candidates=films[n % 2 :], targets=["2"])
        for n in range(6)
    ]  # fmt: skip
    out = tmp_path / "p.parquet"
    infer(settings_of(random_model), {out: None}, write(tmp_path, rows), InferenceSettings(),
          folders=folders)  # fmt: skip
    found = read_parquet(out, PREDICTION).to_pylist()
    texts = [[choice["text"] for choice in row["choices"]] for row in found]
    expected = (
        [["Yes.", "No."]] * 6 if fixed else [[f["title"] for f in r["candidates"]] for r in rows]
    )
    assert texts == expected
    assert all(row["answer"] in of_row for row, of_row in zip(found, texts, strict=True))
    scores = score(out, folders, ScoringSettings(resamples=50))
    strict = scores[scores["reading"] == "strict"].set_index("metric")
    assert strict["n_unreadable"].eq(0).all() and strict["value"].notna().all()
    assert set(strict.index) == {*more.get("metrics", TASK["metrics"])}


def test_a_stopped_run_goes_on_with_the_likelihoods_that_it_has(tmp_path):
    came = GeneratedAnswer(
        "b", "stop", 2, 9, (ChoiceLikelihood("a", -0.1 - 1e-17, 1, False),
                            ChoiceLikelihood("b", -1e-300 / 3, 2, True))
    )  # fmt: skip
    journal = Journal(tmp_path, {}, ["x"])
    journal.add([("x", came)])
    journal.close()
    assert Journal(tmp_path, {}, ["x"]).answers == {"x": came}


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        (("Heat", " "), "number 2 is empty"),
        (("Heat", "Alien", "Heat"), "'Heat' stands twice; equal choices cannot be told apart"),
        (("Heat",), "found 1; at least two are needed"),
    ],
)
def test_candidates_that_are_no_choices_are_named(random_model, tmp_path, titles, message):
    folders = task_file(tmp_path, choices="candidates", metrics=["hit@1"], trivial_answers=None)
    rows = [record(3, "Heat", candidates=titled(*titles), targets=["0"])]
    with pytest.raises(DataError, match=f"id 'LIKE/films/3': column 'candidates'.*{message}"):
        infer(settings_of(random_model), {tmp_path / "p": None}, write(tmp_path, rows),
              InferenceSettings(), folders=folders)  # fmt: skip


def test_prompts_that_are_too_long_are_named_and_count_as_wrong(random_model, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    folders = task_file(tmp_path)
    rows = [record(n, input="long " * 90 * (n == 2)) for n in range(4)]
    rows[3]["output"] = "No."
    out = tmp_path / "p.parquet"
    infer(settings_of(random_model), {out: None}, write(tmp_path, rows),
          InferenceSettings(max_length=200), folders=folders)  # fmt: skip
    assert "1 prompts leave no room for an answer" in caplog.text and "films/2" in caplog.text
    assert [row["choices"] is None for row in read_parquet(out, PREDICTION).to_pylist()] == [
        False, False, True, False
    ]  # fmt: skip
    scores = score(out, folders, ScoringSettings(resamples=50))
    assert scores["n_unreadable"].tolist() == [1] * 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choices": ["Yes.", ""]}, "'choices': number 2 is empty"),
        ({"choices": ["Yes.", "Yes."]}, "'choices': 'Yes.' stands twice"),
        ({"choices": ["Yes.", " No."]}, "' No.' begins or ends with a blank"),
        ({"choices": ["Yes."]}, "found 1; at least two are needed"),
        ({"choices": None}, "'choices' is missing; answers of the kind choice need it"),
        ({"max_answer_tokens": 8}, "'max_answer_tokens' does not go with .* kind 'choice'"),
        (
            {"answer": "number", "choices": None, "trivial_answers": None},
            "'max_answer_tokens' is missing; .* generated",
        ),
        ({"choices": "candidates"}, "'history-share' does not go with choices that are candidates"),
        ({"choices": ["a", "b", "c"]}, "'auc' needs exactly 2 'choices'"),
        ({"metrics": ["rmse"]}, "'rmse' does not go with answers of kind 'choice'"),
    ],
)  # fmt: skip
def test_a_task_file_that_cannot_be_scored_is_refused(tmp_path, changes, message):
    folders = task_file(tmp_path, **changes)
    with pytest.raises(SettingsError, match=f"LIKE.yaml: .*{message}"):
        load_task("LIKE", folders)

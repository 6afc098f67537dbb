"""The settings classes, config.yaml with its comments, the schema and the pages say the same."""

import json
import re

import jsonschema
import pytest
from pydantic import BaseModel, Field

from itdr.cli.main import COMMANDS, main
from itdr.cli.reference import references
from itdr.settings.experiment import Experiment
from itdr.settings.reading import Strict, load_yaml
from itdr.settings.reference import json_schema, settings_page, with_comments
from tests.conftest import ROOT


@pytest.mark.parametrize("name", references(ROOT / "config/config.yaml"))
def test_what_is_checked_in_is_what_make_reference_writes(name):
    made = references(ROOT / "config/config.yaml")[name]
    assert (ROOT / name).read_text(encoding="utf-8") == made, "run: make reference"


def fields(model, value, prefix=""):
    """Yield key, default and value in config.yaml of all settings below a class."""
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from fields(type(default), value.get(name, {}), f"{prefix}{name}.")
        else:
            shown = value.get(name, "is not in config/config.yaml")
            yield f"{prefix}{name}", json.loads(json.dumps(default, default=str)), shown


THE_PAPERS_OWN = ("paper", "pairs", "columns", "build.negatives")


def test_config_yaml_has_every_key_and_all_but_the_papers_own_choices_are_the_defaults():
    config = load_yaml(ROOT / "config/config.yaml")
    differing = {key: (default, shown) for key, default, shown in fields(Experiment, config)
                 if default != shown and key not in THE_PAPERS_OWN}  # fmt: skip
    assert differing == {}


def test_every_seed_option_has_the_experiments_default():
    page = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    seeds = re.findall(r"`--seed N` \| seed of (?!the resamples).*default: (\d+)", page)
    assert len(seeds) == 9
    assert set(seeds) == {str(Experiment.model_fields["seed"].default)}


@pytest.mark.parametrize("name", ["config.yaml", "demo.yaml", "demo-full.yaml"])
def test_the_schema_admits_our_files_and_refuses_what_the_classes_refuse(name):
    schema = json.loads((ROOT / "config/schema.json").read_text(encoding="utf-8"))
    config = load_yaml(ROOT / "config" / name)
    jsonschema.validate(config, schema)
    training = config["training"]
    for wrong in ({"trainig": {}}, {"training": training | {"lora_rank": 0}},
                  {"training": training | {"schedule": "sine"}}, {"seed": "42"}):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(config | wrong, schema)


class Inner(Strict):
    """How it is done."""

    way: str | None = Field("short", description="which way")
    share: float = Field(0.5, gt=0, le=1, description="share of it")


class Outer(Strict):
    """A file."""

    inner: Inner = Inner()
    count: int = Field(3, ge=1, description="how many | at least")


def test_a_comment_is_replaced_and_what_is_no_setting_is_left(tmp_path):
    text = (
        "# The head stays.\n\n# old\n# words\ninner:\n  way: a#b # old\n  share: 0.5\n"
        "count: 3\nlist:\n  # stays\n  - 1\n"
    )
    made = with_comments(text, Outer)
    assert made == (
        "# The head stays.\n\n# How it is done.\ninner:\n  way: a#b # which way\n"
        "  share: 0.5 # share of it\n# How many | at least.\ncount: 3\nlist:\n  # stays\n  - 1\n"
    )
    assert with_comments(made, Outer) == made


def test_the_page_tells_kind_default_and_meaning_of_each_key():
    page = settings_page({"file.yaml": Outer})
    assert "| `inner` | keys of its own | the keys below | How it is done |" in page
    assert "| `count` | whole number, 1 or more | `3` | how many \\| at least |" in page
    assert '| `way` | text or null | `"short"` | which way |' in page
    assert "| `share` | number, above 0, 1 at most | `0.5` | share of it |" in page
    assert json.loads(json_schema(Outer))["additionalProperties"] is False


def test_a_new_field_changes_everything_that_is_made_and_one_command_writes_it(tmp_path, capsys):
    (tmp_path / "config").mkdir()
    config = (ROOT / "config/config.yaml").read_text(encoding="utf-8")
    stale = config.replace("# Folder for everything that is made.", "# Somewhere.")
    assert stale != config
    (tmp_path / "config/config.yaml").write_text(stale, encoding="utf-8")
    assert main(["reference", "--out", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    for name in references(ROOT / "config/config.yaml"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()
    assert main(["reference", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_the_page_of_commands_names_them_all():
    page = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"## `itdr {name}`" not in page] == []

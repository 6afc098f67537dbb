"""The adapters that the authors have published: found, checked and mapped to the base model."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from safetensors.torch import load_file, save_file

from itdr.cli.main import main
from itdr.errors import DownloadError, MissingFileError, ModelError
from itdr.files.formats import read_json, write_json
from itdr.models.loading import check_adapter, load_adapted, load_model
from itdr.planning.loading import load_workflow
from itdr.released.adapters.importing import import_adapter
from itdr.released.adapters.places import DrivePlace, LocalPlace
from itdr.retry import RetryPolicy
from itdr.settings.model import ModelSettings
from tests.conftest import ROOT
from tests.models import make_random_adapter, make_random_model

RANK, ALPHA = 4, 8
HIDDEN, INNER, HEADS, GROUPS, SIZE, LAYERS = 32, 48, 4, 2, 8, 2
ROWS = (HEADS * SIZE, GROUPS * SIZE, GROUPS * SIZE)  # of queries, keys and values
SHAPES = {  # outputs, inputs
    "self_attention.query_key_value": (sum(ROWS), HIDDEN),
    "self_attention.dense": (HIDDEN, HEADS * SIZE),
    "mlp.dense_h_to_4h": (2 * INNER, HIDDEN),
    "mlp.dense_4h_to_h": (HIDDEN, INNER),
}


@pytest.fixture(scope="module")
def glm(tmp_path_factory):
    """Return the settings of a tiny random GLM in transformers' own format."""
    folder = make_random_model(
        tmp_path_factory.mktemp("glm") / "tiny-glm-hf", "glm", hidden_size=HIDDEN,
        intermediate_size=INNER, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=GROUPS, head_dim=SIZE, tie_word_embeddings=False,
    )  # fmt: skip
    return settings_of(folder)


def settings_of(folder: Path) -> ModelSettings:
    return ModelSettings(model="tiny-glm", title="Tiny GLM", source=str(folder), memory_mb=1000)


def fused_tensors() -> dict[str, torch.Tensor]:
    """Return an adapter with the names of GLM's own code: its attention has one projection."""
    torch.manual_seed(7)
    tensors = {}
    for layer in range(LAYERS):
        for module, (outputs, inputs) in SHAPES.items():
            name = f"base_model.model.transformer.encoder.layers.{layer}.{module}.lora_"
            tensors[f"{name}A.weight"] = 0.3 * torch.randn(RANK, inputs)
            tensors[f"{name}B.weight"] = 0.3 * torch.randn(outputs, RANK)
    return tensors


def write_adapter(folder: Path, tensors=None, **config) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(fused_tensors() if tensors is None else tensors, folder / "adapter_model.safetensors")
    told = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA,
        "base_model_name_or_path": "SomeHub/tiny-glm", "target_modules": [*SHAPES],
        "auto_mapping": None, "bias": "none", "inference_mode": True,
    }  # fmt: skip
    write_json(folder / "adapter_config.json", told | config)
    return folder


def merged_by_hand(model, tensors) -> None:
    """Add each fused update, alpha / rank times B A, to the weights that it is an update of."""
    for i, layer in enumerate(model.model.layers):
        attention, mlp = layer.self_attn, layer.mlp
        update = {
            module: ALPHA / RANK
            * tensors[f"base_model.model.transformer.encoder.layers.{i}.{module}.lora_B.weight"]
            @ tensors[f"base_model.model.transformer.encoder.layers.{i}.{module}.lora_A.weight"]
            for module in SHAPES
        }  # fmt: skip
        whole = update["self_attention.query_key_value"]
        first, second = ROWS[0], ROWS[0] + ROWS[1]
        attention.q_proj.weight.data += whole[:first]
        attention.k_proj.weight.data += whole[first:second]
        attention.v_proj.weight.data += whole[second:]
        attention.o_proj.weight.data += update["self_attention.dense"]
        mlp.gate_up_proj.weight.data += update["mlp.dense_h_to_4h"]
        mlp.down_proj.weight.data += update["mlp.dense_4h_to_h"]


def test_a_fused_adapter_of_glms_own_code_gives_the_same_outputs_as_applied_by_hand(glm, tmp_path):
    write_adapter(tmp_path / "there" / "GLM" / "itdr")
    record = import_adapter(glm, LocalPlace(tmp_path / "there"), tmp_path / "out")
    assert record["imported"]["folder"] == "GLM/itdr" and record["imported"]["renamed"]
    ids = torch.arange(3, 43).reshape(2, 20)
    by_hand = load_model(glm)
    before = by_hand(ids).logits.detach()
    merged_by_hand(by_hand, fused_tensors())
    with torch.no_grad():
        expected, found = by_hand(ids).logits, load_adapted(glm, tmp_path / "out")(ids).logits
    assert (expected - before).abs().max() > 0.1, "the adapter changes nothing"
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_an_adapter_with_the_models_own_names_is_taken_over_to_the_byte(glm, tmp_path):
    there = make_random_adapter(glm, tmp_path / "there", RANK)
    record = import_adapter(glm, LocalPlace(there), tmp_path / "out")
    assert not record["imported"]["renamed"] and record["imported"]["folder"] == "."
    name = "adapter_model.safetensors"
    assert (tmp_path / "out" / name).read_bytes() == (there / name).read_bytes()


def test_what_was_imported_is_held_against_its_checksums_later(glm, tmp_path):
    write_adapter(tmp_path / "there")
    import_adapter(glm, LocalPlace(tmp_path / "there"), tmp_path / "out")
    check_adapter(tmp_path / "out")
    told = read_json(tmp_path / "out" / "adapter_config.json")
    assert told["target_modules"] == [
        "down_proj", "gate_up_proj", "k_proj", "o_proj", "q_proj", "v_proj"
    ]  # fmt: skip
    assert told["base_model_name_or_path"] == glm.source


def shortened(name):
    return {key: tensor[:-1] if key.endswith(name) else tensor
            for key, tensor in fused_tensors().items()}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"peft_type": "IA3"}, "'peft_type' is 'IA3'; needed is 'LORA'"),
        ({"rank_pattern": {"dense": 2}}, "one rank and alpha for all layers"),
        ({"tensors": shortened("0.self_attention.query_key_value.lora_B.weight")},
         "has 63 rows, and the queries, keys and values of the base model have 64"),
        ({"tensors": shortened("0.mlp.dense_4h_to_h.lora_B.weight")}, "has another shape"),
        ({"tensors": fused_tensors() | {"base_model.model.transformer.embedding.x": torch.ones(1)}},
         "embedding.x fits nowhere"),
        ({"tensors": {k: v for k, v in fused_tensors().items() if ".1.mlp.dense_h" not in k}},
         "gate_up_proj.lora_A.weight, .*gate_up_proj.lora_B.weight are missing"),
    ],
)  # fmt: skip
def test_what_is_no_lora_adapter_of_the_model_is_refused(glm, tmp_path, change, says):
    write_adapter(tmp_path / "there", **change)
    with pytest.raises(ModelError, match=says):
        import_adapter(glm, LocalPlace(tmp_path / "there"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_of_glm_do_not_fit_another_model(random_model, tmp_path):
    write_adapter(tmp_path / "there", base_model_name_or_path=random_model.name)
    with pytest.raises(ModelError, match="named for GLM-4, and the base model is a qwen2"):
        import_adapter(settings_of(random_model), LocalPlace(tmp_path / "there"), tmp_path / "out")


def test_pickles_are_refused_with_how_to_write_them_anew(glm, tmp_path):
    there = write_adapter(tmp_path / "there")
    (there / "adapter_model.safetensors").rename(there / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"only adapter_model\.bin\. A pickle.*weights_only=True"):
        import_adapter(glm, LocalPlace(there), tmp_path / "out")
    (there / "adapter_model.safetensors").write_text("<html>quota</html>")
    with pytest.raises(ModelError, match="is no safetensors file"):
        import_adapter(glm, LocalPlace(there), tmp_path / "out")


def test_of_many_adapters_the_one_of_the_base_model_is_found_or_must_be_named(glm, tmp_path):
    there = tmp_path / "there"
    write_adapter(there / "qwen", base_model_name_or_path="Qwen/Qwen2.5-7B")
    place = LocalPlace(there)
    with pytest.raises(MissingFileError, match=r"no adapters are of tiny-glm.*\n  qwen: of Qwen/"):
        import_adapter(glm, place, tmp_path / "out")
    write_adapter(there / "glm")
    write_adapter(there / "glm" / "checkpoint-500")
    assert import_adapter(glm, LocalPlace(there), tmp_path / "out")["imported"]["folder"] == "glm"
    write_adapter(there / "glm-25")
    with pytest.raises(ModelError, match=r"2 adapters are of tiny-glm(.|\n)*--name"):
        import_adapter(glm, LocalPlace(there), tmp_path / "out")
    with pytest.raises(MissingFileError, match=r"no adapter 'glm-26'\. Did you mean 'glm-25'"):
        import_adapter(glm, LocalPlace(there), tmp_path / "out", "glm-26")
    found = import_adapter(glm, LocalPlace(there), tmp_path / "out", "glm-25/")
    assert found["imported"]["folder"] == "glm-25"


def test_an_adapter_of_another_base_model_is_used_only_by_name_and_with_a_warning(
    glm, tmp_path, caplog
):
    write_adapter(tmp_path / "there" / "chat", base_model_name_or_path="SomeHub/tiny-glm-chat")
    import_adapter(glm, LocalPlace(tmp_path / "there"), tmp_path / "out", "chat")
    assert "it was trained on SomeHub/tiny-glm-chat" in caplog.text


def id_of(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:33]


class Drive(BaseHTTPRequestHandler):
    """Answers as Google Drive does: folders as pages with links, files as they are."""

    root: Path
    asked: list[str]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        id = parse_qs(address.query)["id"][0]
        place = {id_of(path): path for path in (self.root, *self.root.rglob("*"))}[id]
        self.asked.append(place.relative_to(self.root).as_posix())
        if "embeddedfolderview" in address.path:
            entries = "".join(map(self.entry, sorted(place.iterdir())))
            page = f"<html><head><title>{place.name}</title></head>{entries}</html>"
            self.answer(page.encode(), "text/html")
        else:
            self.answer(place.read_bytes(), "application/octet-stream", place.name)

    def entry(self, path: Path) -> str:
        id = id_of(path)
        link = f"drive/folders/{id}" if path.is_dir() else f"file/d/{id}/view"
        return f'<a href="https://drive.google.com/{link}">{path.name}</a>'

    def answer(self, body: bytes, kind: str, name: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if name:
            self.send_header("Content-Disposition", f'attachment; filename="{name}"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def drive(tmp_path, monkeypatch):
    """Return a folder that a server here hands out in the place of Google Drive."""
    import requests

    handler = type("Handler", (Drive,), {"root": tmp_path / "drive", "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    send = requests.Session.send

    def send_here(session, request, **options):
        address = urlsplit(request.url)
        if address.hostname and address.hostname.endswith("google.com"):
            here = f"127.0.0.1:{server.server_port}"
            request.url = address._replace(scheme="http", netloc=here).geturl()
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", send_here)
    monkeypatch.setenv("HOME", str(tmp_path))  # where gdown keeps cookies
    yield handler
    server.shutdown()
    server.server_close()


def test_of_a_folder_of_google_drive_only_what_is_needed_is_downloaded(glm, tmp_path, drive):
    write_adapter(drive.root / "GLM" / "itdr")
    write_adapter(drive.root / "qwen", base_model_name_or_path="Qwen/Qwen2.5-7B")
    place = DrivePlace(id_of(drive.root), tmp_path / "cache")
    assert "GLM/itdr/adapter_model.safetensors" in place.paths
    record = import_adapter(glm, place, tmp_path / "out")
    assert record["imported"] | {"sha256": ""} == {
        "place": f"Google Drive {id_of(drive.root)}", "folder": "GLM/itdr",
        "base_model": "SomeHub/tiny-glm", "sha256": "", "renamed": True,
    }  # fmt: skip
    assert len(load_file(tmp_path / "out" / "adapter_model.safetensors")) == 12 * LAYERS
    assert "qwen/adapter_config.json" in drive.asked
    assert "qwen/adapter_model.safetensors" not in drive.asked


def test_a_drive_that_cannot_be_reached_says_how_to_get_it_by_hand(tmp_path, monkeypatch):
    import requests

    def fail(*_, **__):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests.Session, "send", fail)
    with pytest.raises(DownloadError, match=r"no route(.|\n)*folders/abc, download.*--folder"):
        DrivePlace("abc", tmp_path, RetryPolicy(retries=1, first_wait_s=0))


def test_the_command_writes_what_a_training_would_and_leaves_no_downloads(glm, tmp_path, drive):
    write_adapter(drive.root / "GLM")
    file = tmp_path / "tiny-glm.yaml"
    file.write_text(json.dumps(glm.model_dump(exclude_none=True)))
    words = ["import-adapter", "--model", str(file), "--out", str(tmp_path / "adapter")]
    assert main([*words, "--drive", id_of(drive.root)]) == 0
    assert {path.name for path in tmp_path.glob("adapter*")} == {"adapter"}
    assert main([*words, "--folder", str(drive.root)]) == 0, "its own folder may be replaced"


def test_a_released_column_stands_beside_the_published_values_of_the_trained_one(tmp_path):
    from itdr.reporting.results import load_results
    from itdr.settings.paper import load_paper

    paper = load_paper(ROOT / "config/papers/itdr")
    score = tmp_path / "glm-4-9b" / "released" / "42.csv"
    results = load_results(paper, [score], incomplete=True)
    column = ("glm-4-9b", "released")
    assert results.published[column] == results.published["glm-4-9b", "itdr"]
    assert paper.layout.columns_of("main", [column]) == [column]
    assert paper.layout.column_title(column) == "GLM-4-9B released adapters"
    assert column not in load_results(paper).published


def test_a_name_for_a_column_without_a_released_adapter_is_refused(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("released_adapters: {names: {glm-4-9b/itdr: GLM}}\n")
    with pytest.raises(Exception, match="'glm-4-9b/itdr': the adapter of 'itdr' is not a released"):
        load_workflow([ROOT / "config/config.yaml", file])

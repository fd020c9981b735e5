"""Equality with the published models: state-dict layout, outputs for given weights, weight facts, signatures."""

import inspect
import re

import pytest
import torch

import vision_models


def test_state_dict_layout(any_model, facts):
    expected = facts("torchvision_layouts")[any_model]
    with torch.device("meta"):
        model = vision_models.get_model(any_model)
    got = [(name, [str(t.dtype).removeprefix("torch."), list(t.shape)]) for name, t in model.state_dict().items()]
    assert got == list(expected["state"].items())
    assert sum(p.numel() for p in model.parameters()) == expected["params"]


def test_golden_output(golden_model, facts, fill):
    golden = facts("torchvision_goldens").get(golden_model)
    if golden is None:
        pytest.skip("no golden output for this model")
    model = fill.fill_state(vision_models.get_model(golden_model).eval())
    inputs = [fill.make_input(shape, tag) for shape, tag in zip(golden["inputs"], "ab", strict=False)]
    with torch.inference_mode():
        output = model(*inputs)
        disturbed = model(*[x * (1 + 1e-6) for x in inputs])
    expected = golden["outputs"]["output"]
    assert list(output.shape) == expected["shape"]
    scale = expected["norm"] / output.numel() ** 0.5
    # Some deep networks amplify the last bit of these inputs: no two machines agree on their outputs more closely.
    noise = (output - disturbed).abs().max().item() / scale
    if noise > 0.05:
        pytest.skip(f"the golden output is ill-conditioned: a change of 1e-6 of the input moves it by {noise:.2f}")
    tolerance = max(2e-3, 5 * noise) * scale
    flat = output.flatten()
    torch.testing.assert_close(flat[:24], torch.tensor(expected["head"]), rtol=0, atol=tolerance)
    torch.testing.assert_close(flat[-8:], torch.tensor(expected["tail"]), rtol=0, atol=tolerance)
    assert flat.norm().item() == pytest.approx(expected["norm"], rel=max(1e-3, noise))
    assert flat.mean().item() == pytest.approx(expected["mean"], abs=tolerance)


def test_weight_facts(any_model, facts):
    expected = facts("torchvision_weights")[any_model]
    got = list(vision_models.get_model_weights(any_model))
    assert [weights.name for weights in got] == [entry["name"] for entry in expected]
    for weights, entry in zip(got, expected, strict=True):
        assert weights.url == entry["url"]
        assert entry["url"].endswith(f"-{weights.value.sha256}.pth")
        meta = {key: value for key, value in weights.meta.items() if key != "categories"}
        assert {**meta, "min_size": list(meta["min_size"])} == entry["meta"]
        if weights.name == "IMAGENET1K_FEATURES":  # a feature extractor without a trained classifier
            assert weights.meta["categories"] is None
        else:
            assert len(weights.meta["categories"]) == 1000
        assert published_preprocessing(entry["transforms"]) == settings(weights.transforms())


def published_preprocessing(text: str) -> dict:
    found = dict(re.findall(r"(\w+)=(\[.*?\]|InterpolationMode\.\w+)", text))
    numbers = {key: [float(x) for x in re.findall(r"[\d.]+", found[key])] for key in found if key != "interpolation"}
    return numbers | {"interpolation": found["interpolation"].split(".")[1].lower()}


def settings(prepare) -> dict:
    return {
        "crop_size": [prepare.crop_size],
        "resize_size": [prepare.resize_size],
        "mean": prepare.mean,
        "std": prepare.std,
        "interpolation": prepare.interpolation,
    }


def test_default_weights(facts):
    for name, entry in facts("torchvision_api")["torchvision.models"].items():
        if entry["kind"] == "weights_enum" and hasattr(vision_models, name):
            assert list(getattr(vision_models, name).__members__) == entry["members"]


def test_signatures(facts):
    """Every argument of the published signature exists, in its order, with its default."""
    for name, entry in facts("torchvision_api")["torchvision.models"].items():
        ours = getattr(vision_models, name, None)
        if ours is None or entry["kind"] not in ("function", "class") or name == "Weights":
            continue
        # An open **kwargs that swallows misspelt arguments is not part of the contract.
        wanted = [part for part in published_arguments(entry["signature"]) if not part.startswith("**")]
        have = [str(p) for p in inspect.signature(ours).parameters.values()]
        names = [re.split(r"[:= ]", part)[0] for part in have]
        missing = [arg for arg in wanted if re.split(r"[:=]", arg)[0] not in names]
        assert not missing, f"{name}: {missing}"
        order = [names.index(re.split(r"[:=]", arg)[0]) for arg in wanted]
        assert order == sorted(order), name


def published_arguments(signature: str) -> list[str]:
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    parts, depth, start = [], 0, 0
    for i, char in enumerate(inside + ","):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append(inside[start:i].strip())
            start = i + 1
    return [part for part in parts if part not in ("self", "*", "inherited", "")]

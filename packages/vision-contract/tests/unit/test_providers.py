"""Finding operators: wheels are made in temporary folders and put on the path, as an installation would."""

import copy
import importlib.metadata
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest

import vision_contract
from vision_contract import OperatorNotFoundError, Provider, ProviderWarning, find, operators, provide

GOOD = """
    def blur(image):
        return "{}"
"""


def reference(image):
    return "reference"


@pytest.fixture
def nothing_installed(clean, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **selection: [])


def table(name):
    return [provider for provider in operators() if provider.name == name]


def test_one_provider(install):
    install("good-blur", GOOD.format("good"), version="2.1", blur="blur")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blur = find("blur", default=reference)
    assert blur(None) == "good"
    assert blur is find("blur")
    assert table("blur") == [Provider("blur", "good_blur:blur", "good-blur", "2.1", True, None)]


def test_what_is_found_pickles_and_copies(install):
    install("good-blur", GOOD.format("good"), blur="blur")
    blur = find("blur")
    assert pickle.loads(pickle.dumps(blur)) is blur
    assert copy.deepcopy(blur) is blur


def test_nothing_is_loaded_before_it_is_asked_for(install):
    install("good-blur", GOOD.format("good"), blur="blur")
    install("good-sharpen", "def sharpen(image): return image", sharpen="sharpen")
    find("sharpen")
    assert "good_sharpen" in sys.modules
    assert "good_blur" not in sys.modules


def test_the_look_up_is_kept(install, monkeypatch):
    install("good-blur", GOOD.format("good"), blur="blur")
    find("blur")

    def again(**selection):
        raise AssertionError("looked up twice")

    monkeypatch.setattr(importlib.metadata, "entry_points", again)
    find("blur")
    operators()


def test_what_is_installed_later_is_found(install):
    with pytest.raises(OperatorNotFoundError):
        find("blur")
    install("late-blur", GOOD.format("late"), blur="blur")
    assert find("blur")(None) == "late"


def test_the_default(nothing_installed):
    assert find("nms", default=reference) is reference
    assert table("nms") == []


@pytest.mark.parametrize(
    ("name", "wheel"),
    [
        ("nms", "vision-core"),
        ("roi_align", "vision-core"),
        ("resize", "vision-core"),
        ("decode_image", "vision-io"),
        ("video_decoder", "vision-io[video]"),
    ],
)
def test_no_provider_names_the_wheel_to_install(nothing_installed, name, wheel):
    with pytest.raises(LookupError) as caught:
        find(name)
    assert str(caught.value) == (
        f"no provider of '{name}' is installed: pip install '{wheel}'; or pass a function of your own, or call "
        f"vision_contract.provide('{name}', function)"
    )


def test_an_unknown_name_shows_the_known_ones(nothing_installed):
    with pytest.raises(
        OperatorNotFoundError, match="the contract knows nms, roi_align, resize, decode_image, video_dec"
    ):
        find("nsm")


def test_two_providers_choose_the_first_by_name_and_warn_once(install):
    install("zebra-blur", GOOD.format("zebra"), blur="blur")
    install("apple-blur", GOOD.format("apple"), blur="blur")
    with pytest.warns(ProviderWarning) as caught:
        assert find("blur")(None) == "apple"
    assert str(caught[0].message) == (
        "'blur' has 2 providers, apple-blur 1.0 (apple_blur:blur), zebra-blur 1.0 (zebra_blur:blur): "
        "choose one with VISION_CONTRACT_PREFER_BLUR"
    )
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find("blur")(None) == "apple"
    assert [(p.distribution, p.chosen) for p in table("blur")] == [("apple-blur", True), ("zebra-blur", False)]


def test_the_environment_chooses(install, monkeypatch):
    install("zebra-blur", GOOD.format("zebra"), blur="blur")
    install("apple-blur", GOOD.format("apple"), blur="blur")
    monkeypatch.setenv("VISION_CONTRACT_PREFER_BLUR", "Zebra_Blur")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find("blur")(None) == "zebra"
        assert find("blur", prefer="apple-blur")(None) == "apple"
    assert [(p.distribution, p.chosen) for p in table("blur")] == [("zebra-blur", True), ("apple-blur", False)]


def test_a_preference_that_cannot_be_met_is_told(install, monkeypatch):
    install("apple-blur", GOOD.format("apple"), blur="blur")
    monkeypatch.setenv("VISION_CONTRACT_PREFER_BLUR", "melon-blur")
    with pytest.warns(
        ProviderWarning, match="VISION_CONTRACT_PREFER_BLUR='melon-blur' does not provide 'blur', but appl"
    ):
        assert find("blur")(None) == "apple"


def test_what_the_process_provides_comes_first(install):
    install("good-blur", GOOD.format("good"), blur="blur")
    assert provide("blur", os.path.basename) is os.path.basename
    assert find("blur", default=reference, prefer="good-blur") is os.path.basename
    assert [(p.distribution, p.chosen) for p in table("blur")] == [(None, True), ("good-blur", False)]
    assert table("blur")[0].target == "posixpath:basename"
    provide("blur", None)
    assert find("blur")(None) == "good"


def test_only_what_pickles_can_be_provided(clean):
    def local(image):
        return image

    for wrong in (lambda image: image, local, "blur"):
        with pytest.raises(TypeError, match=r"provide\('blur'\): .*(cannot be called|cannot be pickled)"):
            provide("blur", wrong)
    assert find("blur", default=reference) is reference


def test_torch_operators_cannot_be_provided(clean):
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="must be a top-level function"):
        provide("relu", torch.ops.aten.relu.default)


BROKEN = {
    "an error on import": ("raise OSError('libjpeg.so.8: cannot open shared object file')", "OSError: libjpeg.so.8"),
    "a missing attribute": ("", "AttributeError: module 'bad_blur' has no attribute 'blur'"),
    "a missing dependency": ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module"),
    "no function": ("blur = 3", "3 cannot be called"),
    "a lambda": ("blur = lambda image: image", "must be a top-level function"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_provider_is_passed_over(install, what):
    source, reason = BROKEN[what]
    install("bad-blur", source, blur="blur")
    with pytest.warns(ProviderWarning, match="bad-blur 1.0 .bad_blur:blur. is passed over: ") as caught:
        assert find("blur", default=reference) is reference
    assert reason in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find("blur", default=reference) is reference
    (row,) = table("blur")
    assert not row.chosen
    assert reason in row.error


def test_a_broken_provider_gives_way_to_a_working_one(install):
    install("bad-blur", "raise RuntimeError('no')", blur="blur")
    install("good-blur", GOOD.format("good"), blur="blur")
    with pytest.warns(ProviderWarning):
        assert find("blur", default=reference, prefer="bad-blur")(None) == "good"
    assert [(p.distribution, p.chosen, p.error) for p in table("blur")] == [
        ("bad-blur", False, "RuntimeError: no"),
        ("good-blur", True, None),
    ]


def test_a_broken_provider_and_no_default(install):
    install("bad-blur", "import no_such_module_at_all", blur="blur")
    with pytest.warns(ProviderWarning), pytest.raises(OperatorNotFoundError) as caught:
        find("blur")
    text = str(caught.value)
    assert text.startswith("no working provider of 'blur' is installed: pip install 'bad-blur'; or pass a function of")
    assert text.endswith("bad-blur 1.0 (bad_blur:blur): ModuleNotFoundError: No module named 'no_such_module_at_all'")


def test_a_provider_that_asks_itself_while_it_is_imported(install):
    install(
        "deep-blur",
        """
        from vision_contract import find
        sharpen = find("sharpen", default=len)
        def blur(image):
            return sharpen(image)
        """,
        blur="blur",
    )
    assert find("blur")("four") == 4


def test_everything_survives_spawning(install, tmp_path):
    """A model that holds an operator and layouts goes to a spawned worker, which looks up for itself as well."""
    site = install("good-blur", GOOD.format("good"), blur="blur")
    script = tmp_path / "main.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing
            from vision_contract import VIDEO_CTHW, ContractError, find, operators

            def work(model):
                blur, layout, rows = model
                assert layout is VIDEO_CTHW
                assert blur is find("blur")
                assert [r for r in operators() if r.name == "blur"] == rows
                try:
                    layout.check(memoryview(b"abc"), "clip")
                except ContractError as error:
                    return blur(None), error

            if __name__ == "__main__":
                model = find("blur"), VIDEO_CTHW, [row for row in operators() if row.name == "blur"]
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    print(*pool.apply(work, (model,)))
            """
        )
    )
    source = Path(vision_contract.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(source)])}
    done = subprocess.run(
        [sys.executable, "-S", str(script)], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    expected = "good clip: expected VIDEO_CTHW [... C T H W], got (3,); it has 1 axis, not 4 or more"
    assert done.stdout.strip() == expected, done.stderr


def test_in_a_compiled_module(install):
    torch = pytest.importorskip("torch")
    install(
        "torch-blur",
        """
        import torch
        def blur(image: torch.Tensor) -> torch.Tensor:
            return image.mean(-1, keepdim=True).expand_as(image)
        """,
        blur="blur",
    )

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.blur = find("blur")

        def forward(self, image):
            return self.blur(image)

    model, image = copy.deepcopy(Model()), torch.rand(3, 4, 5)
    torch._dynamo.reset()
    assert torch.equal(torch.compile(model, fullgraph=True, backend="eager")(image), model(image))
    assert torch.equal(torch.export.export(model, (image,)).module()(image), model(image))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert torch.equal(torch.jit.script(find("blur"))(image), model(image))

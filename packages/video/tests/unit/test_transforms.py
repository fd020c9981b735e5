import math
import pickle

import pytest
import torch

from video import transforms as T
from video.transforms import functional as F
from vision_contract import provide
from vision_contract.testing import ResizeConformance


class TestReferenceResize(ResizeConformance):
    operator = staticmethod(T.reference_resize)


CALLS = []


def recording_resize(image, size, interpolation="bilinear", antialias=True):
    CALLS.append((size, interpolation, antialias))
    return T.reference_resize(image, size, interpolation, antialias)


def clip(c=3, t=6, h=12, w=18, dtype=torch.uint8):
    x = torch.randint(0, 256, (c, t, h, w), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return x if dtype == torch.uint8 else x.to(dtype) / 255


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("n", [1, 2, 4, 7, 8, 16])
def test_subsample_against_the_definition(n):
    for t in range(1, 40):
        expected = [0] if n == 1 else [math.floor(k * (t - 1) / (n - 1) + 1e-9) for k in range(n)]
        assert F.uniform_temporal_subsample(torch.arange(t), n, 0).tolist() == expected


def test_subsample_equals_the_published_one_where_that_is_exact():
    """The published function rounds torch.linspace in float32; only there may it fall one frame short."""
    for t in range(1, 121):
        for n in range(1, 33):
            ours = F.uniform_temporal_subsample(torch.arange(t), n, 0)
            published = torch.linspace(0, t - 1, n, dtype=torch.float64).add(1e-9).clamp(0, t - 1).long()
            assert torch.equal(ours, published), (t, n)


def test_subsample_more_frames_than_there_are_and_its_errors():
    assert F.uniform_temporal_subsample(torch.arange(4), 8, 0).tolist() == [0, 0, 0, 1, 1, 2, 2, 3]
    with pytest.raises(ValueError, match="num_samples"):
        F.uniform_temporal_subsample(torch.arange(4), 0, 0)
    with pytest.raises(ValueError, match="0 frames"):
        F.uniform_temporal_subsample(torch.rand(3, 0, 2, 2), 2)


def test_subsample_compiles_and_follows_the_device():
    x = clip()
    compiled = torch.compile(F.uniform_temporal_subsample, fullgraph=True, backend="eager")
    assert torch.equal(compiled(x, 4), F.uniform_temporal_subsample(x, 4))
    assert F.uniform_temporal_subsample(torch.empty(3, 8, 4, 4, device="meta"), 4).device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_everything_runs_on_a_gpu():
    x = clip().cuda()
    scale = T.ShortSideScale(8, resize=T.reference_resize)
    pipeline = T.Compose(
        [
            T.UniformTemporalSubsample(4),
            scale,
            T.CenterCrop(6),
            T.Normalize([0.5] * 3, [0.2] * 3),
        ]
    )
    torch.testing.assert_close(pipeline(x).cpu(), pipeline(x.cpu()))


def test_pathways():
    slow, fast = T.UniformTemporalSubsampleRepeated((4, 1))(torch.arange(32)[None, :, None, None])
    assert fast.flatten().tolist() == list(range(32))
    assert slow.flatten().tolist() == [math.floor(k * 31 / 7) for k in range(8)]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize(("shape", "expected"), [((12, 18), (8, 12)), ((18, 12), (12, 8)), ((10, 17), (8, 13))])
def test_short_side_scale(dtype, shape, expected):
    x = clip(h=shape[0], w=shape[1], dtype=dtype)
    y = T.ShortSideScale(8, resize=T.reference_resize)(x)
    assert y.shape == (3, 6, *expected)
    assert y.dtype == dtype
    frame = torch.nn.functional.interpolate(x[:, 2][None].float(), size=expected, mode="bilinear")[0]
    torch.testing.assert_close(y[:, 2].float(), frame.round() if dtype == torch.uint8 else frame)


def test_resize_is_found_when_the_transform_is_built():
    CALLS.clear()
    provide("resize", recording_resize)
    try:
        scale, crop = T.ShortSideScale(8), T.RandomResizedCrop(4, 4, (0.5, 1), (0.8, 1.2))
    finally:
        provide("resize", None)
    scale(clip())
    crop(clip())
    assert CALLS == [([8, 12], "bilinear", False), ([4, 4], "bilinear", False)]


def test_random_short_side_scale_covers_its_range():
    scale = T.RandomShortSideScale(5, 8, resize=T.reference_resize)
    assert {min(scale(clip(t=1)).shape[-2:]) for _ in range(60)} == {5, 6, 7, 8}
    with pytest.raises(ValueError, match="min_size"):
        T.RandomShortSideScale(9, 8)


@pytest.mark.parametrize(("h", "w"), [(12, 18), (18, 12), (12, 12), (13, 18)])
def test_uniform_crop(h, w):
    x = clip(h=h, w=w)
    crops = [F.uniform_crop(x, 10, i) for i in range(3)]
    for y in crops:
        assert y.shape == (3, 6, 10, 10)
    top, left = math.ceil((h - 10) / 2), math.ceil((w - 10) / 2)
    assert torch.equal(crops[1], x[..., top : top + 10, left : left + 10])
    if h > w:
        assert torch.equal(crops[0], x[..., :10, left : left + 10])
        assert torch.equal(crops[2], x[..., h - 10 :, left : left + 10])
    else:
        assert torch.equal(crops[0], x[..., top : top + 10, :10])
        assert torch.equal(crops[2], x[..., top : top + 10, w - 10 :])
    sample = T.UniformCropVideo(10)({"video": x, "aug_index": 2})
    assert torch.equal(sample["video"], crops[2])
    with pytest.raises(ValueError, match="spatial_idx"):
        F.uniform_crop(x, 10, 3)
    with pytest.raises(ValueError, match="cannot cut 20 x 20"):
        F.uniform_crop(x, 20, 0)


def test_center_and_random_crop():
    x = clip()
    assert torch.equal(T.CenterCrop((4, 6))(x), x[..., 4:8, 6:12])
    places = set()
    for _ in range(200):
        y = T.RandomCrop((11, 17))(x)
        places.update((i, j) for i in range(2) for j in range(2) if torch.equal(y, x[..., i : i + 11, j : j + 17]))
    assert places == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert torch.equal(T.RandomHorizontalFlip(1.0)(x)[..., 0], x[..., -1])
    assert T.RandomHorizontalFlip(0.0)(x) is x


def test_normalize_float_and_uint8_agree():
    mean, std = (0.45, 0.4, 0.3), (0.225, 0.2, 0.25)
    x = clip()
    expected = torch.stack([(x[c].double() / 255 - mean[c]) / std[c] for c in range(3)]).float()
    torch.testing.assert_close(T.Normalize(mean, std)(x / 255), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(T.Normalize(mean, std)(x), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        T.Normalize(mean, std)(x[None].double() / 255)[0], expected.double(), rtol=1e-6, atol=1e-6
    )
    with pytest.raises(ValueError, match="C=3 channels"):
        T.Normalize(mean, std)(x.transpose(0, 1))
    with pytest.raises(ValueError, match="must not contain 0"):
        T.Normalize(mean, (1, 0, 1))(x)


def test_dtype_and_axes():
    x = clip()
    assert torch.equal(T.ConvertFloatToUint8()(T.ConvertUint8ToFloat()(x)), x)
    assert torch.equal(T.ConvertFloatToUint8()(torch.linspace(0, 1, 1024)).bincount(), torch.full((256,), 4))
    assert torch.equal(T.Div255()(x), x / 255)
    assert torch.equal(T.MoveChannelFront()(T.MoveChannelRear()(x)), x)
    assert T.MoveChannelRear()(x).shape == (6, 12, 18, 3)
    assert T.Permute((1, 0, 2, 3))(x).shape == (6, 3, 12, 18)
    for wrong in (
        lambda: T.Permute((0, 0)),
        lambda: T.ConvertUint8ToFloat()(x / 255),
        lambda: T.ConvertFloatToUint8()(x),
    ):
        with pytest.raises(ValueError, match="expected"):
            wrong()


def test_random_resized_crop_boxes_obey_their_ranges():
    for _ in range(300):
        top, left, h, w = F.crop_parameters((0.2, 0.6), (0.5, 2.0), 100, 140)
        assert 0 <= top <= 100 - h
        assert 0 <= left <= 140 - w
        assert 0.19 <= h * w / 14000 <= 0.61
        assert 0.48 <= w / h <= 2.1
    assert F.crop_parameters((1, 1), (1, 1), 100, 140) == (0, 20, 100, 100), "the fallback is centred"
    with pytest.raises(ValueError, match="scale"):
        F.crop_parameters((0, 1), (1, 1), 10, 10)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_random_resized_crop(dtype):
    x = clip(dtype=dtype)
    crop = T.RandomResizedCrop(12, 18, (1, 1), (1.5, 1.5), resize=T.reference_resize)
    torch.testing.assert_close(crop(x), x)
    moving = T.RandomResizedCrop(5, 7, (0.2, 0.8), (0.5, 2), shift=True, resize=T.reference_resize)
    assert moving(x).shape == (3, 6, 5, 7)
    still = T.RandomResizedCrop(12, 18, (1, 1), (1.5, 1.5), shift=True, resize=T.reference_resize)
    torch.testing.assert_close(still(x), x)


def test_samples_are_not_changed_in_place():
    sample = {"video": clip(), "label": 1}
    changed = T.Compose([T.ApplyTransformToKey("video", T.Div255()), T.RemoveKey("label")])(sample)
    assert set(changed) == {"video"}
    assert sample["label"] == 1
    assert sample["video"].dtype == torch.uint8
    with pytest.raises(KeyError, match="no entry 'audio'"):
        T.ApplyTransformToKey("audio", T.Div255())(sample)
    assert "Div255" in repr(T.Compose([T.ApplyTransformToKey("video", T.Div255())]))


def test_op_sampler():
    ops = [lambda x, k=k: [*x, k] for k in range(3)]
    assert sorted(T.OpSampler(ops, num_sample_op=3)([])) == [0, 1, 2]
    assert {tuple(T.OpSampler(ops, [1, 0, 2])([])) for _ in range(60)} == {(0,), (2,)}
    assert {len(T.OpSampler(ops, num_sample_op=3, randomly_sample_depth=True)([])) for _ in range(60)} == {1, 2, 3}
    assert len(T.OpSampler(ops, num_sample_op=5, replacement=True)([])) == 5
    with pytest.raises(ValueError, match="cannot draw 4"):
        T.OpSampler(ops, num_sample_op=4)
    with pytest.raises(ValueError, match="weight"):
        T.OpSampler(ops, [1, 2])


def test_pipelines_pickle():
    scale = T.ShortSideScale(8, resize=T.reference_resize)
    pipeline = T.Compose([scale, T.CenterCrop(6), T.Normalize([0.5] * 3, [0.2] * 3)])
    assert torch.equal(pickle.loads(pickle.dumps(pipeline))(clip()), pipeline(clip()))


def test_one_hot():
    assert F.convert_to_one_hot(torch.tensor([1, 0]), 3).tolist() == [[0, 1, 0], [1, 0, 0]]
    smooth = F.convert_to_one_hot(torch.tensor([1]), 4, 0.2)
    torch.testing.assert_close(smooth, torch.tensor([[0.05, 0.85, 0.05, 0.05]]))
    with pytest.raises(ValueError, match=r"\[0, 3\)"):
        F.convert_to_one_hot(torch.tensor([3]), 3)


def batch():
    return torch.arange(4.0)[:, None, None, None, None].expand(4, 3, 2, 10, 10).contiguous(), torch.arange(4)


def test_mixup_blends_clips_as_labels():
    x, labels = batch()
    mixed, weights = T.MixUp(num_classes=4)(x, labels)
    torch.testing.assert_close(mixed[:, 0, 0, 0, 0], weights @ torch.arange(4.0))
    torch.testing.assert_close(weights.sum(1), torch.ones(4))
    assert torch.equal(x, batch()[0])


@pytest.mark.parametrize("one_hot", [False, True])
def test_cutmix_mixes_labels_by_area(one_hot):
    x, labels = batch()
    given = F.convert_to_one_hot(labels, 4) if one_hot else labels
    for _ in range(30):
        mixed, weights = T.CutMix(num_classes=4, one_hot=one_hot)(x, given)
        torch.testing.assert_close(mixed[:, 0, 0].mean((1, 2)), weights @ torch.arange(4.0), atol=1e-5, rtol=1e-5)
    assert torch.equal(x, batch()[0])


def test_mix_video_chooses():
    x, labels = batch()
    assert set(T.MixVideo(1.0, num_classes=4)(x, labels)[0].unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    assert not set(T.MixVideo(0.0, num_classes=4)(x, labels)[0].unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    with pytest.raises(ValueError, match="at least 2 clips"):
        T.MixUp(num_classes=4)(x[:1], labels[:1])

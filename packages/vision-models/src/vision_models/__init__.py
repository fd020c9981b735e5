"""Model zoo for computer vision in PyTorch: builders, registry, published weights.

Example:
    >>> from vision_models import ResNet18_Weights, resnet18
    >>> weights = ResNet18_Weights.DEFAULT
    >>> model = resnet18(weights=weights).eval()  # doctest: +SKIP
    >>> prepare = weights.transforms()
    >>> logits = model(prepare(image).unsqueeze(0))  # doctest: +SKIP
    >>> weights.meta["categories"][logits.argmax()]  # doctest: +SKIP
    'golden retriever'
"""

from vision_models import hub, mobilenetv3, resnet
from vision_models.__about__ import __version__
from vision_models._preprocess import ImageClassification
from vision_models._registry import (
    get_model,
    get_model_builder,
    get_model_weights,
    get_weight,
    list_models,
    register_model,
)
from vision_models._weights import Weights, WeightsEnum
from vision_models.mobilenetv3 import (
    MobileNet_V3_Large_Weights,
    MobileNet_V3_Small_Weights,
    MobileNetV3,
    mobilenet_v3_large,
    mobilenet_v3_small,
)
from vision_models.resnet import (
    ResNet,
    ResNet18_Weights,
    ResNet34_Weights,
    ResNet50_Weights,
    ResNet101_Weights,
    ResNet152_Weights,
    ResNeXt50_32X4D_Weights,
    ResNeXt101_32X8D_Weights,
    ResNeXt101_64X4D_Weights,
    Wide_ResNet50_2_Weights,
    Wide_ResNet101_2_Weights,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    resnext101_64x4d,
    wide_resnet50_2,
    wide_resnet101_2,
)

__all__ = [
    "ImageClassification",
    "MobileNetV3",
    "MobileNet_V3_Large_Weights",
    "MobileNet_V3_Small_Weights",
    "ResNeXt50_32X4D_Weights",
    "ResNeXt101_32X8D_Weights",
    "ResNeXt101_64X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Weights",
    "WeightsEnum",
    "Wide_ResNet50_2_Weights",
    "Wide_ResNet101_2_Weights",
    "__version__",
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "hub",
    "list_models",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "mobilenetv3",
    "register_model",
    "resnet",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]

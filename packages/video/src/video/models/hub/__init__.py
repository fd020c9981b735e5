"""Networks with published weights, by name."""

from video.models.hub._builder import hub_model_builder
from video.models.hub.x3d import x3d_l, x3d_m, x3d_s, x3d_xs

__all__ = ["hub_model_builder", "x3d_l", "x3d_m", "x3d_s", "x3d_xs"]

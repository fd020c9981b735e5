"""Fetching published files.

The cache is ``hub/checkpoints`` under ``TORCH_HOME``, shared with :mod:`torch.hub`. Two environment variables serve
machines without a direct way out: ``VISION_MODELS_MIRRORS`` lists servers or folders to try first, and
``VISION_MODELS_OFFLINE=1`` forbids fetching.
"""

from vision_models._download import DownloadError, HashMismatchError, OfflineError, cache_dir, fetch

__all__ = ["DownloadError", "HashMismatchError", "OfflineError", "cache_dir", "fetch"]

"""The Mask R-CNN text spotter and its parts, registered with mmdet by importing this package."""

import text_spotting.ops  # noqa: F401  (before mmdet)
from text_spotting.models.assigner import WordAssigner
from text_spotting.models.backbones import LargeKernelFPN, TextBackbone
from text_spotting.models.encoder import LightSVTREncoder, TextEncoder
from text_spotting.models.heads import SeparableRPNHead, WordBBoxHead, WordRPNHead
from text_spotting.models.mask_head import PolygonMaskHead
from text_spotting.models.recogniser import WordRecogniser
from text_spotting.models.roi_extractors import RectifyingExtractor
from text_spotting.models.roi_head import RectifyingRoIHead, TextRoIHead
from text_spotting.models.spotter import MaskTextSpotter
from text_spotting.models.text_head import TextRecognitionHead

__all__ = [
    "LargeKernelFPN",
    "LightSVTREncoder",
    "MaskTextSpotter",
    "PolygonMaskHead",
    "RectifyingExtractor",
    "RectifyingRoIHead",
    "SeparableRPNHead",
    "TextBackbone",
    "TextEncoder",
    "TextRecognitionHead",
    "TextRoIHead",
    "WordAssigner",
    "WordBBoxHead",
    "WordRPNHead",
    "WordRecogniser",
]

"""The Mask R-CNN text spotter and its parts, registered with mmdet by importing this package."""

from text_spotting.models.assigner import WordAssigner
from text_spotting.models.backbones import EfficientNetLite
from text_spotting.models.heads import WordBBoxHead, WordRPNHead
from text_spotting.models.mask_head import PolygonMaskHead
from text_spotting.models.recogniser import WordRecogniser
from text_spotting.models.roi_extractors import PictureRoIExtractor
from text_spotting.models.roi_head import TextRoIHead
from text_spotting.models.spotter import MaskTextSpotter
from text_spotting.models.text_head import TextRecognitionHead

__all__ = [
    "EfficientNetLite",
    "MaskTextSpotter",
    "PictureRoIExtractor",
    "PolygonMaskHead",
    "TextRecognitionHead",
    "TextRoIHead",
    "WordAssigner",
    "WordBBoxHead",
    "WordRPNHead",
    "WordRecogniser",
]

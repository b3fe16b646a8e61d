"""The Mask R-CNN text spotter and its parts, registered with mmdet."""

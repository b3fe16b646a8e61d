"""Run in an environment of its own by test_foreign_clients.py: what others' packages see in our files, as JSON."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def datumaro(folder: Path) -> dict[str, Any]:
    import datumaro as dm

    cvat = dm.Dataset.import_from(str(folder / "cvat"), "cvat")
    coco = dm.Dataset.import_from(str(folder / "coco"), "coco_instances")
    label = cvat.categories()[dm.AnnotationType.label].items[0]
    return {
        "texts": sorted(shape.attributes["text"] for item in cvat for shape in item.annotations),
        "label": [label.name, sorted(label.attributes)],
        "coco": sorted(
            shape.attributes["transcription"]
            for item in coco
            for shape in item.annotations
            if shape.type == dm.AnnotationType.polygon
        ),
    }


def fiftyone(folder: Path) -> dict[str, Any]:
    from fiftyone.utils.coco import load_coco_detection_annotations
    from fiftyone.utils.cvat import load_cvat_image_annotations

    _, _, images = load_cvat_image_annotations(str(folder / "cvat" / "annotations.xml"))
    _, _, _, _, coco = load_coco_detection_annotations(str(folder / "coco" / "annotations" / "instances_val.json"))
    shapes = [shape for image in images for shape in image.polygons]
    return {
        "texts": sorted(
            attribute.value for shape in shapes for attribute in shape.attributes if attribute.name == "text"
        ),
        "coco": sum(len(objects) for objects in coco.values()),
    }


def supervision(folder: Path) -> dict[str, Any]:
    import supervision as sv

    data = sv.DetectionDataset.from_coco(
        str(folder / "coco" / "images"), str(folder / "coco" / "annotations" / "instances_val.json")
    )
    return {"boxes": sorted(box.tolist() for _, _, found in data for box in found.xyxy)}


def pycocotools(folder: Path) -> dict[str, Any]:
    from pycocotools.coco import COCO

    coco = COCO(str(folder / "coco" / "annotations" / "instances_val.json"))
    return {"areas": sorted(int(coco.annToMask(word).sum()) for word in coco.loadAnns(coco.getAnnIds()))}


def label_studio(folder: Path) -> dict[str, Any]:
    from label_studio_sdk.converter.imports.coco import convert_coco_to_ls

    made = folder / "tasks.json"
    convert_coco_to_ls(str(folder / "coco" / "annotations" / "instances_val.json"), str(made))
    tasks = json.loads(made.read_text())
    return {"results": sum(len(task["annotations"][0]["result"]) for task in tasks)}


if __name__ == "__main__":
    os.environ.update(FIFTYONE_DO_NOT_TRACK="true", DO_NOT_TRACK="1")
    answer = globals()[sys.argv[1]](Path(sys.argv[2]))
    print("\n" + json.dumps(answer))

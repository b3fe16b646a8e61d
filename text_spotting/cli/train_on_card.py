"""Train the detector or the reader of a template on one fast card, in a given time."""

import argparse
import logging
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", choices=("detector", "reader", "snapshot"), help="what to train, or to write out")
    parser.add_argument("--config", required=True, help="model.py of the template")
    parser.add_argument("--load-weights", help="snapshot to begin with")
    parser.add_argument("--state", required=True, help="file that keeps the run; where it exists, the run goes on")
    parser.add_argument("--shards", default=".", help="folder in which packed data arrives (tools/pack_shards.py)")
    parser.add_argument("--rendered", default="/dev/shm/rendered", help="folder through which rendered data goes")
    parser.add_argument("--renderers", type=int, default=4, help="processes that render (default: 4)")
    parser.add_argument("--backgrounds", help="folder of photos without text to render on")
    parser.add_argument("--fonts", help="folder of fonts to render with; those installed by default")
    parser.add_argument("--seconds", type=float, default=1200, help="how long to train (default: 1200)")
    parser.add_argument("--batch", type=int, help="pictures, or words of one width, that go through together")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--seed", type=int, help="of all random choices (default: 0)")
    parser.add_argument("--held", type=int, help="rendered scenes, or words, that are held on the card")
    parser.add_argument("--output", help="snapshot to write: the moving average, float16")


def run(args: argparse.Namespace) -> None:
    import torch
    from mmengine.config import Config

    from text_spotting.engine.torch_spotter import build_network

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    config = Config.fromfile(args.config, import_custom_modules=False)
    if args.part == "snapshot":
        _write(torch.load(args.state, map_location="cpu", weights_only=True)["average"], args.output)
        return
    build_network(config)
    _write(_train(args, config).state_dict(), args.output)


def _train(args: argparse.Namespace, config):  # type: ignore[no-untyped-def]
    import torch

    from text_spotting.gpu import detector, reader
    from text_spotting.gpu.feed import Rendering, render_forever

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = "scenes" if args.part == "detector" else "words"
    blocks = Path(args.rendered) / kind
    backgrounds, fonts = (Path(folder) if folder else None for folder in (args.backgrounds, args.fonts))
    workers = render_forever(Rendering(kind, backgrounds, fonts), blocks, args.renderers, seed=1)
    places = Path(args.load_weights), Path(args.shards), blocks, Path(args.state)
    try:
        if args.part == "detector":
            given = {"batch": args.batch, "rate": args.rate, "kept": args.held, "seed": args.seed}
            plan = detector.Plan(args.seconds, **{name: value for name, value in given.items() if value})
            return detector.train_detector(config, *places, plan, device)
        given = {"chunk": args.batch, "rate": args.rate, "capacity": args.held, "seed": args.seed}
        words = reader.Plan(args.seconds, **{name: value for name, value in given.items() if value})
        return reader.train_reader(config, *places, words, device)
    finally:
        for worker in workers:
            worker.terminate()


def _write(weights, path: str) -> None:  # type: ignore[no-untyped-def]
    from text_spotting.engine.checkpoints import write_snapshot

    half = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    write_snapshot({"state_dict": {name: value.cpu() for name, value in half.items()}, "meta": {}}, Path(path))

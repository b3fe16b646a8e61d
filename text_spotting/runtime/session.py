"""OpenVINO's side: reading, checking and compiling graphs, and borrowing infer requests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

import openvino as ov
from openvino import properties
from openvino.properties import hint

from text_spotting.errors import UserError
from text_spotting.manifest import KEY, Manifest
from text_spotting.runtime.files import INT8_FOLDER, int8_beside
from text_spotting.runtime.options import Target

INT8 = "int8"
"""As a precision: the quantized model beside another."""
PRECISIONS = {"f32": ov.Type.f32, "bf16": ov.Type.bf16, "f16": ov.Type.f16}
"""What arithmetic may be asked for; graphs quantized to INT8 use it for their other layers."""

CORE = ov.Core()
"""The process's one, kept to its end.

OpenVINO's CPU plugin gives the thread that loads it a stack for signals, and takes it back with the last model. Were
that on another thread, the next Ctrl-C would find no stack and crash the process.
"""

_VIRTUAL_DEVICES = ("AUTO", "MULTI", "HETERO", "BATCH")


def read_graph(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> ov.Model:
    """Read an IR and check that it has the tensors that its role demands.

    Raises:
        UserError: unreadable, or a tensor is missing.
    """
    try:
        model = CORE.read_model(path)
    except RuntimeError as error:
        raise UserError(f"{path}: OpenVINO cannot read it ({_last_line(error)}); export the model again") from error
    for kind, wanted, ports in (("input", inputs, model.inputs), ("output", outputs, model.outputs)):
        present = {name for port in ports for name in port.get_names()}
        if missing := [name for name in wanted if name not in present]:
            raise UserError(
                f"{path}: has no {kind} named {', '.join(missing)} (there: {', '.join(sorted(present))});"
                " it is not the graph that this model's manifest names"
            )
    return model


def read_manifest(model: ov.Model, path: Path) -> Manifest:
    """Return the manifest that export wrote into the detector's ``rt_info``.

    Raises:
        UserError: there is none, or it cannot be used.
    """
    if not model.has_rt_info([KEY]):
        raise UserError(f"{path}: holds no manifest; export the model with this toolkit's tools/export.py")
    return Manifest.from_json(str(model.get_rt_info([KEY]).value), str(path))


def compile_options(target: Target) -> dict[str, object]:
    """Return OpenVINO's compile options.

    Raises:
        UserError: no such device or precision here, or the device does not know streams.
    """
    _check_device(target.device)
    options: dict[str, object] = {}
    if target.precision is not None:
        options[hint.inference_precision()] = _arithmetic(target.device, target.precision)
    if target.device == "CPU":
        options[properties.num_streams()] = target.streams
        if target.threads:
            options[properties.inference_num_threads()] = target.threads
    else:
        Target(streams=target.streams, threads=target.threads).reject_unsupported(f"device {target.device}", ())
    if target.cache_dir is not None:
        options[properties.cache_dir()] = str(target.cache_dir)
    return options


def _arithmetic(device: str, wanted: str) -> ov.Type:
    if wanted not in PRECISIONS:
        raise UserError(f"precision {wanted!r} is unknown; choose one of {', '.join(PRECISIONS)}")
    if device == "CPU" and wanted not in (there := _cpu_precisions()):
        raise UserError(f"this CPU does not compute in {wanted}; choose one of {', '.join(there)}")
    return PRECISIONS[wanted]


def choose_int8(detector: Path, target: Target) -> tuple[Path, Target]:
    """The model in INT8 that lies beside a detector, where that was asked for or is faster; else what was given.

    Raises:
        UserError: INT8 was asked for and is not there.
    """
    quantized = int8_beside(detector)
    if target.precision == INT8:
        if quantized is None:
            raise UserError(
                f"{detector.parent} holds no INT8 model ({INT8_FOLDER}/{detector.name});"
                " make one with tools/compress.py"
            )
        return quantized, replace(target, precision=None)
    if quantized and target.precision is None and target.device == "CPU" and int8_is_fastest():
        return quantized, target
    return detector, target


def arithmetic_here(detector: Path) -> str:
    """What a model is computed in on this CPU where nothing is asked for, in words.

    Raises:
        UserError: see ``read_graph``.
    """
    if choose_int8(detector, Target())[0] != detector:
        return "computed in int8, the fastest on this processor"
    return f"computed in {default_precision(read_manifest(read_graph(detector, [], []), detector))}"


def int8_is_fastest() -> bool:
    """Whether this processor multiplies bytes faster than floats: it has AVX2, as all with VNNI have, too."""
    return _AVX2 in _processor_flags()


def avx2_is_newest() -> bool:
    """Whether this processor has AVX2 and neither AVX-512 nor VNNI."""
    flags = _processor_flags()
    return _AVX2 in flags and not any(flag.startswith("avx512") or flag == "avx_vnni" for flag in flags)


_AVX2 = "avx2"
"""As Linux calls it. INT8 without it was never measured, so it has to be asked for there."""


def _processor_flags(listing: Path = Path("/proc/cpuinfo")) -> set[str]:
    """What Linux says that the first processor has; nothing elsewhere."""
    if not listing.is_file():
        return set()
    lines = (line.partition(":") for line in listing.read_text(encoding="utf-8").splitlines())
    return next((set(values.split()) for name, _, values in lines if name.strip() == "flags"), set())


def default_precision(manifest: Manifest) -> str:
    """What a model is computed in on this CPU unless its user asks: what it wants, or half precision where fast."""
    if manifest.precision:
        return manifest.precision
    usual = CORE.get_property("CPU", hint.inference_precision())
    return next(name for name, kind in PRECISIONS.items() if kind == usual)


def _cpu_precisions() -> list[str]:
    names = {"FP32": "f32", "BF16": "bf16", "FP16": "f16"}
    return [names[ability] for ability in CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES") if ability in names]


def _check_device(device: str) -> None:
    available = CORE.available_devices
    kind = device.split(":", maxsplit=1)[0].split(".", maxsplit=1)[0]
    if kind not in _VIRTUAL_DEVICES and kind not in {name.split(".")[0] for name in available}:
        raise UserError(f"no device {device!r} here; there is {', '.join(available)}")


def compile_graph(model: ov.Model, target: Target) -> "RequestPool":
    """Compile a graph; its requests are created as threads need them.

    Raises:
        UserError: the device or precision is not available, or cannot run the graph.
    """
    try:
        return RequestPool(CORE.compile_model(model, target.device, compile_options(target)))
    except RuntimeError as error:
        raise UserError(f"device {target.device} cannot run {model.friendly_name}: {_last_line(error)}") from error


class RequestPool:
    """Infer requests of one compiled graph, each used by one thread at a time."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self.compiled = compiled
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()

    @contextmanager
    def borrow(self) -> Iterator[ov.InferRequest]:
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self.compiled.create_infer_request()
        try:
            yield request
        finally:
            self._idle.put(request)


def infer(request: ov.InferRequest) -> None:
    """Compute; results are read from the request's tensors, so none is copied here."""
    request.infer(share_outputs=True, decode_strings=False)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

"""Reading SOFA files: measured rooms and heads with the places of their sources, listeners and microphones.

SOFA (AES69) is HDF5 with named conventions; h5py reads it (`pip install audiosynth[sofa]`).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.acoustics.arrays import Direction, spherical, unit
from audiosynth.acoustics.hdf5 import numbers, text
from audiosynth.acoustics.image_moments import HALF, fractional_tap
from audiosynth.dsp import convolve
from audiosynth.errors import AssetError, did_you_mean

if TYPE_CHECKING:
    from audiosynth.clip import Array

SOFA_SUFFIX: Final = ".sofa"
CONVENTIONS: Final = (
    "SimpleFreeFieldHRIR", "SingleRoomSRIR", "SingleRoomDRIR", "SingleRoomMIMOSRIR", "MultiSpeakerBRIR", "GeneralFIR",
    "GeneralFIR-E", "GeneralFIRE",
)  # fmt: skip
LAYOUTS: Final = {"FIR": "mrn", "FIR-E": "mrne", "FIRE": "mren"}
"""Order of the dimensions of Data.IR by GLOBAL:DataType: measurement, receiver, emitter, sample (AES69-2022)."""
MAX_VALUES: Final = 1 << 27
"""Samples read at once: 1 GiB as float64."""
MAX_DELAY_SECONDS: Final = 10.0
UNITS: Final = {"cartesian": ("metre", "meter"), "spherical": ("degree",)}
"""How the units of each type of coordinates begin."""


@dataclass(frozen=True, eq=False)
class Sofa:
    """What a SOFA file holds; M measurements, R receivers, E emitters, N samples.

    Attributes
    ----------
    name
        The file, for messages.
    convention
        As in GLOBAL:SOFAConventions.
    sr
        Rate in Hz.
    n_measurements
        In the file; M below may be fewer (`read_sofa(…, only=…)`).
    ir
        Shape (M, R, E, N), without the delays.
    delay
        In samples, maybe fractions, shape (M, R, E).
    sources, listeners
        Positions in metres, shape (M, 3).
    fronts, ups
        Where the listener looks and where its top is, unit vectors of shape (M, 3).
    receivers, emitters
        Positions around the listener and around the source in metres, shapes (M, R, 3) and (M, E, 3).
    """

    name: str
    convention: str
    sr: int
    n_measurements: int
    ir: Array
    delay: Array
    sources: Array
    listeners: Array
    fronts: Array
    ups: Array
    receivers: Array
    emitters: Array

    def measurement(self, k: int, *, emitter: int = 0) -> Array:
        """Return the response of measurement `k`, delays applied.

        Whole delays shift without touching a sample; fractions go through the 81 taps of `image_moments`.

        Returns
        -------
        h
            Shape (R, N + longest delay): one receiver's delay against another's is kept.

        Raises
        ------
        AssetError
            If there is no such measurement or emitter, or it is silent.
        """
        m, _, e, n = self.ir.shape
        if not (0 <= k < m and 0 <= emitter < e):
            raise AssetError(f"{self.name}: no measurement {k} of emitter {emitter}; there are {m} of {e}, from 0 on")
        rows, delays = self.ir[k, :, emitter], self.delay[k, :, emitter]
        if not rows.any():
            raise AssetError(f"{self.name}: measurement {k} is silent throughout; choose another one")
        fractional = bool((delays % 1.0).any())
        h = np.zeros((len(rows), n + int(np.ceil(delays.max())) + (HALF if fractional else 0)))
        for out, row, d in zip(h, rows, delays, strict=True):
            if d % 1.0:
                taps = fractional_tap(np.arange(int(d) + HALF + 2) - d)
                moved = convolve(row[np.newaxis], taps[np.newaxis])[0, : len(out)]
                out[: len(moved)] = moved
            else:
                out[int(d) : int(d) + n] = row
        return h

    def directions(self) -> Direction:
        """Return where the sources lie as the listener sees them (azimuth anticlockwise), each of shape (M,)."""
        away = self.sources - self.listeners
        left = np.cross(self.ups, self.fronts)
        return spherical(np.stack([np.sum(away * axis, axis=1) for axis in (self.fronts, left, self.ups)], axis=1))

    def nearest(self, *, azimuth: float, elevation: float = 0.0, distance: float | None = None) -> int:
        """Return the measurement whose source lies nearest to a direction in degrees.

        Of several in the same direction the one nearest in distance, if it is given; then the first. Between the
        measured directions nothing is interpolated: averaging two responses of different delays combs.
        """
        seen = self.directions()
        near = np.sum(unit(seen.azimuth, seen.elevation) * unit(azimuth, elevation), axis=1)
        candidates = np.flatnonzero(near >= near.max() - 1e-12)
        off = np.abs(seen.distance[candidates] - distance) if distance is not None else np.zeros(len(candidates))
        return int(candidates[np.flatnonzero(off <= off.min() + 1e-9)[0]])


def read_sofa(path: Path | str, *, only: Sequence[int] | None = None, data: bytes | None = None) -> Sofa:
    """Read a SOFA file of impulse responses.

    Parameters
    ----------
    path
        The file.
    only
        Which measurements to read, all of them if not given.
    data
        Its bytes, if they have been read; `path` then names them in messages.

    Raises
    ------
    AssetError
        If h5py is missing, or the file is: no HDF5, of a convention that is not read, without one of its parts, of a
        wrong shape, too large, or holding NaN.

    References
    ----------
    AES69-2022, "AES standard for file exchange - Spatial acoustic data file format".
    """
    name = str(path)
    try:
        import h5py
    except ImportError:
        raise AssetError(
            f"{name}: SOFA files are read by h5py; install it with `pip install audiosynth[sofa]`"
        ) from None
    if data is None and not Path(path).is_file():
        raise AssetError(f"{name}: there is no such file")
    try:
        with h5py.File(path if data is None else io.BytesIO(data), "r") as file:
            return _Reader(file, name).sofa(only)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # what h5py raises on damaged files
        raise AssetError(f"{name}: not a readable SOFA (HDF5) file: {error}; get it again from its source") from None


class _Reader:
    """One open file and the messages about it."""

    def __init__(self, file: Any, name: str) -> None:
        self.file, self.name = file, name

    def sofa(self, only: Sequence[int] | None) -> Sofa:
        convention, layout = self._convention()
        data = self._dataset("Data.IR", rank=len(layout))
        m = data.shape[0]
        rows = self._rows(only, m)
        sizes = dict(zip(layout, data.shape, strict=True))
        if len(rows) * (data.size // m) > MAX_VALUES:
            raise self._bad(f"{len(rows)} measurements hold over {MAX_VALUES} samples; read fewer at once")
        whole = data[()] if only is None else np.stack([data[k] for k in rows])
        ir = np.asarray(whole, dtype=np.float64)
        if layout == "mrn":
            ir = ir[:, :, np.newaxis]
        elif layout == "mrne":
            ir = np.moveaxis(ir, 3, 2)
        if not np.isfinite(ir).all():
            raise self._bad("Data.IR holds NaN or infinity; get the file again, or leave those measurements out")
        sr, r, e = self._rate(), sizes["r"], sizes.get("e", 1)
        fronts, ups = self._view(m)
        return Sofa(
            self.name, convention, sr, m, ir, self._delay((m, r, e), sr)[rows],
            self._places("SourcePosition", m)[rows], self._places("ListenerPosition", m)[rows], fronts[rows], ups[rows],
            self._around("ReceiverPosition", m, r)[rows], self._around("EmitterPosition", m, e)[rows],
        )  # fmt: skip

    def _bad(self, message: str) -> AssetError:
        return AssetError(f"{self.name}: {message}")

    def _convention(self) -> tuple[str, str]:
        convention, kind = (text(self.file.attrs.get(key)) for key in ("SOFAConventions", "DataType"))
        if convention not in CONVENTIONS:
            hint = did_you_mean(convention, CONVENTIONS)
            expected = f"{', '.join(CONVENTIONS)} are read; convert it to one of them"
            raise self._bad(f"SOFA convention {convention or 'not given'!r} is not known{hint}; {expected}")
        if kind not in LAYOUTS:
            raise self._bad(
                f"{convention} of DataType {kind or 'not given'!r}; impulse responses are {', '.join(LAYOUTS)}"
            )
        return convention, LAYOUTS[kind]

    def _dataset(self, key: str, *, rank: int | None = None) -> Any:
        try:
            return numbers(self.file, key, rank=rank)
        except AssetError as error:
            raise self._bad(str(error)) from None

    def _small(self, key: str) -> Array:
        data = self._dataset(key)
        if data.size > MAX_VALUES // 16:
            raise self._bad(f"{key} has {data.size} values; that is no SOFA file")
        values = np.asarray(data[()], dtype=np.float64)
        if not np.isfinite(values).all():
            raise self._bad(f"{key} holds NaN or infinity")
        return values

    def _rows(self, only: Sequence[int] | None, m: int) -> list[int]:
        rows = list(range(m)) if only is None else [int(k) for k in only]
        if not rows or not all(0 <= k < m for k in rows):
            raise self._bad(f"measurements {rows} asked for; there are {m}, numbered from 0")
        return rows

    def _rate(self) -> int:
        values = self._small("Data.SamplingRate").ravel()
        units = text(self._dataset("Data.SamplingRate").attrs.get("Units")) or "hertz"
        if (
            units.lower() not in ("hertz", "hz")
            or (values != values[0]).any()
            or values[0] % 1
            or not 1 <= values[0] <= 1e6
        ):
            raise self._bad(f"expected one whole sampling rate of 1..1000000 hertz, got {values[:4]} {units}")
        return int(values[0])

    def _delay(self, shape: tuple[int, int, int], sr: int) -> Array:
        values = self._small("Data.Delay")
        values = values[:, :, np.newaxis] if values.ndim == 2 else values
        if values.ndim != 3 or any(got not in (1, full) for got, full in zip(values.shape, shape, strict=True)):
            raise self._bad(f"Data.Delay has shape {values.shape}, expected (1 or M, R, 1 or E) of {shape}")
        if values.min() < 0 or values.max() > MAX_DELAY_SECONDS * sr:
            raise self._bad(f"Data.Delay runs from {values.min():g} to {values.max():g} samples; expected 0 to 10 s")
        return np.broadcast_to(values, shape)

    def _coordinates(self, key: str, fallback: str = "") -> Array:
        """Return a dataset of coordinates (in its second dimension) as cartesian metres."""
        values, attrs = self._small(key), self._dataset(key).attrs
        if values.ndim not in (2, 3) or values.shape[1] != 3:
            raise self._bad(f"{key} has shape {values.shape}, expected three coordinates in its second dimension")
        kind = text(attrs.get("Type")) or fallback
        units = text(attrs.get("Units")) or UNITS.get(kind, ("",))[0]
        if kind not in UNITS or not units.lower().startswith(UNITS[kind]):
            known = "cartesian in metres or spherical in degrees"
            raise self._bad(f"{key} is {kind or 'of no type'} in {units or 'no units'}; {known} can be read")
        if kind == "spherical":
            moved = np.moveaxis(values, 1, -1)
            values = np.moveaxis(unit(moved[..., 0], moved[..., 1]) * moved[..., 2:], -1, 1)
        return values

    def _places(self, key: str, m: int, fallback: str = "") -> Array:
        values = self._coordinates(key, fallback)
        if values.ndim != 2 or len(values) not in (1, m):
            raise self._bad(f"{key} has shape {values.shape}, expected (1, 3) or ({m}, 3)")
        return np.broadcast_to(values, (m, 3))

    def _around(self, key: str, m: int, n: int) -> Array:
        """Return positions of receivers or emitters, shape (m, n, 3)."""
        values = self._coordinates(key)
        values = values[:, :, np.newaxis] if values.ndim == 2 else values
        if len(values) not in (1, n) or values.shape[2] not in (1, m):
            raise self._bad(f"{key} has shape {values.shape}, expected ({n}, 3, 1 or {m})")
        return np.broadcast_to(np.moveaxis(values, 2, 0), (m, n, 3))

    def _view(self, m: int) -> tuple[Array, Array]:
        """Return where the listener's front and top point; to the front and up where the file does not say."""
        if "ListenerView" not in self.file:
            return np.tile([1.0, 0.0, 0.0], (m, 1)), np.tile([0.0, 0.0, 1.0], (m, 1))
        kind = text(self._dataset("ListenerView").attrs.get("Type")) or "cartesian"
        front = self._places("ListenerView", m, kind)
        up = self._places("ListenerUp", m, kind) if "ListenerUp" in self.file else np.tile([0.0, 0.0, 1.0], (m, 1))
        length = np.sqrt(np.sum(front**2, axis=1, keepdims=True))
        front = front / np.where(length > 0, length, 1.0)
        up = up - np.sum(up * front, axis=1, keepdims=True) * front
        height = np.sqrt(np.sum(up**2, axis=1, keepdims=True))
        if (length < 1e-9).any() or (height < 1e-9).any():
            raise self._bad("ListenerView and ListenerUp must be two different directions")
        return front, up / height

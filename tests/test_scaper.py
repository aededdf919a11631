"""Scaper's JAMS files under scaper's rules: against its own reference files, pyloudnorm, and a re-rendering written here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from material import noise, read_wav, tone, write_wav

from audiosynth import render, reproduce, verify
from audiosynth.cli import cli
from audiosynth.clip import RenderContext
from audiosynth.errors import AssetError, ManifestError, ParameterError, PlanError, RenderError
from audiosynth.manifest import parse_row
from audiosynth.material.assets import AssetStore
from audiosynth.registry import create
from audiosynth.scaper.importing import Sources, plan_scene, require_sources
from audiosynth.scaper.jams import read_scene
from audiosynth.scaper.sound import loudness, response, reverberated, with_channels, wrapped
from audiosynth.scaper.spec import ScaperSpec
from audiosynth.spec import Output

SR = 44_100
STREET = "bg/street/noise.wav"


def value(label="beep", file="fg/beep/beep.wav", **changes):
    """Return one sound of a JAMS file as scaper writes it."""
    role = "background" if file.startswith("bg") else "foreground"
    return {
        "label": label, "source_file": f"/home/ada/sounds/{file}", "source_time": 0.1, "event_time": 0.5, "event_duration": 0.7,
        "snr": 6.0, "role": role, "pitch_shift": None, "time_stretch": None, **changes,
    }  # fmt: skip


def street(duration=3.0, **changes):
    """Return a background for a scene of so many seconds."""
    return value(
        "street", STREET, **{"source_time": 0.25, "event_time": 0, "event_duration": duration, "snr": 0, **changes}
    )


def jams(path: Path, *values, cuts=None, **settings) -> Path:
    """Write a JAMS file with these sounds."""
    said = {
        "duration": 3.0, "original_duration": 3.0, "sr": SR, "ref_db": -30, "n_channels": 1, "fade_in_len": 0.01, "fade_out_len": 0.01,
        "reverb": None, "fix_clipping": False, "peak_normalization": False, "scaper_version": "1.6.5", "fg_spec": [], **settings,
    }  # fmt: skip
    data = [{"time": v["event_time"], "duration": v["event_duration"], "value": v, "confidence": 1.0} for v in values]
    sandbox = {"scaper": said, **({"slice": cuts} if cuts else {})}
    annotation = {"namespace": "scaper", "data": data, "sandbox": sandbox, "annotation_metadata": {}}
    path.write_text(json.dumps({"annotations": [annotation], "file_metadata": {"duration": 3.0}, "sandbox": {}}))
    return path


@pytest.fixture
def sounds(tmp_path) -> Path:
    """Return a folder of sounds laid out as scaper wants them."""
    folder = tmp_path / "sounds"
    write_wav(folder / "fg/beep/beep.wav", np.concatenate([tone(700, 1.2, SR), tone(900, 1.2, SR, level=0.1)]), SR)
    write_wav(folder / "fg/beep/slow.wav", tone(500, 1.0, 22_050), 22_050)
    write_wav(folder / STREET, noise(5.0, SR, seed=3), SR)
    write_wav(folder / "bg/street/short.wav", noise(0.9, SR, seed=4), SR)
    write_wav(folder / "bg/street/half.wav", noise(20.0, 22_050, seed=5), 22_050)
    return folder


def spec_of(file: Path, folder: Path, **output) -> ScaperSpec:
    """Return the spec of a JAMS file."""
    scene, sources = read_scene(file), Sources({"audio": folder})
    require_sources([scene], sources)
    return plan_scene(scene, sources, split="scaper", ordinal=0, output=Output(**output))


def rendered(file: Path, folder: Path):
    """Return the clip of a JAMS file."""
    return render(spec_of(file, folder), assets=AssetStore({"audio": folder}))


def lufs(y, sr=SR):
    """Return what pyloudnorm says, short sounds repeated."""
    pyloudnorm = pytest.importorskip("pyloudnorm")
    y = np.atleast_2d(y).T
    if len(y) / sr < 0.5:
        y = np.tile(y, (int(np.ceil(0.5 / (len(y) / sr))), 1))
    return max(pyloudnorm.Meter(sr).integrated_loudness(y), -70)


def again(folder: Path, *values, duration=3.0, ref_db=-30.0):
    """Return the scene by the rules as they are told in scaper's documentation: the straightforward way."""
    total = np.zeros(int(duration * SR))
    for v in values:
        y = read_wav(folder / v["source_file"].removeprefix("/home/ada/sounds/"))[0].mean(axis=0) / 32768
        n = y.size
        y = y[int(v["source_time"] * SR) : int((v["source_time"] + v["event_duration"]) * SR)]
        if v["role"] == "background":
            y = np.tile(y, int(max(duration // (n / SR) + 1, 1)))[: int((v["source_time"] + v["event_duration"]) * SR)]
            y = (10 ** ((ref_db - lufs(y)) / 20) * y)[: total.size]
        else:
            y = 10 ** ((ref_db + v["snr"] - lufs(y)) / 20) * y
            ramp = np.sin(np.linspace(0, np.pi / 2, int(0.01 * SR)))
            y[: ramp.size] *= ramp
            y[-ramp.size :] *= ramp[::-1]
        at = int(SR * v["event_time"]) if v["role"] == "foreground" else 0
        y = y[: total.size - at]
        total[at : at + y.size] += y
    return total


SCENES = {
    "one": (street(), value()),
    "over each other, cut by the end": (street(), value(), value(event_time=0.77777), value(event_time=2.9, snr=-3.5)),
    "40 ms": (street(source_time=1.33333), value(event_duration=0.04, snr=20)),
    "two backgrounds": (street(), street(source_time=0.7), value()),
    "no background": (value(),),
    "repeated": (
        {**street(source_time=0), "source_file": "/home/ada/sounds/bg/street/short.wav"},
        value(source_time=0),
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_the_mix_is_scapers(name, tmp_path, sounds):
    """Loudness, gains, fades, truncations, repetition: within 1e-9 of full scale of the straightforward way."""
    clip = rendered(jams(tmp_path / "a.jams", *SCENES[name]), sounds)
    assert np.abs(clip.y[0] - again(sounds, *SCENES[name])).max() <= 1e-9


@pytest.mark.parametrize("duration", [2.3, 3.33333, 7.77, 1.000011])
def test_odd_durations(duration, tmp_path, sounds):
    """A scene has int(duration · sr) samples, cut off as scaper does."""
    scene = (street(duration), value())
    clip = rendered(jams(tmp_path / "a.jams", *scene, duration=duration, original_duration=duration), sounds)
    assert clip.y.shape == (1, int(duration * SR))
    if duration < 4:
        assert np.abs(clip.y[0] - again(sounds, *scene, duration=duration)).max() <= 1e-9


def test_scapers_reference_files(shared_data):
    """The plain reference agrees to its file's 32 bits, the one with reverb to what SoX's own 24 bits of mantissa allow."""
    soundfile = pytest.importorskip("soundfile")
    folder = shared_data / "scaper"
    for name, allowed in (("ref1", 2**-31 + 1e-9), ("ref2", 2e-7)):
        clip = rendered(folder / "reference" / f"{name}.jams", folder / "audio")
        theirs = soundfile.read(folder / "reference" / f"{name}.wav")[0]
        assert np.abs(clip.y[0] - theirs).max() <= allowed


def test_stretched_reference(shared_data):
    """Stretched events of the reference, and their mix, are its samples to what SoX's own 24 bits of mantissa allow."""
    soundfile = pytest.importorskip("soundfile")
    folder = shared_data / "scaper"
    spec = spec_of(folder / "reference" / "ref3.jams", folder / "audio")
    assert [effect.type_name for event in spec.events for effect in event.effects] == ["splice"] * len(spec.events)
    clip = render(spec, assets=AssetStore({"audio": folder / "audio"}))
    theirs = soundfile.read(folder / "reference" / "ref3.wav")[0]
    assert np.abs(clip.y[0] - theirs).max() < 2e-7
    for event in spec.events:
        alone = spec.model_copy(update={"events": (event,), "noise": None})
        y = render(alone, assets=AssetStore({"audio": folder / "audio"})).y[0]
        file = next((folder / "reference" / "ref3_events").glob(f"foreground*_{event.label}.wav"))
        assert np.abs(y - soundfile.read(file)[0]).max() < 2e-7


def test_pitch_and_stretch_are_one_splice(tmp_path, sounds):
    """Both become one effect on the recording's own channels, which are mixed after it; an event is as long as SoX makes it."""
    write_wav(sounds / "fg/beep/two.wav", noise(1.0, SR, seed=3, channels=2), SR)
    said = value(file="fg/beep/two.wav", pitch_shift=-1.7, time_stretch=1.15, snr=0.0)
    spec = spec_of(jams(tmp_path / "a.jams", said, fade_in_len=0, fade_out_len=0), sounds)
    (effect,) = spec.events[0].effects
    assert (effect.type_name, effect.pieces, effect.semitones) == ("splice", "speech", -1.7)
    y = read_wav(sounds / "fg/beep/two.wav")[0] / 32768
    first, last = int(0.1 * SR), int((0.1 + 0.7) * SR)
    expected = effect.apply(y[:, first:last], RenderContext(sr=SR)).mean(axis=0)
    clip = render(spec, assets=AssetStore({"audio": sounds}))
    heard = clip.y[0][int(0.5 * SR) :][: expected.size]
    gain = 10 ** ((-30.0 - loudness(expected[None], SR)) / 20)
    assert np.abs(heard - gain * expected).max() < 1e-9


def test_rows_that_name_older_effects_keep_their_sound(tmp_path, sounds):
    """Where a row has `pitch_shift` and `time_stretch`, they apply to the mixed channels one after the other, and nothing is clipped."""
    write_wav(sounds / "fg/beep/two.wav", noise(1.0, SR, seed=3, channels=2), SR)
    said = value(file="fg/beep/two.wav", snr=0.0, time_stretch=1.25)
    spec = spec_of(jams(tmp_path / "a.jams", said, fade_in_len=0, fade_out_len=0), sounds)
    older = [{"type": "pitch_shift@1", "semitones": 2.0}, {"type": "time_stretch@1", "rate": 0.8}]
    tree = json.loads(json.dumps(spec.to_json()))
    tree["events"][0]["effects"] = older
    spec = spec.replanned(tree)
    y = (read_wav(sounds / "fg/beep/two.wav")[0] / 32768)[:, int(0.1 * SR) : int((0.1 + 0.7) * SR)].mean(axis=0)[None]
    for effect in older:
        y = create("effects", effect).apply(y, RenderContext(sr=SR))
    heard = render(spec, assets=AssetStore({"audio": sounds})).y[0][int(0.5 * SR) :][: y.shape[1]]
    gain = 10 ** ((-30.0 - loudness(y, SR)) / 20)
    assert np.abs(heard - gain * y[0]).max() < 1e-9


def test_what_exceeds_full_scale_before_the_reverb(tmp_path, sounds):
    """It turns to -1, on either side, as scaper's cast to integers has it; rows from before say `keep`, and keep it."""
    edge = 1.0 + 2e-10  # as far as a gain that is rounded to 1e-9 dB can take a mix that was scaled to a peak of 1
    assert wrapped(np.array([[0.5, edge, 1.00001, 3.0, -1.0, -3.0]])).tolist() == [[0.5, edge, -1, -1, -1, -1]]
    scene = (street(), value(snr=40.0))
    dry = rendered(jams(tmp_path / "a.jams", *scene), sounds)
    assert dry.spec.rules.overflow == "keep"
    file = jams(tmp_path / "b.jams", *scene, reverb=0.3)
    spec = spec_of(file, sounds)
    assert spec.rules.overflow == "wrap"
    store = AssetStore({"audio": sounds})
    assert np.abs(render(spec, assets=store).y - reverberated(wrapped(dry.y), SR, reverb=0.3)).max() < 1e-9
    before = spec.to_json()
    del before["rules"]["overflow"]
    kept = render(ScaperSpec.model_validate(json.loads(json.dumps(before))), assets=store)
    assert np.abs(kept.y - reverberated(dry.y, SR, reverb=0.3)).max() < 1e-9


@pytest.mark.parametrize("sr", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.003, 0.45, 1.2345, 6.0])
def test_loudness_is_pyloudnorms(sr, seconds):
    """The meter agrees with pyloudnorm in one and two channels, short sounds repeated; silence is -70."""
    y = noise(seconds, sr, seed=7, channels=2) * np.linspace(0.001, 1.0, round(seconds * sr))
    assert loudness(y, sr) == pytest.approx(lufs(y, sr), abs=1e-9)
    assert loudness(y[:1], sr) == pytest.approx(lufs(y[:1], sr), abs=1e-9)
    assert loudness(0 * y, sr) == -70


@pytest.mark.parametrize(("given", "change"), [("fix_clipping", "above"), ("peak_normalization", "any")])
def test_peaks(given, change, tmp_path, sounds):
    """`fix_clipping` scales a mix above 1 to 1, `peak_normalization` every mix, and the row says by how much."""
    for snr, above in ((40.0, True), (0.0, False)):
        clip = rendered(jams(tmp_path / "a.jams", street(), value(snr=snr), **{given: True}), sounds)
        plain = rendered(jams(tmp_path / "b.jams", street(), value(snr=snr)), sounds)
        scaled = above or change == "any"
        assert (np.abs(plain.y).max() > 1) == above
        assert np.abs(clip.y).max() == pytest.approx(1.0 if scaled else np.abs(plain.y).max(), abs=1e-9)
        assert (clip.decisions.mix_gain_db != 0) is scaled


def test_reverb_is_freeverbs():
    """The first echoes come after the eight combs' delays, as loud as the wet gain; more reverb dies away later."""
    left, right = response(SR, reverb=0.5)
    assert np.flatnonzero(left)[0] == 1116
    assert left[1116] == pytest.approx(0.015)
    assert np.flatnonzero(right)[0] == 1116 + 12
    decay = [np.sum(np.square(response(SR, reverb=r))[:, SR:]) for r in (0.2, 0.5, 0.9)]
    assert decay == sorted(decay)


def test_a_trimmed_scene_is_a_part_of_the_whole(tmp_path, sounds):
    """What `scaper.trim` kept is cut out of the scene as it was, and so are its labels."""
    scene = (street(), value())
    whole = rendered(jams(tmp_path / "a.jams", *scene), sounds)
    cuts = [{"slice_start": 0.25, "slice_end": 2.0}, {"slice_start": 0.5, "slice_end": 1.0}]
    part = rendered(jams(tmp_path / "b.jams", *scene, cuts=cuts, duration=0.5), sounds)
    first = round(0.75 * SR)
    assert np.array_equal(part.y, whole.y[:, first : first + round(0.5 * SR)])
    (label,) = part.labels
    assert (label.onset, label.offset) == (0, round(0.45 * SR))


def test_other_rates_and_channels(tmp_path, sounds):
    """A source of another rate is resampled, levels as asked; few channels become many and many few."""
    slow = value(file="fg/beep/slow.wav", source_time=0.0)
    half = {**street(), "source_file": "/home/ada/sounds/bg/street/half.wav"}
    for duration in (2.3, 3.33333, 7.77):  # lengths at which scaper's own background is a sample short
        scene = ({**half, "event_duration": duration}, slow)
        clip = rendered(jams(tmp_path / "a.jams", *scene, duration=duration, original_duration=duration), sounds)
        assert clip.y.shape == (1, int(duration * SR))
    alone = rendered(jams(tmp_path / "b.jams", slow, n_channels=2), sounds)
    assert lufs(alone.y[:, int(0.5 * SR) : int(1.2 * SR)]) == pytest.approx(-24.0, abs=0.3)
    y = np.arange(6.0).reshape(3, 2)
    assert with_channels(y, 1).tolist() == [[2.0, 3.0]]
    assert with_channels(y, 2).tolist() == [[2.0, 3.0], [2.0, 3.0]]
    assert with_channels(y[:2], 3).tolist() == [[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]]


def run(*words: object, code: int = 0):
    """Run a command line and expect an exit code."""
    result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="audiosynth")
    assert result.exit_code == code, result.output
    return result


def test_import_gives_a_dataset(tmp_path, sounds):
    """Audio, labels, manifest; every file is as its row says, and every clip comes back bit for bit, wherever the sounds are."""
    files = [
        jams(tmp_path / f"{i}.jams", street(), value(event_time=0.1 * i), reverb=0.1 * i or None) for i in range(3)
    ]
    out = tmp_path / "out"
    run("import-scaper", *files, "--data", f"audio={sounds}", "-o", out, "--labels", "audacity", "--labels", "desed")
    assert verify(out).ok
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [row["spec"]["rules"]["origin"]["jams"] for row in rows] == ["0.jams", "1.jams", "2.jams"]
    assert [row["spec"]["chain"] for row in rows] == ["scaper-1.6"] * 3
    for i, row in enumerate(rows):
        (label,) = row["labels"]
        assert (label["label"], label["onset"], label["offset"]) == (
            "beep",
            pytest.approx(0.1 * i, abs=3e-5),
            pytest.approx(0.1 * i + 0.7, abs=5e-5),
        )
        assert str(sounds) not in json.dumps(row)
    elsewhere = sounds.rename(tmp_path / "elsewhere")
    assert [clip.same for clip in reproduce(out, data={"any": str(elsewhere)})] == [True] * 3
    run("reproduce", out, "--data", f"audio={elsewhere}", "--workers", 2)
    assert (
        "nothing to do"
        in run(
            "import-scaper",
            *files,
            "--data",
            f"audio={elsewhere}",
            "-o",
            out,
            "--labels",
            "audacity",
            "--labels",
            "desed",
        ).output
    )
    assert (
        "holds another build"
        in run("import-scaper", *files[:2], "--data", f"audio={elsewhere}", "-o", out, code=1).output
    )


def test_isolated_events(tmp_path, shared_data):
    """Stems are scaper's isolated events, and their samples add up to the mix's."""
    soundfile = pytest.importorskip("soundfile")
    folder, out = shared_data / "scaper", tmp_path / "out"
    run(
        "import-scaper", folder / "reference" / "ref1.jams", "--data", f"audio={folder / 'audio'}", "-o", out, "--stems"
    )
    path = next((out / "audio").rglob("*.wav"))
    mix = soundfile.read(path)[0]
    stems = [soundfile.read(file)[0] for file in sorted(path.with_suffix(".stems").iterdir())]
    assert np.array_equal(sum(stems), mix)
    theirs = [soundfile.read(file)[0] for file in sorted((folder / "reference" / "ref1_events").iterdir())]
    for y in theirs:
        assert min(np.abs(y - stem).max() for stem in stems) < 2e-5  # theirs are of 16 bits
    assert all(clip.same for clip in reproduce(out, data={"audio": str(folder / "audio")}))


def test_versions_with_other_loudness_are_told(tmp_path, sounds):
    """A file of scaper before 1.6.2 is rendered by the later rules, and that is said."""
    file = jams(tmp_path / "a.jams", street(), scaper_version="1.3.5")
    done = run("import-scaper", file, "--data", f"audio={sounds}", "-o", tmp_path / "out")
    assert "written by scaper 1.3.5" in done.output


def test_the_quick_search_is_told(tmp_path, sounds):
    """A file that was made with SoX's quick search of joints is rendered with the full one, and that is said where it matters."""
    root = ("--data", f"audio={sounds}")
    file = jams(tmp_path / "a.jams", street(), value(pitch_shift=1.0), quick_pitch_time=True)
    done = run("import-scaper", file, *root, "-o", tmp_path / "out")
    assert "a.jams asked for `quick_pitch_time`" in done.output
    plain = jams(tmp_path / "b.jams", street(), value(), quick_pitch_time=True)
    assert "quick_pitch_time" not in run("import-scaper", plain, *root, "-o", tmp_path / "plain").output


BAD = {
    "not json": (lambda p: p.write_text("{"), AssetError, r"not JSON .* expected a JAMS file"),
    "nan": (lambda p: p.write_text(p.read_text().replace("0.5,", "NaN,", 1)), AssetError, "NaN is no number of JSON"),
    "deep": (lambda p: p.write_text("[" * 100_000), AssetError, "not JSON"),
    "a list": (lambda p: p.write_text("[]"), ParameterError, "no list of annotations"),
    "other namespace": (
        lambda p: p.write_text(p.read_text().replace('"scaper", "data"', '"beat", "data"')), ParameterError,
        "annotations of beat and none of the namespace 'scaper'",
    ),
    "no snr": (
        lambda p: p.write_text(p.read_text().replace('"snr"', '"snir"')), ParameterError,
        r"data\[0\]\.value\.snr: 'JAMS' needs this parameter",
    ),
    "text": (
        lambda p: p.write_text(p.read_text().replace('"event_time": 0.5', '"event_time": "soon"')), ParameterError,
        r"data\[1\]\.value\.event_time: .*got 'soon'",
    ),
    "nothing": (jams, ParameterError, "no event and no background"),
    "role": (lambda p: jams(p, value(role="middle")), ParameterError, "role"),
    "pitch": (lambda p: jams(p, value(pitch_shift=40)), ParameterError, r"pitch_shift: .*24, got 40"),
    "gone": (
        lambda p: jams(p, value(file="fg/beep/gone.wav")), AssetError,
        r"1 source files are not below .* /home/ada/sounds/fg/beep/gone.wav \(a.jams\); pass --data NAME=DIR with a folder that holds beep/gone.wav",
    ),
    "past the end": (lambda p: jams(p, value(source_time=9.0)), PlanError, "nothing to play 0.7 s long from 9 s on"),
    "shorter than the fade": (
        lambda p: jams(p, value(event_duration=0.004)), RenderError,
        r"a.jams: events\[0\] 'beep': a sound of 176 samples is shorter than its fade of 441; scaper 1.6.5 fails on it too",
    ),
    "long": (lambda p: jams(p, street(86_400), duration=86_400, original_duration=86_400), PlanError, "made in memory"),
    "cut to nothing": (lambda p: jams(p, street(), cuts=[{"slice_start": 2, "slice_end": 1}]), PlanError, "leaves nothing of the scene's 3 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_clear_error(name, tmp_path, sounds):
    """Whatever stands in a JAMS file, the answer names the file, the place and the way out."""
    spoil, kind, message = BAD[name]
    spoil(jams(tmp_path / "a.jams", street(), value()))
    with pytest.raises(kind, match=message):
        rendered(tmp_path / "a.jams", sounds)
    run("import-scaper", tmp_path / "a.jams", "--data", f"audio={sounds}", "-o", tmp_path / "out", code=kind.exit_code)


def test_sources_stay_below_the_roots(tmp_path, sounds):
    """Neither ``..`` nor a link leads to a file outside the folders given; two different files of one ending are refused."""
    write_wav(tmp_path / "secret.wav", tone(300, 1.0, SR), SR)
    sources = Sources({"audio": sounds})
    assert sources.find("../secret.wav") is None
    assert sources.find("C:\\sounds\\fg\\beep\\beep.wav").path == "fg/beep/beep.wav"
    (sounds / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(AssetError, match="leads outside the data root"):
        sources.find("/x/link.wav")
    write_wav(tmp_path / "other/beep/beep.wav", tone(300, 1.0, SR), SR)
    with pytest.raises(AssetError, match="are different files; give one folder above both"):
        Sources({"a": sounds / "fg", "b": tmp_path / "other"}).find("/x/beep/beep.wav")


def test_scenes_of_one_set_are_alike(tmp_path, sounds):
    """Rates and channels of a dataset are one; files of several are told to go into folders of their own."""
    files = [jams(tmp_path / f"{sr}.jams", street(), sr=sr) for sr in (44_100, 22_050)]
    done = run("import-scaper", *files, "--data", f"audio={sounds}", "-o", tmp_path / "out", code=2)
    assert "import them into folders of their own" in done.output


EDITS = {
    "room": ({"room": {"type": "none"}}, "room: a scene of scaper has no such thing"),
    "mix": ({"mix": {"level_dbfs": -20}}, "mix: a scene of scaper has no settings"),
    "bed": ({"noise": {"level_dbfs": -20}}, "change both together"),
    "n_samples": ({"n_samples": 5}, "n_samples 5 is not what the rules give"),
    "stops": ({"rules": {"stops": []}}, "rules.stops: expected one for each layer"),
    "chain": ({"chain": "scaper-9"}, "chain"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_edited_rows_are_refused(name, tmp_path, sounds):
    """A row of this chain holds what scaper has and nothing else."""
    run(
        "import-scaper",
        jams(tmp_path / "a.jams", street(), value()),
        "--data",
        f"audio={sounds}",
        "-o",
        tmp_path / "out",
    )
    row = json.loads((tmp_path / "out" / "manifest.jsonl").read_text())
    changes, message = EDITS[name]
    for key, change in changes.items():
        old = row["spec"].get(key)
        row["spec"][key] = {**old, **change} if isinstance(old, dict) and isinstance(change, dict) else change
    with pytest.raises(ManifestError, match=message):
        parse_row(row, place="m:1")


def test_vary_changes_one_thing(tmp_path, sounds):
    """A set with another SNR, or another onset, is the one that scaper's rules give for a file that says so."""
    file = jams(tmp_path / "a.jams", street(), value())
    out, root = tmp_path / "out", ("--data", f"audio={sounds}")
    run("import-scaper", file, *root, "-o", out)
    for change, said in (("level.snr_db=-2", {"snr": -2.0}), ("onset=1.23456", {"event_time": 1.23456})):
        varied = tmp_path / change
        run("vary", out, "--set", f"events[0].{change}", *root, "-o", varied)
        expected = rendered(jams(tmp_path / "b.jams", street(), value(**said)), sounds)
        (clip,) = reproduce(varied, data={"audio": str(sounds)})
        assert clip.same
        assert clip.got == expected.pcm_sha256
        assert clip.clip.labels == expected.labels
    done = run("vary", out, "--set", "duration=2", *root, "-o", tmp_path / "short", code=2)
    assert "n_samples" in done.output


def test_specs_survive_json(tmp_path, sounds):
    """A spec read back from its JSON is the same spec."""
    spec = spec_of(jams(tmp_path / "a.jams", street(), value(pitch_shift=2.0, time_stretch=1.1)), sounds)
    assert ScaperSpec.model_validate(json.loads(json.dumps(spec.to_json()))) == spec

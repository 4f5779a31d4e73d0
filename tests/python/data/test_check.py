"""Every fault that a data set may have is found, alone and by name; a clean one has none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import av
import numpy as np
import pytest

import medseg.simulate.folder as simulated_folder
from medseg.data import check_dataset, open_dataset
from medseg.data.distributions import COUNT, EF, RATE
from medseg.simulate import simulate_folder


def found(path, *, videos: bool = True) -> list[tuple[str, str, str | None]]:
    report = check_dataset(open_dataset(path), videos=videos)
    return [(f.severity, f.code, f.case) for f in report.findings]


def message(path) -> str:
    (finding,) = check_dataset(open_dataset(path)).findings
    assert "\n" not in finding.message
    return finding.message


def test_a_clean_folder_has_no_finding(echonet):
    calls = []
    dataset = open_dataset(echonet.write())
    report = check_dataset(dataset, progress=lambda done, total: calls.append((done, total)))
    assert report.findings == ()
    assert report.fit
    assert (report.n_cases, report.n_opened) == (4, 4)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_simulated_folder_is_clean(tmp_path, monkeypatch):
    draw = simulated_folder.draw_plans

    def brief(n, seed):
        plans = [replace(plan, kind="sinus", heart_rate_bpm=120.0) for plan in draw(n, seed)]
        return [replace(plan, duration_s=1.3, frame_rate_hz=25.0, size=(64, 64)) for plan in plans]

    monkeypatch.setattr(simulated_folder, "draw_plans", brief)
    monkeypatch.setattr(simulated_folder, "split_of", lambda i: ("TRAIN", "VAL", "TEST")[i])
    report = check_dataset(open_dataset(simulate_folder(tmp_path / "sim", n=3, seed=5)))
    assert report.findings == ()
    assert report.n_opened == 3
    assert report.distributions.values[RATE]["TEST"] == pytest.approx([25.0])
    assert report.distributions.sizes == Counter({(64, 64): 3})


def test_camus_is_clean_and_its_faults_are_found(camus):
    import nibabel

    assert found(camus) == []
    path = camus / "database_nifti" / "patient0001" / "patient0001_4CH_half_sequence_gt.nii.gz"
    truth = np.asarray(nibabel.load(path).dataobj).copy()
    truth[..., 4] = 0
    nibabel.save(nibabel.Nifti1Image(truth, np.eye(4)), path)
    assert found(camus) == [("error", "empty-outline", "patient0001_4CH")]
    nibabel.save(nibabel.Nifti1Image(truth[:20], np.eye(4)), path)
    assert found(camus) == [("error", "mask-size", "patient0001_4CH")]
    nibabel.save(nibabel.Nifti1Image(truth[..., :4], np.eye(4)), path)
    assert found(camus) == [("error", "unreadable-mask", "patient0001_4CH")]
    path.write_bytes(b"broken")
    assert found(camus) == [("error", "unreadable-mask", "patient0001_4CH")]
    assert found(camus, videos=False) == []


def test_a_missing_video(echonet):
    (echonet.write() / "Videos" / "0XB.avi").unlink()
    assert found(echonet.path) == [("error", "missing-video", "0XB")]
    assert found(echonet.path, videos=False) == [("error", "missing-video", "0XB")]


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_an_unreadable_video(echonet, keep):
    path = echonet.write() / "Videos" / "0XB.avi"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep == 0.5 else keep])
    assert found(echonet.path) == [("error", "unreadable-video", "0XB")]
    assert found(echonet.path, videos=False) == []


def test_a_video_without_frames(echonet):
    path = echonet.write() / "Videos" / "0XB.avi"
    path.unlink()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=160)
        frame.rate = 8000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert found(echonet.path) == [("error", "no-frames", "0XB")]


def test_a_tracing_without_video(echonet, make_chords):
    echonet.tracings.append(("0XGONE", make_chords(10, 50, 5, 40), 1))
    assert found(echonet.write()) == [("error", "tracing-without-video", "0XGONE")]


def test_a_video_without_tracing(echonet):
    echonet.tracings = [t for t in echonet.tracings if t[0] != "0XB"]
    assert found(echonet.write()) == [("warning", "no-tracing", "0XB")]
    (echonet.path / "VolumeTracings.csv").unlink()
    assert found(echonet.path) == [("warning", "no-tracing", None)]


@pytest.mark.parametrize(("frame", "outside"), [(5, False), (6, True), (-1, True)])
def test_a_traced_frame_outside_the_clip(echonet, frame, outside):
    last = echonet.traced("0XB")[1]
    echonet.tracings[last] = (*echonet.tracings[last][:2], frame)
    codes = [("error", "frame-outside-clip", "0XB")] if outside else []
    assert found(echonet.write()) == codes
    assert found(echonet.path, videos=False) == codes


def test_a_patient_on_both_sides_of_a_split(echonet):
    echonet.columns += ("Patient",)
    for name, patient in (("0XA", "p1"), ("0XB", "p2"), ("0XC", "p2"), ("0XD", "p3")):
        echonet.rows[name]["Patient"] = patient
    assert found(echonet.write()) == [("error", "patient-leak", "0XB")]
    said = message(echonet.path)
    assert "p2" in said
    assert "TRAIN (0XB)" in said
    assert "VAL (0XC)" in said
    echonet.rows["0XB"]["Patient"] = "p1"
    assert found(echonet.write()) == []


def test_one_clip_under_two_names(echonet):
    videos = echonet.write() / "Videos"
    (videos / "0XD.avi").write_bytes((videos / "0XA.avi").read_bytes())
    assert found(echonet.path) == [("error", "same-clip", "0XA")]
    assert "TEST and TRAIN" in message(echonet.path)
    echonet.rows["0XB"]["Split"] = "TEST"
    (videos / "0XB.avi").write_bytes((videos / "0XD.avi").read_bytes())
    (videos / "0XA.avi").write_bytes((videos / "0XC.avi").read_bytes()[::-1])
    assert ("warning", "same-clip", "0XB") in found(echonet.write())


@pytest.mark.parametrize("split", ["TRAIN", "VAL", "TEST"])
def test_a_split_without_patient(echonet, split):
    for row in echonet.rows.values():
        if row["Split"] == split:
            row["Split"] = "TEST" if split == "TRAIN" else "TRAIN"
    assert found(echonet.write()) == [("error", "empty-split", None)]
    assert split in message(echonet.path)


def test_splits_that_are_not_given_or_not_known(echonet):
    echonet.rows["0XA"]["Split"] = ""
    assert found(echonet.write()) == [("warning", "no-split", None)]
    echonet.rows["0XA"]["Split"] = "TRIAN"
    assert found(echonet.write()) == [("warning", "unknown-split", None)]
    for row in echonet.rows.values():
        row["Split"] = ""
    assert found(echonet.write()) == [("warning", "no-split", None)]


@pytest.mark.parametrize(
    ("ef", "esv", "edv", "code"),
    [
        (60, 40, 100, None),
        (61, 40, 100, None),  # volumes rounded to the millilitre
        (60, 45, 100, "ef-volumes"),  # 55 %
        (40, 40, 100, "ef-volumes"),  # ESV / EDV
        ("", 45, 100, None),
        (60, 100, 40, "volumes"),  # exchanged
        (60, 0, 100, "volumes"),
        (0.6, "", "", "ef-range"),  # a fraction
        (100, "", "", "ef-range"),
        (-3, "", "", "ef-range"),
    ],
)
def test_ef_that_disagrees_with_its_volumes(echonet, ef, esv, edv, code):
    echonet.rows["0XC"] |= {"EF": ef, "ESV": esv, "EDV": edv}
    expected = [] if code is None else [("error", code, "0XC")]
    assert found(echonet.write()) == expected


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("NumberOfFrames", 7, ("error", "frame-count", "0XD")),
        ("FPS", 30, ("warning", "frame-rate", "0XD")),
        ("FPS", 50.4, None),
        ("FrameWidth", 1024, ("warning", "size", "0XD")),
    ],
)
def test_a_list_that_disagrees_with_the_file(echonet, column, value, finding):
    echonet.rows["0XD"][column] = value
    assert found(echonet.write()) == ([] if finding is None else [finding])


def test_a_name_listed_twice(echonet):
    path = echonet.write(extra_rows=("0XA.avi,60,40,100,48,64,50,6,TEST",))
    assert found(path) == [("error", "duplicate-name", "0XA")]
    assert "TRAIN and TEST" in message(path)


def test_fewer_than_two_traced_frames(echonet):
    del echonet.tracings[echonet.traced("0XB")[0]]
    assert found(echonet.write()) == [("warning", "few-traced", "0XB")]


def test_a_tracing_with_another_number_of_rows(echonet):
    place = echonet.traced("0XB")[0]
    name, rows, frame = echonet.tracings[place]
    echonet.tracings[place] = (name, rows[:-1], frame)
    assert found(echonet.write()) == [
        ("warning", "few-traced", "0XB"),
        ("warning", "tracing-rows", "0XB"),
    ]
    report = check_dataset(open_dataset(echonet.path))
    assert [(e.name, e.frame) for e in report.excluded] == [("0XB", 1)]


@pytest.mark.parametrize(
    "rows",
    [
        [(30, 20, 30, 20)] * 21,  # one point
        [(30, y, 30, y) for y in range(10, 31)],  # a line
        [(30, 10, 30, 29)] + [(20, y, 40, y) if y < 20 else (40, y, 20, y) for y in range(10, 30)],
    ],
    ids=["point", "line", "figure-of-eight"],
)
def test_a_tracing_that_bounds_nothing(echonet, rows):
    echonet.tracings[echonet.traced("0XB")[1]] = ("0XB", rows, 4)
    assert found(echonet.write()) == [("error", "empty-outline", "0XB")]


def test_ed_and_es_of_the_same_frame(echonet):
    for place in echonet.traced("0XB"):
        echonet.tracings[place] = (*echonet.tracings[place][:2], 3)
    assert found(echonet.write()) == [
        ("error", "traced-twice", "0XB"),
        ("warning", "no-tracing", "0XB"),
    ]


def test_ed_and_es_that_are_alike(echonet):
    first, second = echonet.traced("0XB")
    echonet.tracings[second] = ("0XB", echonet.tracings[first][1], 4)
    assert found(echonet.write()) == [("warning", "ed-es-alike", "0XB")]


def test_a_tracing_beyond_the_picture(echonet, make_chords):
    echonet.tracings[echonet.traced("0XB")[0]] = ("0XB", make_chords(10, 70, 5, 40), 1)
    assert found(echonet.write()) == [("warning", "outline-outside", "0XB")]


def test_masks_of_pairs_are_looked_at(tmp_path, make_video):
    for seed, name in enumerate(("a", "b")):
        make_video(tmp_path / "clips" / f"{name}.avi", seed=seed)
    (tmp_path / "masks").mkdir()
    mask = np.zeros((2, 48, 64), bool)
    mask[0, 5:30, 10:30], mask[1, 5:20, 10:30] = True, True
    for name in "ab":
        np.savez(tmp_path / "masks" / f"{name}.npz", mask=mask, frame=[1, 9])
    notes = [("warning", "no-split", None), ("note", "unknown-patient", None)]
    outside = [("error", "frame-outside-clip", name) for name in "ab"]
    assert found(tmp_path) == outside + notes
    np.savez(tmp_path / "masks" / "a.npz", mask=mask)
    np.savez(tmp_path / "masks" / "b.npz", mask=mask[[0, 0]])
    assert found(tmp_path) == [("warning", "ed-es-alike", "b"), *notes]
    np.savez(tmp_path / "masks" / "b.npz", mask=mask[:, ::2])
    assert found(tmp_path) == [("error", "mask-size", "b"), *notes]


def test_folds_of_which_some_are_empty(tmp_path):
    (tmp_path / "A4C" / "Videos").mkdir(parents=True)
    rows = [f"CR{fold}.avi,60,{fold}" for fold in range(9)]
    (tmp_path / "A4C" / "FileList.csv").write_text("\n".join(["FileName,EF,Split", *rows]))
    codes = Counter(code for _, code, _ in found(tmp_path))
    assert codes == {"missing-video": 9, "empty-split": 1, "no-tracing": 1, "unknown-patient": 1}


def test_distributions_are_of_the_files_where_opened_and_of_the_list_elsewhere(echonet):
    echonet.rows["0XA"] |= {"NumberOfFrames": 99, "EF": ""}
    dataset = open_dataset(echonet.write())
    opened = check_dataset(dataset).distributions
    assert opened.clips == {"TRAIN": 2, "VAL": 1, "TEST": 1}
    assert opened.patients == {"TRAIN": 2, "VAL": 1, "TEST": 1}
    assert opened.traced_frames == {"TRAIN": 4, "VAL": 2, "TEST": 2}
    assert opened.values[EF] == {"TRAIN": [60.0], "VAL": [60.0], "TEST": [60.0]}
    assert opened.values[COUNT]["TRAIN"] == [6, 6]
    assert opened.sizes == Counter({(48, 64): 4})
    assert check_dataset(dataset, videos=False).distributions.values[COUNT]["TRAIN"] == [99, 6]


def test_an_empty_list_is_an_error(echonet):
    echonet.rows.clear()
    echonet.tracings.clear()
    echonet.write()
    for video in (echonet.path / "Videos").iterdir():
        video.unlink()
    assert found(echonet.path) == [("error", "no-case", None)]

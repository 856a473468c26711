"""Columns that name a part of a file: understood, or refused by their line; never passed over."""

import json
from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.scan import Scan, scan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    root.mkdir()
    for name in ("a.wav", "b.wav"):
        (root / name).touch()
    return root


def scanned(root: Path, header: str, *rows: str) -> Scan:
    text = f"file,emotion,{header}\n" + "".join(f"a.wav,sad,{row}\n" for row in rows)
    (root / "manifest.csv").write_text(text, encoding="utf-8")
    return scan(root)


@pytest.mark.parametrize(
    ("header", "row", "fragment"),
    [
        ("start,end", "1.5,4", "#t=1.5,4"),
        ("start,end", "0.0,1.0", "#t=0,1"),
        ("START,End", "1.50,4e0", "#t=1.5,4"),
        ("start_time,end_time", "1,2", "#t=1,2"),
        ("StartTime,EndTime", "00:00:01.5,00:01:02.25", "#t=1.5,62.25"),
        ("start,end", "0 days 00:00:01.500000,NaT", "#t=1.5"),
        ("begin,stop", "1,2", "#t=1,2"),
        ("beginning,finish", "1,2", "#t=1,2"),
        ("start_in_seconds,end in sec", "1,2", "#t=1,2"),
        ("starts_at,ends_at", "1,2", "#t=1,2"),
        ("start (hh:mm:ss),end_tc", "00:00:01,00:00:02", "#t=1,2"),
        ("begin_s,end_sec", "1,2", "#t=1,2"),
        ("start (s),end (s)", "1,2", "#t=1,2"),
        ("starttime,endtime", "1,2", "#t=1,2"),
        ("tmin,tmax", "1,2", "#t=1,2"),
        ("segment_start,segment_end", "1,2", "#t=1,2"),
        ("onset,offset", "1,2", "#t=1,2"),
        ("onset,duration", "1,2", "#t=1,3"),
        ("offset,duration", "0.1,0.2", "#t=0.1,0.3"),
        ("start,duration", "0.1,0.2", "#t=0.1,0.3"),
        ("end,duration", "3,0.5", "#t=2.5,3"),
        ("start,end,duration", "1,2.5,1.5", "#t=1,2.5"),
        ("start,end,offset", "1,2,0", "#t=1,2"),
        ("start,end", "0.30000000000000004,1", "#t=0.3,1"),
        ("start,end", ",2", "#t=0,2"),
        ("start,end", "NaN,2", "#t=0,2"),
        ("start,end", "2,", "#t=2"),
        ("start,end", "2,None", "#t=2"),
        ("start,end", "null,nan", ""),
        ("start,end", "0,", ""),
        ("offset,duration", ",2", "#t=0,2"),
        ("channel", "0", "#channel=0"),
        ("channel", "left", "#channel=0"),
        ("ch", "0", "#channel=0"),
        ("channel_number", "r", "#channel=1"),
        ("channel", "Right", "#channel=1"),
        ("channel", "0.0", "#channel=0"),
        ("channel", "", ""),
        ("channel_id,start,duration", "0,1,2", "#t=1,3&channel=0"),
        ("num_channels,channels", "2,2", ""),
        ("from,to,length,num_frames", "anna,bert,12,", ""),
        ("text_start,text_end,side,mic", "4,12,home,2", ""),
        ("start_age,end_age,in,out", "20,21,studio,", ""),
        ("start_date,spoken_by,segment,text_end", "2020-01-01,x,12,4", ""),
        ("audio_duration,sample_rate,time", "2.5,16000,2020-01-01 10:00", ""),
    ],
)
def test_a_part_is_understood(root: Path, header: str, row: str, fragment: str) -> None:
    (clip,) = scanned(root, header, row).clips
    assert clip.path == f"a.wav{fragment}"
    assert clip.length is None


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("start,end", "one,2", "start 'one' is no time"),
        ("Beginn,Ende", "1,2", "Beginn '1' may mean a part"),
        ("von,bis", "00:01,00:02", "von '00:01' may mean a part"),
        ("début,fin", "1,2", "début '1' may mean a part"),
        ("开始时间,结束时间", "1,2", "开始时间 '1' may mean a part"),
        ("tc_in,tc_out", "00:00:01:12,00:00:02:00", "tc_in '00:00:01:12' may mean a part"),
        ("laughter_start,laughter_end", "1,2", "laughter_start '1' may mean a part"),
        ("first_sample,last_sample", "1,2", "first_sample '1' may mean a part"),
        ("start_abs", "1", "start_abs '1' may mean a part"),
        ("from,to", "00:01,00:02", "from '00:01' may mean a part"),
        ("side", "left", "side 'left' may mean a part"),
        ("start,end", "inf,2", "start 'inf' is no time"),
        ("start,end", '"1,5",2', "start '1,5' is no time"),
        ("start,end", "1:30,2", "start '1:30' is no time"),
        ("start,end", "1,00:00:02:12", "end '00:00:02:12' is no time"),
        ("start,end", "1,1e99", "end '1e99' is no time"),
        ("start,end", "1_0,12", "start '1_0' is no time"),
        ("start,end", "\u0661,12", "start '\u0661' is no time"),
        ("start,begin", "1,2", "start and begin are 1 and 2 s; keep one"),
        ("start,end,duration", "1,2,5", "from 1 to 2 s are not 5 s"),
        ("offset", "1", "offset 1 may be where the part begins"),
        ("offset,end", "1,2", "offset 1 may be where the part begins"),
        ("start_ms,end_ms", "1000,2000", "start_ms '1000' may mean a part"),
        ("startms", "1000", "startms '1000' may mean a part"),
        ("duration_ms", "1000", "duration_ms '1000' may mean a part"),
        ("start_sample,end_sample", "0,16000", "start_sample '0' may mean a part"),
        ("begin_frame", "3", "begin_frame '3' may mean a part"),
        ("frame_offset,num_frames", "16000,8000", "frame_offset '16000' may mean a part"),
        ("num_frames", "8000", "num_frames 8000 may be the file's length or a part's"),
        ("start,num_frames,sample_rate", "1,8000,16000", "num_frames 8000 may be"),
        ("start,length", "1,2", "length 2 may be the file's length or a part's"),
        ("clip_start,clip_end", "1,2", "clip_start '1' may mean a part"),
        ("video_start_time", "1", "video_start_time '1' may mean a part"),
        ("seek", "1.5", "seek '1.5' may mean a part"),
        ("segment", "1.5-4.0", "segment '1.5-4.0' may mean a part"),
        ("timestamp", '"[1.5, 4]"', "timestamp '[1.5, 4]' may mean a part"),
        ("start_end", "1.5 - 4", "start_end '1.5 - 4' may mean a part"),
        ("begin_offset,end_offset", "5,9", "begin_offset '5' may mean a part"),
        ("t0,t1", "5,9", "t0 '5' may mean a part"),
        ("from,to", "5,9", "from '5' may mean a part"),
        ("audio_stream", "1", "audio_stream '1' may mean a part"),
        ("channel", "A", "channel 'A'; expected left, right, or a number"),
        ("channel", "-1", "channel '-1'; expected left, right, or a number"),
        ("channel", "0.5", "channel '0.5'; expected"),
        ("channels", "left", "channels 'left' may mean a part"),
        ("channel,channel_id", "0,1", "channel and channel_id name two channels"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_line(
    root: Path, header: str, row: str, said: str
) -> None:
    whole = "," * header.count(",")
    with pytest.raises(CorpusError) as caught:
        scanned(root, header, whole, row)
    assert f"manifest.csv, line 3: {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("start,end", "2,1", "line 3: ends at 1 s, and not after its beginning at 2 s"),
        ("start,end", "1,1", "line 3: ends at 1 s, and not after"),
        ("start,end", "-1,1", "line 3: begins at -1 s, before its file"),
        ("start,duration", "1,0", "line 3: lasts 0 s"),
        ("start,duration", "1,-2", "line 3: lasts -2 s"),
    ],
)
def test_a_part_of_no_file_is_a_problem(root: Path, header: str, row: str, said: str) -> None:
    found = scanned(root, header, "0,1", row)
    assert [clip.path for clip in found.clips] == ["a.wav#t=0,1"]
    (problem,) = found.problems
    assert said in problem.reason


def test_channels_are_counted_from_0(root: Path) -> None:
    found = scanned(root, "channel", "1", "0")
    assert [clip.path for clip in found.clips] == ["a.wav#channel=0", "a.wav#channel=1"]
    counted = "manifest.csv: channel 1 is the second channel: they are counted from 0"
    assert counted not in found.notes
    assert counted in scanned(root, "channel", "1").notes
    with pytest.raises(CorpusError, match=r"line 3: channel 2, and none is 0"):
        scanned(root, "channel", "1", "2")


def test_the_same_part_twice_is_a_repetition(root: Path) -> None:
    found = scanned(root, "start,end", "1,2", "1.0,2.00", "1,3", ",")
    assert [clip.path for clip in found.clips] == ["a.wav", "a.wav#t=1,2", "a.wav#t=1,3"]
    ((path, reason),) = ((problem.path, problem.reason) for problem in found.problems)
    assert (path, reason) == ("a.wav#t=1,2", "line 3 repeats line 2, which is kept")
    text = "file,emotion,start\na.wav,sad,1\na.wav,joy,1.0\n"
    (root / "manifest.csv").write_text(text)
    (problem,) = scan(root).problems
    assert problem.reason == "line 3 contradicts line 2, which is kept"


def test_the_file_may_name_its_part(root: Path) -> None:
    (root / "manifest.csv").write_text(
        'file,emotion,start\n"a.wav#channel=0&t=01.50,4",sad,\nb.wav#t=2,sad,\na.wav#t=4.0,sad,\n'
    )
    names = [clip.path for clip in scan(root).clips]
    assert names == ["a.wav#t=1.5,4&channel=0", "a.wav#t=4", "b.wav#t=2"]
    (root / "manifest.csv").write_text("file,emotion,start\na.wav#t=2,sad,1\n")
    with pytest.raises(CorpusError, match=r"line 2: a.wav#t=2 names a part of a file, and so do"):
        scan(root)
    (root / "manifest.csv").write_text('file,emotion\nb.wav,sad\n"a.wav#t=4,1",sad\n')
    (problem,) = scan(root).problems
    assert problem.reason == "line 3: ends at 1 s, and not after its beginning at 4 s"


def test_a_file_whose_name_reads_like_a_part_is_no_part(root: Path) -> None:
    (root / "a#1.wav").touch()
    (root / "a.wav#t=1.0").touch()
    text = "file,emotion\na#1.wav,sad\na.wav#t=1.0,sad\n"
    (root / "manifest.csv").write_text(text)
    found = scan(root)
    assert [clip.path for clip in found.clips] == ["a#1.wav"]
    (problem,) = found.problems
    assert "line 3: a.wav#t=1.0 reads like a part of a.wav, and is a file itself" in problem.reason


def test_a_length_alone_is_the_files(root: Path) -> None:
    for header, row, length in (
        ("duration", "2.5", (2.5, 0.1)),
        ("duration", "3", (3, 1)),
        ("dur_s", "2.25", (2.25, 0.1)),
        ("num_frame,sample_rate", "22050.0,44100", (0.5, 0.1)),
        ("end,duration", ",2.5", (2.5, 0.1)),
    ):
        (clip,) = scanned(root, header, row).clips
        assert clip.path == "a.wav"
        assert clip.length == pytest.approx(length)


def test_the_columns_that_cut_are_in_the_name_alone(root: Path) -> None:
    found = scanned(root, "start,duration,channel,room,start_date", "1,2,0,12,x", ",,,13,y")
    assert [dict(clip.extra) for clip in found.clips] == [
        {"room": "13", "start_date": "y"},
        {"room": "12", "start_date": "x"},
    ]
    (clip,) = scanned(root, "duration,room", "2.5,12").clips
    assert clip.extra == {"duration": "2.5", "room": "12"}


def test_emobox_counts_channels(root: Path) -> None:
    row = {
        "key": "k",
        "wav": "a.wav",
        "type": "raw",
        "sample_rate": 16000,
        "num_frame": 30045.0,
        "length": 1.8778125,
        "emotion": "anger",
        "channel": 1,
    }
    (root / "manifest.jsonl").write_text(json.dumps(row))
    (clip,) = scan(root).clips
    assert clip.path == "a.wav"
    assert clip.length == pytest.approx((1.8778125, 0.1))
    assert clip.extra["channel"] == "1"


def test_json_has_numbers(root: Path) -> None:
    rows = [
        {"audio_filepath": "a.wav", "offset": 0.1, "duration": 0.2, "emotion": "sad"},
        {"audio_filepath": "b.wav", "offset": 0, "duration": 1, "emotion": "sad"},
        {"audio_filepath": "b.wav", "offset": None, "duration": float("nan"), "emotion": "sad"},
    ]
    text = "\n".join(json.dumps(row) for row in rows).replace("audio_filepath", "file")
    (root / "manifest.jsonl").write_text(text)
    assert [clip.path for clip in scan(root).clips] == ["a.wav#t=0.1,0.3", "b.wav", "b.wav#t=0,1"]

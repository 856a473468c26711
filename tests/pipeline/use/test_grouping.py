"""A thousand files that are wrong for one reason are one line; a few are still named each."""

from gensr.pipeline.use.grouping import grouped


def test_a_few_are_named_and_many_are_counted():
    few = [(f"{n}.wav", f"line {n}: no such file") for n in range(5)]
    many = [(f"d/{n}.wav", f"repeats e/{n}.wav, which is kept") for n in range(1440)]
    lines = grouped([*few, *many])
    assert lines[:5] == tuple(f"unusable: {n}.wav: line {n}: no such file" for n in range(5))
    assert lines[5:] == (
        "unusable: 1440 files, such as repeats e/0.wav, which is kept: d/0.wav, d/1.wav, d/2.wav, "
        "... (--all names each)",
    )
    assert len(grouped([*few, *many], everything=True)) == 1445


def test_many_reasons_are_cut_short():
    letters = [a + b for a in "abcdefghij" for b in "abcdefghij"]
    lines = grouped([(f"{n}.wav", f"{word} went wrong") for n, word in enumerate(letters)])
    assert len(lines) == 41
    assert lines[-1] == "... and 60 lines more; --all prints everything"

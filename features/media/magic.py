"""What a file is by its first bytes, whatever its name says.

A table of our own and no package: `filetype` and `puremagic` know neither half of these kinds nor
who decodes them, take a text in UTF-16 for MP3 (its mark `FF FE` is a frame's first bytes), and
nothing here costs more than one read of a few bytes.
"""

from dataclasses import dataclass

from gensr.features.media.mpeg import adts_frame, in_a_row, mpeg_frame
from gensr.features.media.peek import Peek

HEAD = 64
"""Bytes that tell most kinds; frames without a signature need a few thousand."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of audio or video file."""

    name: str
    """As a person calls it."""
    demuxer: str = ""
    """FFmpeg's name for it; empty where libsndfile reads it."""
    readable: bool = True
    """Whether anything here decodes it."""


MP3, ADTS = Kind("MPEG audio"), Kind("raw AAC", "aac")
OGG, FLAC, WAV, AIFF = Kind("Ogg"), Kind("FLAC"), Kind("WAV"), Kind("AIFF")
W64, CAF, AU = Kind("W64"), Kind("CAF"), Kind("AU")
MP4, MATROSKA, AVI = Kind("MP4", "mov"), Kind("Matroska or WebM", "matroska"), Kind("AVI", "avi")
ASF, FLASH, AMR = Kind("Windows Media", "asf"), Kind("Flash video", "flv"), Kind("AMR", "amr")
STREAM, PROGRAM = Kind("MPEG-TS", "mpegts"), Kind("MPEG program stream", "mpeg")

_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b".snd", AU),
    (b"dns.", AU),
    (b"caff", CAF),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", W64),
    (b"NIST_1A\n", Kind("NIST SPHERE")),
    (b"Creative Voice File\x1a", Kind("VOC")),
    (b"PVF1\n", Kind("PVF")),
    (b"\x64\xa3\x01\0", Kind("IRCAM")),
    (b"\x64\xa3\x02\0", Kind("IRCAM")),
    (b"\x1aE\xdf\xa3", MATROSKA),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    (b"FLV\x01", FLASH),
    (b"#!AMR", AMR),
    (b"\0\0\x01\xba", PROGRAM),
    (b"ADIF", ADTS),
    (b"#!iLBC", Kind("iLBC", "ilbc")),
    (b"#!SILK_V3", Kind("SILK (a messenger's voice note)", readable=False)),
    (b"\x02#!SILK_V3", Kind("SILK (a messenger's voice note)", readable=False)),
    (b"\x02dss", Kind("DSS (a dictation machine's)", "dss")),
    (b"\x03dss", Kind("DSS (a dictation machine's)", "dss")),
    (b".RMF\0", Kind("RealMedia", "rm")),
    (b".ra\xfd", Kind("RealAudio", "rm")),
    (b"wvpk", Kind("WavPack", "wv")),
    (b"MAC \x8c\x0f", Kind("Monkey's Audio", "ape")),
    (b"MAC \x96\x0f", Kind("Monkey's Audio", "ape")),
    (b"TTA1", Kind("TTA", "tta")),
    (b"tBaK", Kind("TAK", "tak")),
    (b"MPCK", Kind("Musepack", "mpc8")),
    (b"MP+", Kind("Musepack", "mpc")),
    (b"\x7f\xfe\x80\x01", Kind("DTS", "dts")),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02", Kind("MXF", "mxf")),
)
_FORMS = {  # (first four bytes, bytes 8 to 12)
    **dict.fromkeys(((riff, b"WAVE") for riff in (b"RIFF", b"RIFX", b"RF64")), WAV),
    (b"RIFF", b"AVI "): AVI,
    (b"RIFF", b"QLCM"): Kind("QCP", "qcp"),
    **dict.fromkeys(((b"FORM", form) for form in (b"AIFF", b"AIFC", b"8SVX", b"16SV")), AIFF),
}
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"moof", b"styp")
_PICTURES = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jxl ")
"""Brands of files that are built like MP4 and hold a picture."""
_LFS = b"version https://git-lfs.github.com/spec/v1"
_ANNEX = (b"/annex/objects/", b"../.git/annex/objects/", b".git/annex/objects/")


def kind_of(peek: Peek) -> Kind | None:
    """Return what audio or video a file is, or None; an ID3 tag in front is passed over.

    One that begins with a tag and goes on as nothing known counts as MPEG audio, whose tag it is.
    """
    place = after_tags(peek)
    found = kind_at(peek, place)
    return MP3 if found is None and place and place < peek.length else found


def kind_at(peek: Peek, place: int) -> Kind | None:
    """Return what audio or video begins at a place of a file, or None."""
    head = peek.at(place, HEAD)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if found := _FORMS.get((head[:4], head[8:12])):
        return found
    if _is_mp4(head):
        return MP4
    if head[:1] == b"\xff":
        if in_a_row(peek, place, mpeg_frame):
            return MP3
        if in_a_row(peek, place, adts_frame):
            return ADTS
    if transport_packets(peek, place):
        return STREAM
    return None


def transport_packets(peek: Peek, place: int) -> tuple[int, int] | None:
    """Return (bytes before each packet, bytes of both) of MPEG-TS; M2TS has four before each."""
    for before, size in ((0, 188), (4, 192)):
        if all(peek.at(place + before + i * size, 1) == b"\x47" for i in range(5)):
            return before, size
    return None


def _is_mp4(head: bytes) -> bool:
    """Whether a file begins with an atom of MP4 or QuickTime; as text, none begins so."""
    if len(head) < 8 or head[0] >= 0x20:
        return False
    return head[4:8] in _ATOMS or (head[4:8] == b"ftyp" and head[8:12] not in _PICTURES)


def after_tags(peek: Peek) -> int:
    """Return where a file begins behind the ID3 tags that some have in front."""
    place = 0
    while size := id3_size(peek.at(place, 10)):
        place += size
    return place


def id3_size(head: bytes) -> int:
    """Return the bytes of an ID3 tag by its first ten; 0 where there is none."""
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
        return 0
    # four bytes of seven bits each; a footer repeats the ten
    size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return 10 + size + (10 if head[5] & 0x10 else 0)


def placeholder(head: bytes) -> str:
    """Say what is to be done where a file only stands for one that was not fetched, or nothing."""
    if head.startswith(_LFS):
        return "a Git LFS pointer, not the file itself: fetch it with `git lfs pull`"
    if head.startswith(_ANNEX):
        return "a git-annex pointer, not the file itself: fetch it with `git annex get`"
    return ""

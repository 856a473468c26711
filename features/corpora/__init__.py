"""Which audio files there are, and what their corpus says about each.

`scan` is the one door: a folder (or a manifest) in, clips with labels out. One file per corpus
reads its official file names; `manifest.py` and `folders.py` serve everything else.
"""

from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.scan import Scan, scan

__all__ = ["Clip", "Problem", "Scan", "scan"]

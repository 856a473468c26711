"""What can be known of clips and of how they are split from a table alone, before any training."""

from collections.abc import Sequence

from gensr.pipeline.lint.copies import repeated
from gensr.pipeline.lint.doctor import of_table
from gensr.pipeline.lint.findings import Finding, Findings, in_order
from gensr.pipeline.lint.leaks import leaks
from gensr.pipeline.lint.shortcuts import flags, shortcuts
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.protocols.splits import Table


def checks(
    table: Table,
    protocol: Protocol | None,
    *,
    allow_leaks: bool = False,
    more: Sequence[Finding] = (),
) -> Findings:
    """Leaks and shortcuts of a protocol; what is published of the corpora; repetitions.

    Args:
        table: columns of text, one value a clip.
        protocol: on that table; None where none could be made.
        allow_leaks: leaks are warnings, not fatal.
        more: what was found elsewhere.
    """
    tried = () if protocol is None else shortcuts(protocol)
    found: list[Finding] = [*of_table(table), *repeated(table)]
    if protocol is not None:
        found += leaks(protocol, allowed=allow_leaks)
        found += flags(protocol, tried)
    return Findings(
        findings=in_order((*found, *more)),
        shortcuts=tried,
        protocol=protocol.name if protocol else "",
        hash=protocol.hash if protocol else "",
        clips=len(table["path"]),
        tested=sum(len(fold.test) for fold in protocol.folds) if protocol else 0,
    )

"""Whatever stands behind `--cluster`: workers, or one line within a bounded time."""

import socket
import subprocess
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gensr.pipeline.extraction import workers
from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.errors import ClusterError
from support.command import GENSR

MALFORMED = (
    *("", " ", ":", ":::", "tcp://", "tcp://host", "tcp://host:", "tcp://host:notaport"),
    *("http://x:1", "ucx://x:1", "inproc://x:1", "tcp://x:0", "tcp://x:99999", "tcp://x:-1"),
    *("tcp://:8786", "tcp://[::1:8786", "tcp://ü:1", "tcp://x:１", "tcp://a b:1", "tcp://x:1\n"),
    *("scheduler.json", "tcp:/x:1", "tcp://tcp://x:1", "tcp://u:p@x:1", "\x1b[31m:1", "x:1/path"),
)


def refusal(address):
    with (
        pytest.raises(ClusterError) as caught,
        workers.workers(ExtractConfig(encoder="fbank", cluster=address)),
    ):
        raise AssertionError("there is no cluster")
    line = str(caught.value)
    assert "\n" not in line
    assert line.isprintable()
    return line


@pytest.mark.parametrize("address", MALFORMED[1:])
def test_what_is_no_address_is_said_at_once(address):
    assert "is no address of a dask scheduler" in refusal(address)


@pytest.mark.parametrize("address", ["tls://127.0.0.1:9", "wss://127.0.0.1:9"])
def test_tls_without_a_certificate(address):
    assert "given no certificate" in refusal(address)


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="tcplsw:/.[]@0189x%- \n", max_size=30),
        st.builds("tcp://{}:{}".format, st.text(max_size=12), st.integers(-9, 1 << 20)),
    ).filter(bool)
)
@example("tcp://127.0.0.1:8786")
def test_any_text_is_one_line(monkeypatch, address):
    """Those that have the shape of an address get as far as a connection."""

    def refuse(address, **options):
        raise OSError("nobody\nthere")

    monkeypatch.setattr(workers, "_greeted", refuse)
    refusal(address)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["closed", "silent", "another protocol", "no such name", "v6"])
def test_where_no_scheduler_answers_the_command_ends_in_time(kind, corpus, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if kind == "closed":
            server.close()
        address = {"no such name": f"nobody.invalid:{port}", "v6": f"tcp://[::1]:{port}"}.get(
            kind, f"{'ws' if kind == 'another protocol' else 'tcp'}://127.0.0.1:{port}"
        )
        command = [GENSR, "extract", str(corpus), "--encoder", "fbank", "--out"]
        command += [str(tmp_path / "s.zarr"), "--cluster", address]
        begun = time.monotonic()
        said = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert said.returncode == 1
    assert len(said.stderr.splitlines()) == 1, said.stderr
    assert said.stderr.startswith("gensr: no dask scheduler answers at ")
    assert time.monotonic() - begun < 120

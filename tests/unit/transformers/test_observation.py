"""What a sample shows, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.app.plugin_discovery import discover
from hub.app.x12.partner_scaffold import quoted, scaffold
from hub.configuration.check import check_site
from hub.configuration.files.yaml_loader import load
from hub.core.agreement import InterchangeId
from hub.core.ports import BytesBody
from tests.golden.x12_files import FIXTURES
from transformers.x12.terms.departures import departures
from transformers.x12.terms.observation import MOST_KINDS, MOST_SENDERS, observe

SMALL = (FIXTURES / "850-small.edi").read_bytes()
SAMPLES = [
    (FIXTURES / f"{name}.edi").read_bytes() for name in ("850-small", "850-two-groups", "856-sotpi", "997-partial")
]
PLUGINS = discover()


def test_codes_are_named_by_the_place_that_an_overlay_has_for_them() -> None:
    data = SMALL.replace(b"BEG*00*SA", b"BEG*00*ZP").replace(b"PID*F*", b"PID*Q*", 1)
    (seen,) = observe(BytesBody(data))
    assert {place: list(codes) for place, codes in seen.codes.items()} == {
        ("850", "BEG/BEG02"): ["ZP"],
        ("850", "PO1/PID/PID01"): ["Q"],
    }
    assert seen.broken == 0


@pytest.mark.parametrize("code", [b"\x07Z", b"Z" * 200, b""])
def test_what_can_be_no_code_is_none(code: bytes) -> None:
    (seen,) = observe(BytesBody(SMALL.replace(b"BEG*00*SA", b"BEG*00*" + code)))
    assert seen.codes == {}
    assert seen.broken == 1


def test_each_sender_is_observed_by_itself() -> None:
    other = SMALL.replace(b"*01*043645501      *", b"*ZZ*BOLT           *").replace(b"*P*>", b"*T*>")
    one, two = observe(BytesBody(SMALL + other + other))
    assert (one.sender, one.interchanges, one.test) == (InterchangeId("01", "043645501"), 1, {False})
    assert (two.sender, two.interchanges, two.test) == (InterchangeId("ZZ", "BOLT"), 2, {True})


def test_a_file_of_thousands_of_senders_doesnt_fill_the_memory() -> None:
    isa, rest = SMALL[:106], SMALL[106:]
    many = b"".join(isa.replace(b"043645501", b"%09d" % n) + rest for n in range(MOST_SENDERS + 20))
    assert len(observe(BytesBody(many))) == MOST_SENDERS
    groups = b"".join(b"GS*PO*A%d*B*20260302*0815*%d*X*004010~GE*0*%d~" % (n, n, n) for n in range(MOST_KINDS + 20))
    (seen,) = observe(BytesBody(isa + groups + b"IEA*%d*000000007~" % (MOST_KINDS + 20)))
    assert len(seen.groups) == MOST_KINDS


@given(st.text(max_size=30))
def test_a_text_of_theirs_is_quoted_so_that_it_reads_back(text: str) -> None:
    if any(0xD800 <= ord(c) < 0xE000 for c in text):
        return
    assert load("x.yaml", f"x: {quoted(text)}\n".encode(), {}).data == {"x": text}


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["flip", "drop", "insert", "cut"])):
            case "flip":
                data[at] = draw(st.integers(0, 255))
            case "drop":
                del data[at : at + draw(st.integers(1, 40))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                del data[max(1, at) :]
        if not data:
            return b"x"
    return bytes(data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_no_sample_crashes_the_draft_or_the_check(data: bytes) -> None:
    """What is drafted is sound, or says by its place what can't stand in an agreement."""
    for seen in observe(BytesBody(data)):
        drafted = scaffold(seen, "sample.edi")
        checked = check_site({drafted.file: drafted.text.encode()}, PLUGINS, {}, lambda name: False)
        assert all(finding.place.file == drafted.file for finding in checked.findings)
        if checked.site is not None:
            agreement = checked.site.partners.by_name(drafted.partner)
            assert agreement is not None
            list(departures(BytesBody(data), agreement))
        else:
            said = [finding.text for finding in checked.errors]
            assert all(text.startswith(("ids.", "we.")) for text in said), said

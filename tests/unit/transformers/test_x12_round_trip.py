"""Any document that a model admits becomes X12 that reads back equal, or is refused with the name of a field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.agreement import Agreement
from tests.fuzz.documents import KINDS, changed, made_up, real
from tests.fuzz.writing import THEY, VERSIONS, WE, agreements, carried
from transformers.x12.writing.writer import sets_of

MODERATE = settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


pytestmark = pytest.mark.xdist_group("documents of the fixtures")  # one worker reads them

MADE_UP = ("interchange_acknowledgment",)
"""Kinds of which the fixtures have no document."""

REAL = [kind for kind in KINDS if kind not in MADE_UP]


def test_the_fixtures_have_documents_of_all_other_kinds() -> None:
    assert sorted(real()) == sorted(REAL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_made_up_document_is_carried_or_refused_by_field(kind: str) -> None:
    @MODERATE
    @given(made_up(kind), agreements(kind))
    def one(document: Any, agreement: Any) -> None:
        carried(document, agreement)

    one()


@pytest.mark.parametrize("kind", REAL)
def test_a_real_document_with_some_fields_changed_is_carried_or_refused_by_field(kind: str) -> None:
    written = 0

    @settings(MODERATE, max_examples=15)
    @given(changed(kind), agreements(kind))
    def one(document: Any, agreement: Any) -> None:
        nonlocal written
        written += carried(document, agreement)

    one()
    terms = [Agreement("ACME", (THEY,), WE, version=v, charset="utf-8", send=sets_of(kind)[:1]) for v in VERSIONS]
    assert written or any(carried(document, agreement) for document in real()[kind] for agreement in terms)


@given(st.sampled_from(REAL), st.data())
@MODERATE
def test_a_real_document_is_carried_to_whoever_has_other_separators(kind: str, data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(real()[kind]))
    carried(document, data.draw(agreements(kind)))

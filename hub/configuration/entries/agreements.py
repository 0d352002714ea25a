"""config/partners/*.yaml: what the files say as agreements, and what is wrong with them as such."""

from __future__ import annotations

from hub.configuration.checks.checked_use import DECLARED_IN
from hub.configuration.draft import AgreementDraft, Draft
from hub.configuration.files.partner_file import (
    DelimitersEntry,
    ExpectAckTerms,
    HoldTotals,
    PartnerFile,
    PartnerId,
    RuleEntry,
    X12Terms,
)
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.agreement import (
    ALL_SETS,
    Acknowledge,
    Agreement,
    BatchLimits,
    ExpectAck,
    InterchangeId,
    OverlayRule,
    Separators,
)
from hub.core.errors import FilePlace
from hub.core.options.duration import seconds
from hub.core.plugin import ReaderPlugin

NEWLINES = {"none": "", "lf": "\n", "crlf": "\r\n"}


def read_partner(draft: Draft, file: YamlFile) -> None:
    """One file of config/partners."""
    model = validated(PartnerFile, file, file.root, draft.findings)
    if model is None:
        draft.doubtful.add("partner")
        if isinstance(name := file.root.data().get("partner") if file.root.kind == "mapping" else None, str):
            draft.declared.setdefault("partner", {}).setdefault(name, file.place(("partner",)))
        return
    if not draft.declare("partner", model.partner, file.place(("partner",))):
        return
    for position, one in enumerate(model.ids):
        _take_id(draft, model.partner, one, file.place(("ids", position)))
    agreement = agreement_of(model, _stated(file.root.child("x12")))
    if agreement.totals_hold:
        place = file.place(("x12", "totals", "hold"))
        draft.use("hold", agreement.totals_hold, place, DECLARED_IN.format("policies"))
    draft.agreements[model.partner] = AgreementDraft(agreement, file)


def agreement_of(model: PartnerFile, stated: frozenset[str] = frozenset()) -> Agreement:
    """What a partner's file says, as the terms that the runtime knows."""
    terms = model.x12
    return Agreement(
        model.partner,
        tuple(InterchangeId(one.qualifier, one.id, one.test) for one in model.ids),
        InterchangeId(model.we.qualifier, model.we.id) if model.we else None,
        terms.version,
        terms.receive,
        terms.send,
        group_we=model.group.we,
        group_they=model.group.they,
        acknowledge=_acknowledge(terms),
        expect_ack=_expect_ack(terms),
        ask_ta1=terms.ask_ta1,
        separators=_separators(terms.delimiters),
        charset=terms.charset,
        duplicate_days=terms.duplicates.days if terms.duplicates else None,
        batch=BatchLimits(terms.batch.max, seconds(terms.batch.wait)) if terms.batch else None,
        test=terms.test,
        owner=model.owner or "",
        overlays={name: tuple(map(_rule, rules)) for name, rules in terms.overlays.items()},
        stated=stated,
        versions=terms.versions,
        read_as={ALL_SETS: terms.read_as} if isinstance(terms.read_as, str) else terms.read_as or {},
        totals="hold" if isinstance(terms.totals, HoldTotals) else terms.totals,
        totals_hold=terms.totals.hold if isinstance(terms.totals, HoldTotals) else "",
    )


def _stated(node: YamlNode | None) -> frozenset[str]:
    """The terms that the file says, each as its key."""
    entries = node.entries if node else {}
    inner = entries["delimiters"].entries if "delimiters" in entries else {}
    return frozenset(entries) | {f"delimiters.{name}" for name in inner}


def _acknowledge(terms: X12Terms) -> Acknowledge | None:
    said = terms.acknowledge
    if said is None:
        return None
    within = None if said.within is None else seconds(said.within)
    return Acknowledge(said.with_set, within, said.errors, said.ta1, said.through, said.repeat)


def _expect_ack(terms: X12Terms) -> ExpectAck | None:
    said = terms.expect_ack
    if isinstance(said, ExpectAckTerms):
        return ExpectAck(seconds(said.within), said.owner or "")
    return None if said is None else ExpectAck(seconds(said))


def _separators(said: DelimitersEntry) -> Separators:
    newline = NEWLINES[said.newline]
    return Separators(said.element, said.component, said.repetition, said.terminator, newline)  # type: ignore[arg-type]


def _rule(said: RuleEntry) -> OverlayRule:
    return OverlayRule(**said.model_dump())


def _take_id(draft: Draft, partner: str, one: PartnerId, place: FilePlace) -> None:
    """An interchange id stands for one partner, in test and in production traffic each."""
    name = f"{one.qualifier} {one.id}"
    ids = draft.declared.setdefault("interchange id", {})
    kinds = [f"{name} {'T' if test else 'P'}" for test in (False, True) if one.test in (None, test)]
    taken = next((ids[kind] for kind in kinds if kind in ids), None)
    if taken is not None:
        draft.findings.error(place, f"the interchange id {name} of {partner} is taken already, at {taken}")
    for kind in kinds:
        ids.setdefault(kind, place)


def check_agreements(draft: Draft) -> None:
    """What can be said once the destinations are known, and what the transformers say that serve the agreements."""
    checks = [plugin.agreement for plugin in draft.plugins.every(ReaderPlugin) if plugin.agreement is not None]
    for one in draft.agreements.values():
        _check_parties(draft, one)
        for check in checks:
            for problem in check(one.agreement):
                told = draft.findings.warning if problem.warning else draft.findings.error
                told(one.file.place(problem.path), problem.text, problem.hint)


def _check_parties(draft: Draft, one: AgreementDraft) -> None:
    """Whether both sides have the ids that an envelope needs."""
    agreement, writers = one.agreement, draft.writers_for(one.agreement.partner)
    if agreement.test and agreement.ids and agreement.id_for(test=True) is None:
        text = "what we send is test traffic (`test: true`), and all ids of theirs are for production"
        draft.findings.error(one.file.place(("x12", "test")), text, "write an id with test: true")
    if not writers:
        return
    if not agreement.ids:
        text = f"`ids` is missing: destination {writers[0]} writes X12 for {agreement.partner}"
        draft.findings.error(one.file.place(("partner",)), text, "ids: [{qualifier: ..., id: ...}]")
    if agreement.we is None:
        text = f"`we` is missing: destination {writers[0]} writes X12 for {agreement.partner}"
        draft.findings.error(one.file.place(("partner",)), text, "we: {qualifier: ..., id: ...}")

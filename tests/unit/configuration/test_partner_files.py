"""config/partners: what the terms become, each kind of mistake in them, and the routes that they make."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.app.plugin_discovery import discover
from hub.configuration.check import check_site
from hub.configuration.site import Checked
from hub.core.agreement import Acknowledge, Agreement, ExpectAck, InterchangeId, OverlayRule, Separators

FILE = "config/partners/acme.yaml"
ACME = """\
partner: ACME
ids:
  - {qualifier: "01", id: "043645501", test: false}
  - {qualifier: "ZZ", id: "ACMETEST", test: true}
we: {qualifier: "01", id: "068717859"}
group: {we: HUB, they: ACMEPO}
owner: edi-team
x12:
  version: "004010"
  receive: ["850", "860", "997"]
  send: ["855", "810"]
  acknowledge: {with: "997", within: 1h, errors: accept, ta1: always}
  expect_ack: {within: 24h, owner: acme-desk}
  ask_ta1: true
  delimiters: {element: "|", component: "0x1f", repetition: "!", terminator: '\\n', newline: none}
  charset: utf-8
  duplicates: {days: 30}
  test: true
  overlays:
    "850":
      - {at: BEG/BEG03, max_length: 10}
      - {at: PO1/PO102, use: M}
      - {at: BEG/BEG02, add: [ZP]}
      - {at: N1, qualifiers: [ST, BT]}
      - {at: REF, segment: NTE}
      - {at: CUR, use: X}
"""
DESTINATIONS = """\
acme-out:
  file: {folder: var/out, name: "{set}_{control_number}.edi"}
  write: {x12: ACME}
"""
ROUTES = """\
format: 1
owner: order-desk
sources:
  inbox: {file: {folder: var/drop}, read: x12}
routes:
  - id: advices
    when: {document: order_acknowledgment, partner: ACME}
    to: [acme-out]
"""
SITE = {FILE: ACME, "config/destinations.yaml": DESTINATIONS, "routes/acme.yaml": ROUTES}
PLUGINS = discover()

Check = Callable[..., Checked]


def check(*replacements: tuple[str, str], **changes: str) -> Checked:
    """The site above, with texts replaced that occur in exactly one of its files; `acme=`, `bolt=` are whole files."""
    files = {**SITE, **{f"config/partners/{name}.yaml": text for name, text in changes.items()}}
    for old, new in replacements:
        (holder,) = [name for name, text in files.items() if old in text]
        files[holder] = files[holder].replace(old, new, 1)
    return check_site({name: text.encode() for name, text in files.items()}, PLUGINS, {}, lambda name: False)


def said(*replacements: tuple[str, str], **changes: str) -> list[str]:
    return [str(finding) for finding in check(*replacements, **changes).findings]


def agreement(checked: Checked, name: str = "ACME") -> Agreement:
    assert checked.site is not None, checked.findings
    found = checked.site.partners.by_name(name)
    assert found is not None
    return found


def test_a_sound_file_has_no_findings() -> None:
    assert said() == []


def test_every_term_reaches_the_agreement() -> None:
    made = agreement(check())
    assert made.ids == (InterchangeId("01", "043645501", False), InterchangeId("ZZ", "ACMETEST", True))
    assert (made.group_we, made.group_they, made.owner) == ("HUB", "ACMEPO", "edi-team")
    assert (made.version, made.receive, made.send) == ("004010", ("850", "860", "997"), ("855", "810"))
    assert made.acknowledge == Acknowledge("997", 3600.0, "accept", "always", None)
    assert made.expect_ack == ExpectAck(86400.0, "acme-desk")
    assert made.separators == Separators("|", "\x1f", "!", "\n", "")
    assert (made.ask_ta1, made.charset, made.duplicate_days, made.test) == (True, "utf-8", 30, True)
    assert made.overlays["850"][:3] == (
        OverlayRule("BEG/BEG03", max_length=10),
        OverlayRule("PO1/PO102", use="M"),
        OverlayRule("BEG/BEG02", add=("ZP",)),
    )
    assert {"charset", "delimiters", "delimiters.element"} <= made.stated


def test_a_set_may_have_a_version_of_its_own() -> None:
    made = agreement(check(("charset: utf-8", 'versions: {"855": "005010", "860": "004030VICS"}')))
    assert [made.version_of(name) for name in ("850", "855", "860")] == ["004010", "005010", "004030VICS"]
    assert made.all_versions == ("004010", "005010", "004030VICS")


def test_codes_that_we_dont_know_may_be_meant() -> None:
    removed, qualifier = said(("add: [ZP]", "remove: [ZP]"), ("N1, qualifiers: [ST, BT]", 'BEG, qualifiers: ["99"]'))
    assert removed.startswith(
        f"{FILE}:23:9: warning: overlays: 850: BEG/BEG02: 'ZP' can't be removed: element 92 (Purchase Order Type Code)"
    )
    assert qualifier.startswith(
        f"{FILE}:24:9: warning: overlays: 850: BEG: '99' is no qualifier that we know of element 353"
    )


def test_an_overlay_fits_the_version_of_its_set() -> None:
    rule = '  overlays: {"855": [{at: REF/REF03, max_length: 80}]}\n'
    bolt = f'partner: BOLT\nx12:\n  version: "004010"\n  send: ["855"]\n{rule}'
    wide = bolt.replace("max_length: 80", "min_length: 81")
    assert said(bolt=bolt) == []
    assert any("the least length 81 is above the greatest, 80" in line for line in said(bolt=wide))


def test_what_isnt_said_has_our_defaults() -> None:
    made = agreement(check(bolt="partner: BOLT\n"), "BOLT")
    assert made == Agreement("BOLT", ())


def test_expect_ack_may_be_only_a_time() -> None:
    assert agreement(check(("{within: 24h, owner: acme-desk}", "2d"))).expect_ack == ExpectAck(172800.0)


@pytest.mark.parametrize(
    ("text", "separators"),
    [
        ("newline: lf", Separators(newline="\n")),
        ("newline: crlf", Separators(newline="\r\n")),
        (r'terminator: "\n"', Separators(terminator="\n")),
        (r"terminator: '\x1c', element: '0x1D'", Separators(element="\x1d", terminator="\x1c")),
        (r'terminator: "\x85"', None),
        (r'terminator: "é"', None),
    ],
)
def test_delimiters_are_characters_or_their_codes(text: str, separators: Separators | None) -> None:
    checked = check(bolt=f"partner: BOLT\nx12: {{delimiters: {{{text}}}}}\n")
    assert (checked.site is None) == (separators is None)
    if separators is not None:
        assert agreement(checked, "BOLT").separators == separators


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        # names and forms
        ("owner: edi-team", "ownr: edi-team", "7:1: error: unknown key 'ownr' (did you mean owner?)"),
        ("owner: edi-team", "owner: 7", "7:8: error: owner: should be a text, found 7"),
        ("group: {we: HUB", "group: {us: HUB", "6:9: error: unknown key 'us' (known: they, we)"),
        ("test: false}", "test: no}", "3:46: error: ids.0.test: should be true or false, found 'no'"),
        (
            'version: "004010"',
            'version: "4010"',
            (
                "9:12: error: x12.version: '4010' is not a release as GS08 has it: six digits, perhaps with a suffix,"
                ' as in "004010" or "004010VICS"'
            ),
        ),
        (
            'version: "004010"',
            'version: "004010"\n  totals: hold',
            "10:11: error: x12.totals: should be 'warn' or 'refuse' or {hold: ...}, found 'hold'",
        ),
        (
            'version: "004010"',
            'version: "004011"',
            "9:12: error: version: there is no release 004011 that we know (did you mean 004051?)",
        ),
        (
            'receive: ["850", "860"',
            'receive: ["850", "890"',
            "10:20: error: receive: there is no transaction set '890' that we know (did you mean 990?)",
        ),
        ('receive: ["850", "860"', 'receive: ["850", "850"', "10:20: error: receive: 850 stands twice"),
        ('receive: ["850", "860"', 'receive: [850, "860"', "10:13: error: x12.receive.0: should be a text, found 850"),
        (
            'send: ["855"',
            'send: ["PO"',
            (
                "11:10: error: x12.send.0: 'PO' is not the number of a transaction set: three digits in quotes, as in"
                ' "850"'
            ),
        ),
        # versions by set
        (
            "charset: utf-8",
            'versions: {"86": "005010"}',
            (
                "16:20: error: x12.versions.86: '86' is not the number of a transaction set: three digits in quotes, as"
                ' in "850"'
            ),
        ),
        (
            "charset: utf-8",
            'versions: {"855": "5010"}',
            (
                "16:21: error: x12.versions.855: '5010' is not a release as GS08 has it: six digits, perhaps with a"
                ' suffix, as in "004010" or "004010VICS"'
            ),
        ),
        (
            "charset: utf-8",
            'versions: {"851": "005010"}',
            "16:21: error: versions: there is no transaction set '851' that we know (did you mean 875?)",
        ),
        (
            "charset: utf-8",
            'versions: {"856": "005010"}',
            "16:21: error: versions: 856 is neither in `receive` nor in `send` (did you mean 860?)",
        ),
        (
            "charset: utf-8",
            'versions: {"855": "005011"}',
            "16:21: error: versions: 855: there is no release 005011 that we know (did you mean 005010?)",
        ),
        # acknowledgments
        ('with: "997"', 'with: "998"', "12:23: error: x12.acknowledge.with: should be '997' or '999', found '998'"),
        (
            'with: "997"',
            'with: "999"',
            '12:23: error: acknowledge: the 999 exists from 005010 on, and the version is 004010 (write with: "997")',
        ),
        (
            "within: 1h",
            "within: 1 h",
            "12:38: error: x12.acknowledge.within: '1 h' is not a duration; write 500ms, 30s, 10m, 4h, 2d or 1m30s",
        ),
        ("within: 1h", "within: 0s", "12:38: error: x12.acknowledge.within: should be longer than 0s"),
        (
            "errors: accept",
            "errors: accpt",
            "12:50: error: x12.acknowledge.errors: should be 'reject' or 'accept', found 'accpt'",
        ),
        (
            "ta1: always",
            "ta1: sometimes",
            "12:63: error: x12.acknowledge.ta1: should be 'asked', 'always' or 'never', found 'sometimes'",
        ),
        ("ta1: always", "through: acme-ot", "12:67: error: there is no destination 'acme-ot' (did you mean acme-out?)"),
        (
            "{within: 24h, owner: acme-desk}",
            "soon",
            "13:15: error: x12.expect_ack: 'soon' is not a duration; write 500ms, 30s, 10m, 4h, 2d or 1m30s",
        ),
        ("{within: 24h, owner", "{wihtin: 24h, owner", "13:16: error: unknown key 'wihtin' (did you mean within?)"),
        (
            ', "997"]',
            "]",
            (
                "13:15: error: expect_ack: neither 997 nor 999 is in `receive`, so that every acknowledgment of theirs"
                ' would be refused (add "997" to receive)'
            ),
        ),
        # envelope
        (
            'element: "|"',
            'element: "||"',
            "15:25: error: x12.delimiters.element: '||' should be one character, or its code as in 0x1c",
        ),
        (
            'element: "|"',
            'element: "a"',
            (
                "15:25: error: x12.delimiters.element: 'a' can't separate: no letter, digit, blank, point, hyphen, and"
                " nothing beyond ASCII"
            ),
        ),
        (
            'element: "|"',
            'element: "!"',
            "15:15: error: x12.delimiters: element and repetition are both '!'; all four should differ",
        ),
        ('element: "|"', r'element: "\n"', "15:15: error: x12.delimiters: element can't be the line end '\\n'"),
        (
            "newline: none",
            "newline: lf",
            "15:15: error: x12.delimiters: the terminator is a line end already; write newline: none",
        ),
        (
            "newline: none",
            "newline: cr",
            "15:93: error: x12.delimiters.newline: should be 'none', 'lf' or 'crlf', found 'cr'",
        ),
        (
            "charset: utf-8",
            "charset: utf8",
            (
                "16:12: error: x12.charset: should be 'basic', 'extended', 'utf-8', 'latin-1' or 'windows-1252', found"
                " 'utf8'"
            ),
        ),
        ("days: 30", "days: 0", "17:22: error: x12.duplicates.days: should be greater than or equal to 1, found 0"),
        (
            "duplicates: {days: 30}",
            "batch: {max: 0, wait: 5m}",
            "17:16: error: x12.batch.max: should be greater than or equal to 1, found 0",
        ),
        (
            "duplicates: {days: 30}",
            "batch: {max: 50, wait: 0s}",
            "17:26: error: x12.batch.wait: should be longer than 0s",
        ),
        ("duplicates: {days: 30}", "batch: {max: 50}", "17:10: error: the key 'wait' is missing"),
        (
            'id: "ACMETEST", test: true',
            'id: "ACMETEST", test: false',
            (
                "18:9: error: what we send is test traffic (`test: true`), and all ids of theirs are for production"
                " (write an id with test: true)"
            ),
        ),
        # overlays
        (
            '"850":',
            '"851":',
            "21:7: error: overlays: there is no transaction set '851' that we know (did you mean 875?)",
        ),
        (
            '"850":',
            '"85":',
            (
                "21:7: error: x12.overlays.85: '85' is not the number of a transaction set: three digits in quotes, as"
                ' in "850"'
            ),
        ),
        ("BEG/BEG03", "BGE/BGE03", "21:9: error: overlays: 850: BGE/BGE03: there is no BGE here"),
        (
            "BEG/BEG03",
            "beg03",
            (
                "21:9: error: x12.overlays.850.0: at: 'beg03' should name a place, as BEG/BEG02, PO1, PO1/PID/PID05 or"
                " N1/N4 do"
            ),
        ),
        ("BEG/BEG03", "BEG/BEG13", "21:9: error: overlays: 850: BEG/BEG13: BEG has 12 elements"),
        (
            "BEG/BEG03, max_length: 10",
            "BEG/BEG03",
            "21:9: error: x12.overlays.850.0: the rule for BEG/BEG03 changes nothing",
        ),
        (
            "max_length: 10",
            "max_length: 10, min_length: 11",
            "21:9: error: x12.overlays.850.0: min_length 11 is above max_length 10",
        ),
        (
            "max_length: 10",
            "min_length: 30",
            "21:9: error: overlays: 850: BEG/BEG03: the least length 30 is above the greatest, 22",
        ),
        (
            "max_length: 10",
            "max: 2",
            "21:9: error: x12.overlays.850.0: max is for a segment or loop, and BEG/BEG03 is an element",
        ),
        (
            "max_length: 10",
            "add: [X]",
            (
                "21:9: error: overlays: 850: BEG/BEG03: element 324 (Purchase Order Number) has no list of codes; use"
                " `codes`"
            ),
        ),
        (
            "max_length: 10",
            "codes: [A], default: B",
            "21:9: error: x12.overlays.850.0: the default 'B' isn't among the codes",
        ),
        (
            "BEG02, add: [ZP]",
            "BEG02, add: [ZP], codes: [A]",
            "23:9: error: x12.overlays.850.2: codes is the whole list; add and remove change the standard's",
        ),
        (
            "BEG02, add: [ZP]",
            "BEG02, add: [ZP], remove: [ZP]",
            "23:9: error: x12.overlays.850.2: the code 'ZP' is both added and removed",
        ),
        (
            "BEG02, add: [ZP]",
            "BEG02, remove: [NE], default: NE",
            "23:9: error: x12.overlays.850.2: the default 'NE' is removed from the codes",
        ),
        (
            "BEG02, add: [ZP]",
            "BEG02, add: [ZPX]",
            (
                "23:9: error: overlays: 850: BEG/BEG02: 'ZPX' has 3 characters, and element 92 (Purchase Order Type"
                " Code) 2"
            ),
        ),
        (
            "BEG02, add: [ZP]",
            "BEG03, default: ABCDEFGHIJK",
            (
                "23:9: error: overlays: 850: BEG/BEG03: 'ABCDEFGHIJK' has 11 characters, and element 324 (Purchase"
                " Order Number) 1 to 10"
            ),
        ),
        (
            "PO1/PO102, use: M",
            "BEG/BEG03, use: O",
            "22:9: error: overlays: 850: BEG/BEG03 need not be there, and BEG03 gives `number`, without which",
        ),
        # what a document can't be without
        (
            "CUR, use: X",
            "BEG, use: X",
            (
                "26:9: error: overlays: 850: BEG is not used (X), and BEG03 gives `number`, without which no order can"
                " be read or written"
            ),
        ),
        (
            "CUR, use: X",
            "BEG, use: O",
            (
                "26:9: error: overlays: 850: BEG need not be there, and BEG03 gives `number`, without which no order"
                " can be read or written"
            ),
        ),
        (
            "PO1/PO102, use: M",
            "BEG/BEG03, use: X",
            "22:9: error: overlays: 850: BEG/BEG03 is not used (X), and BEG03 gives `number`",
        ),
        (
            "PO1/PO102, use: M",
            "REF/REF01, use: X",
            "22:9: error: overlays: 850: REF/REF01 is not used (X), and REF01 gives `references[].qualifier`",
        ),
        (
            "PO1/PO102, use: M",
            "PO1/PO102, use: M}\n      - {at: PO1/PO102, use: O",
            (
                "23:9: error: overlays: 850: PO1/PO102: use is O here, and M in rule 2; the last one counts (keep one"
                " of them)"
            ),
        ),
        (
            "N1, qualifiers",
            "N1, codes",
            "24:9: error: x12.overlays.850.3: codes is for an element, and N1 is a segment or loop",
        ),
        (
            "segment: NTE",
            "segment: nte",
            (
                "25:28: error: x12.overlays.850.4.segment: 'nte' is not the name of a segment: two or three letters and"
                " digits, as in REF"
            ),
        ),
        (
            "CUR, use: X",
            "CUR, use: X, max: 2",
            "26:9: error: x12.overlays.850.5: CUR is not used (X), so that max says nothing",
        ),
        ("CUR, use: X", "CUR, use: N", "26:24: error: x12.overlays.850.5.use: should be 'M', 'O' or 'X', found 'N'"),
    ],
)
def test_a_mistake(old: str, new: str, finding: str) -> None:
    found = [line.removeprefix(f"{FILE}:") for line in said((old, new)) if ": error: " in line]
    assert any(line.startswith(finding) for line in found), found


class TestIds:
    def test_an_id_may_be_one_partners_for_test_and_anothers_for_production(self) -> None:
        bolt = 'partner: BOLT\nids: [{qualifier: "01", id: "043645501", test: true}]\n'
        assert said(bolt=bolt) == []

    def test_an_id_for_both_clashes_with_either(self) -> None:
        bolt = 'partner: BOLT\nids: [{qualifier: "ZZ", id: "ACMETEST"}]\n'
        assert said(bolt=bolt) == [
            "config/partners/bolt.yaml:2:7: error: the interchange id ZZ ACMETEST of BOLT is taken already,"
            " at config/partners/acme.yaml:4:5"
        ]

    @pytest.mark.parametrize(
        ("old", "finding"),
        [
            (
                'we: {qualifier: "01", id: "068717859"}\n',
                "1:10: error: `we` is missing: destination acme-out writes X12 for ACME",
            ),
            (
                (
                    'ids:\n  - {qualifier: "01", id: "043645501", test: false}\n  - {qualifier: "ZZ", id: "ACMETEST",'
                    " test: true}\n"
                ),
                "1:10: error: `ids` is missing: destination acme-out writes X12 for ACME",
            ),
        ],
    )
    def test_who_is_written_to_has_ids_on_both_sides(self, old: str, finding: str) -> None:
        assert any(line.startswith(f"{FILE}:{finding}") for line in said((old, "")))

    def test_a_writer_and_a_reader_name_partners_that_are_there(self) -> None:
        assert said(
            ("{x12: ACME}", "{x12: ACEM}"),
            ("read: x12", "read: {x12: {only: [AMCE]}}"),
            acme=ACME.replace("  acknowledge", "  #"),
        ) == [
            "config/destinations.yaml:3:16: error: there is no partner 'ACEM' (did you mean ACME?)",
            "routes/acme.yaml:4:56: error: there is no partner 'AMCE' (did you mean ACME?)",
        ]


class TestAcknowledgeRoute:
    """`acknowledge` makes a route."""

    def test_is_a_route_like_any_other(self) -> None:
        site = check().site
        assert site is not None
        route = next(route for route in site.table.routes if route.id == "acknowledge-acme")
        assert route.when == {
            "document": ("functional_acknowledgment", "interchange_acknowledgment"),
            "partner": ("ACME",),
            "direction": ("outbound",),
            "test": (False, True),
        }
        assert (route.destinations, route.owner) == (("acme-out",), "edi-team")
        assert str(site.places["acknowledge-acme"]) == "config/partners/acme.yaml:12:16"

    def test_isnt_made_without_acknowledge(self) -> None:
        site = check(("acknowledge: {with", "#")).site
        assert site is not None
        assert [route.id for route in site.table.routes] == ["advices"]

    def test_makes_the_destination_used(self) -> None:
        assert (
            said(("to: [acme-out]", "to: [other]"), ("acme-out:", "other: {file: {folder: x, name: x}}\nacme-out:"))
            == []
        )

    def test_an_own_route_of_that_name_is_an_error(self) -> None:
        assert said(("id: advices", "id: acknowledge-acme")) == [
            "routes/acme.yaml:6:9: error: the route acknowledge-acme is declared twice,"
            " first at config/partners/acme.yaml:12:16"
        ]

    def test_without_a_destination_that_writes_x12_for_them_says_what_to_do(self) -> None:
        assert said(("  write: {x12: ACME}\n", "")) == [
            "config/partners/acme.yaml:12:16: error: acknowledge: no destination writes X12 for ACME, so that"
            " acknowledgments have no way to them (write: {x12: ACME} at a destination, or name one with `through`)"
        ]

    def test_with_several_asks_which_one(self) -> None:
        second = DESTINATIONS + DESTINATIONS.replace("acme-out", "acme-mail")
        changed = (DESTINATIONS, second)
        assert [line for line in said(changed) if "error" in line] == [
            "config/partners/acme.yaml:12:16: error: acknowledge: acme-out and acme-mail both write X12 for ACME"
            " (say which one takes them: through: acme-out)"
        ]
        site = check(changed, ("ta1: always", "through: acme-mail")).site
        assert site is not None
        assert next(r for r in site.table.routes if r.id == "acknowledge-acme").destinations == ("acme-mail",)

    def test_through_a_destination_that_writes_something_else_is_an_error(self) -> None:
        found = said(("ta1: always", "through: plain"), ("acme-out:", "plain: {file: {folder: x, name: x}}\nacme-out:"))
        assert found == [
            "config/partners/acme.yaml:12:67: error: through: destination plain doesn't write X12 for ACME"
            " (it needs write: {x12: ACME})"
        ]

    def test_a_destination_with_an_error_of_its_own_is_told_once(self) -> None:
        assert [line for line in said(("folder: var/out", "fodler: var/out")) if "acknowledge" in line] == []


@pytest.mark.parametrize(
    "text",
    [
        "partner: X\nx12: 7\n",
        "partner: X\nx12: {acknowledge: [1], expect_ack: {}, delimiters: '*', overlays: []}\n",
        'partner: X\nx12: {overlays: {"850": {at: BEG}}}\n',
        'partner: X\nx12: {overlays: {"850": [7, null, {}, {at: []}]}}\n',
        "partner: X\nids: {}\nwe: []\ngroup: x\n",
        "partner: [X]\n",
        "partner: X\nx12: {delimiters: {element: '', component: '0x', repetition: '\\q'}}\n",
        'partner: X\nx12: {receive: ["850", ["850"]], send: "850"}\n',
        f"partner: {'X' * 80}\nx12: {{acknowledge: {{}}}}\n",
    ],
)
def test_no_content_crashes_the_check(text: str) -> None:
    assert any(line.startswith("config/partners/x.yaml:") for line in said(x=text))


def test_a_route_without_a_direction_doesnt_overlap_with_the_acknowledgments() -> None:
    assert said(("when: {document: order_acknowledgment, partner: ACME}", "when: {partner: ACME}")) == []

"""Each kind of mistake in a site's files: found with its place, what was found, and the nearest right word.

Every case changes the sound site of conftest in one way and states all that the check then says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.app.site_folder import SiteFolder
from hub.configuration.check import check_site
from hub.core.errors import ConfigError
from hub.core.plugins import Plugins

Said = Callable[..., list[str]]

SECOND_ROUTE = "    when: {document: [ship_notice, invoice]}\n    to: [notices]\n"
OLD_TO = "to: [notices]"


def test_the_sound_site_has_no_findings(said: Said) -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        # names
        (
            "{send: erp",
            "{send: epr",
            "routes/acme.yaml:16:16: error: there is no destination 'epr' (did you mean erp?)",
        ),
        (
            OLD_TO,
            "to: [notises]",
            "routes/acme.yaml:19:10: error: there is no destination 'notises' (did you mean notices?)",
        ),
        (
            "partner: ACME}",
            "partner: ACEM}",
            "routes/acme.yaml:12:38: error: there is no partner 'ACEM' (did you mean ACME?)",
        ),
        (
            "document: order, p",
            "document: ordr, p",
            "routes/acme.yaml:12:22: error: there is no document 'ordr' (did you mean order?)",
        ),
        (
            "document: order, p",
            "source: shop-order, p",
            "routes/acme.yaml:12:20: error: there is no source 'shop-order' (did you mean shop-orders?)",
        ),
        (
            "document: order, p",
            "documnt: order, p",
            "routes/acme.yaml:12:12: error: unknown fact documnt (did you mean document?)",
        ),
        (
            "once: [partner, number]",
            "once: [partner, nummer]",
            "routes/acme.yaml:13:21: error: unknown fact nummer (did you mean number?)",
        ),
        (
            "retry: patient",
            "retry: patent",
            "config/destinations.yaml:4:10: error: there is no retry class 'patent' (did you mean patient?)",
        ),
        (
            "retry: patient",
            "retry: [patient]",
            "config/destinations.yaml:4:10: error: `retry` takes the name of a retry class",
        ),
        (
            "hold: credit_hold}",
            "hold: credit_hld}",
            "config/destinations.yaml:6:61: error: there is no hold 'credit_hld' (did you mean credit_hold?)",
        ),
        (
            "endpoint: erp,",
            "endpoint: epr,",
            "config/destinations.yaml:2:20: error: there is no endpoint 'epr' (did you mean erp?)",
        ),
        (
            "schema: order.schema",
            "schema: orders.schema",
            "config/destinations.yaml:3:44: error: there is no file routes/schemas/orders.schema.json",
        ),
        (
            "template: order.json.j2",
            "template: ../x.j2",
            "config/destinations.yaml:3:21: error: '../x.j2' should be the name of a file in routes/templates",
        ),
        (
            'key: "{partner}"',
            'key: "{partnr}"',
            "config/destinations.yaml:8:42: error: unknown fact partnr (did you mean partner?)",
        ),
        # plug-ins
        (
            "file: {folder: var/drop",
            "sftp: {folder: var/drop",
            "routes/acme.yaml:5:5: error: there is no source plug-in 'sftp' (installed: exchange, file)",
        ),
        (
            "file: {folder: var/drop",
            "fil: {folder: var/drop",
            "routes/acme.yaml:5:5: error: there is no source plug-in 'fil' (did you mean file?)",
        ),
        (
            "read: x12",
            "read: x13",
            "routes/acme.yaml:6:11: error: there is no reader plug-in 'x13' (did you mean x12?)",
        ),
        (
            "read: x12",
            "read: {xml: a}",
            "routes/acme.yaml:6:12: error: there is no reader plug-in 'xml' (installed: json, x12)",
        ),
        (
            "read: x12",
            "read: [x12]",
            "routes/acme.yaml:6:11: error: expected the name of a reader (installed: json, x12)",
        ),
        ("read: x12", "read: {x12: ACME}", "routes/acme.yaml:6:17: error: x12 takes a mapping of options"),
        (
            "read: x12",
            "read: {x12: , onyl: [ACME]}",
            "routes/acme.yaml:6:19: error: unknown key 'onyl' (did you mean only?)",
        ),
        (
            "    read: x12\n",
            "",
            (
                "routes/acme.yaml:4:3: error: source acme-inbox says not how to `read` what it brings (installed: json,"
                " x12)"
            ),
        ),
        (
            "    read: x12\n",
            "    read: x12\n    exchange: {name: x}\n",
            "routes/acme.yaml:7:5: error: acme-inbox names two source plug-ins: file and exchange",
        ),
        (
            "    read: x12\n",
            "    read: x12\n    raed: x\n",
            "routes/acme.yaml:7:5: error: unknown key 'raed' (did you mean read?)",
        ),
        # options
        ("settle: 2s", "setle: 2s", "routes/acme.yaml:5:46: error: unknown key 'setle' (did you mean settle?)"),
        (
            "settle: 2s",
            "settle: 2 s",
            "routes/acme.yaml:5:54: error: settle: '2 s' is not a duration; write 500ms, 30s, 10m, 4h, 2d or 1m30s",
        ),
        (
            "settle: 2s",
            "settle: 2",
            "routes/acme.yaml:5:54: error: settle: 2 has no unit; write 500ms, 30s, 10m, 4h, 2d or 1m30s",
        ),
        ("folder: var/drop, ", "", "routes/acme.yaml:5:11: error: the key 'folder' is missing"),
        (
            "key: order.placed",
            "prefetch: 0",
            "routes/acme.yaml:8:45: error: prefetch: should be greater than or equal to 1, found 0",
        ),
        # route files
        ("format: 1", "format: 2", "routes/acme.yaml:1:9: error: format 2 is not known (write format: 1)"),
        ("format: 1\n", "", "routes/acme.yaml:1:1: error: the key 'format' is missing (write format: 1)"),
        ("owner: order-desk\n", "", "routes/acme.yaml:1:1: error: `owner` should name who answers for these routes"),
        (
            "owner: order-desk",
            "owner: 7",
            "routes/acme.yaml:2:8: error: `owner` should name who answers for these routes",
        ),
        ("    once: [", "    onec: [", "routes/acme.yaml:13:5: error: unknown key 'onec' (did you mean once?)"),
        (
            "    once: [",
            "    sequence: partner\n    once: [",
            "routes/acme.yaml:13:5: error: `sequence` is not supported yet (no order between messages is promised)",
        ),
        (
            "once: [partner, number]",
            "once: [number, number]",
            "routes/acme.yaml:13:11: error: `once` names a fact twice",
        ),
        (
            "id: acme-orders",
            "id: acme orders",
            (
                "routes/acme.yaml:11:9: error: id: 'acme orders' is not a name: 1 to 80 letters, digits, - and _, as in"
                " acme-orders"
            ),
        ),
        (
            "id: acme-orders",
            "id: acme-notices",
            "routes/acme.yaml:17:9: error: the route acme-notices is declared twice, first at routes/acme.yaml:11:9",
        ),
        (OLD_TO, "to: []", "routes/acme.yaml:19:9: error: to: needs at least 1, found a list"),
        ("    to: [notices]\n", "", "routes/acme.yaml:17:5: error: the key 'to' is missing"),
        (
            OLD_TO,
            "to: [notices, {send: erp}, notices]",
            (
                "routes/acme.yaml:19:32: error: destination notices stands twice in the route (join the conditions"
                " with ||)"
            ),
        ),
        (
            OLD_TO,
            "to: [notices]\n    else: keep",
            "routes/acme.yaml:20:11: error: else: should be 'drop', found 'keep'",
        ),
        (
            "[ship_notice, invoice]",
            "[]",
            "routes/acme.yaml:18:11: error: when: document: the list is empty, nothing can match",
        ),
        # types
        (
            "partner: ACME}",
            "set: 850}",
            'routes/acme.yaml:12:34: error: set: text is wanted, found 850 (write "850" in quotes)',
        ),
        (
            "partner: ACME}",
            'total: "5"}',
            "routes/acme.yaml:12:36: error: total: number is wanted, found '5' (write it without quotes)",
        ),
        (
            "partner: ACME}",
            "test: yes}",
            "routes/acme.yaml:12:35: error: test: boolean is wanted, found 'yes' (write true or false)",
        ),
        (
            "partner: ACME}",
            "document_version: 1.5}",
            "routes/acme.yaml:12:47: error: document_version: integer is wanted, found 1.5 (write a whole number)",
        ),
        (
            "partner: ACME}",
            "test: true}\n    test: true",
            "routes/acme.yaml:13:5: error: `test` stands twice, here and in `when`",
        ),
        # conditions
        (
            'if: "total >= 10000"',
            'if: "totl >= 10000"',
            "routes/acme.yaml:15:32: error: if: unknown fact totl (did you mean total?)",
        ),
        (
            'if: "total >= 10000"',
            "if: total >= 1 && prtner == 'x'",
            "routes/acme.yaml:15:45: error: if: unknown fact prtner (did you mean partner?)",
        ),
        (
            'if: "total >= 10000"',
            'if: "partner >= 10000"',
            "routes/acme.yaml:15:40: error: if: types can't be compared: partner is text and the literal is integer",
        ),
        (
            'if: "total >= 10000"',
            'if: "partner == \\"x\\" && totl > 1"',
            "routes/acme.yaml:15:31: error: if: unknown fact totl at character 19 (did you mean total?)",
        ),
        (
            'if: "total >= 10000"',
            "if: \"department == '7'\"",
            (
                "routes/acme.yaml:15:32: error: if: fact department may have no value (write `has(department) && ...`,"
                " or give the fact a default in config/facts.yaml)"
            ),
        ),
        ('if: "total >= 10000"', "if: true", "routes/acme.yaml:15:31: error: to.0.if: should be a text, found true"),
        # facts that a document can't have
        (
            OLD_TO,
            'to: [{send: notices, if: "has(department) && total > 5"}]',
            (
                "routes/acme.yaml:19:30: error: if: ship_notice has no total (name the documents in `when`, or write"
                " has(total) && ...)"
            ),
        ),
        (
            "when: {document: [ship_notice, invoice]}",
            "when: {document: ship_notice, total: 5}",
            (
                "routes/acme.yaml:18:42: error: route acme-notices can never match: ship_notice has no total (order,"
                " invoice, order_acknowledgment, order_change, order_change_acknowledgment, remittance have it)"
            ),
        ),
        (
            "when: {document: [ship_notice, invoice]}",
            "when: {document: invoice, department: x}",
            (
                "routes/acme.yaml:18:43: error: route acme-notices can never match: invoice has no department (order"
                " has it)"
            ),
        ),
        (
            'name: "{document}_{number}.json"',
            'name: "{department}.json"',
            (
                "routes/acme.yaml:19:10: error: destination notices needs department for its name, which invoice"
                " doesn't have (order has it)"
            ),
        ),
        # facts.yaml
        (
            "ship_to.address",
            "ship_to.adress",
            (
                "config/facts.yaml:1:23: error: order.ship_to.adress.state: order.ship_to has no 'adress' (did you mean"
                " address?)"
            ),
        ),
        (
            "order.ship_to",
            "ordr.ship_to",
            (
                "config/facts.yaml:1:23: error: ordr.ship_to.address.state: there is no document 'ordr' (did you mean"
                " order?)"
            ),
        ),
        (
            "order.ship_to.address.state",
            "order.lines.number",
            "config/facts.yaml:1:23: error: order.lines.number: order.lines is a list, it has no 'number'",
        ),
        (
            "order.ship_to.address.state",
            "order.ship_to",
            "config/facts.yaml:1:23: error: order.ship_to is a whole Party, not text",
        ),
        (
            "order.ship_to.address.state",
            "order",
            "config/facts.yaml:1:23: error: order is a whole document (name a field: order.number)",
        ),
        (
            "order.ship_to.address.state",
            "order.date",
            "config/facts.yaml:1:23: error: order.date is date, not text (write type: date)",
        ),
        (
            "type: text, default",
            "type: string, default",
            (
                "config/facts.yaml:1:58: error: type: should be 'text', 'number', 'integer', 'boolean' or 'date', found"
                " 'string'"
            ),
        ),
        ('default: ""', "default: 7", 'config/facts.yaml:1:73: error: text is wanted, found 7 (write "7" in quotes)'),
        ("ship_to_state:", "total:", "config/facts.yaml:1:1: error: total is a built-in fact"),
        (
            "ship_to_state:",
            "Ship-To:",
            "config/facts.yaml:1:1: error: 'Ship-To' is no name of a fact (small letters, digits and _)",
        ),
        # policies, partners, settings
        (
            "delays: [30s, 2m, 10m]",
            "delays: [2m, 30s]",
            "config/policies.yaml:2:21: error: delays: delays should grow from one to the next",
        ),
        (
            "delays: [30s, 2m, 10m]",
            "delays: [0s]",
            "config/policies.yaml:2:21: error: delays: a delay should be longer than 0s and at most 30d",
        ),
        (
            "timeout, busy, failed]",
            "timeout, down]",
            (
                "config/policies.yaml:2:64: error: on.2: should be 'unreachable', 'timeout', 'busy' or 'failed', found"
                " 'down'"
            ),
        ),
        (
            "sla: 4h}",
            "sla: 4h, recheck: 30m}",
            "config/policies.yaml:4:46: error: `recheck` is not supported yet (look at it by hand)",
        ),
        ("holds:", "hold:", "config/policies.yaml:3:1: error: unknown key 'hold' (did you mean holds?)"),
        (
            "{status: 409",
            "{status: 4yx",
            "config/destinations.yaml:6:16: error: status: '4yx' should be a number, or a class such as 4xx",
        ),
        (
            "/error/code:",
            "error/code:",
            "config/destinations.yaml:6:27: error: body: 'error/code' is no path into a reply; it begins with /",
        ),
        (
            "hold: credit_hold}",
            "hold: credit_hold, retry: busy}",
            "config/destinations.yaml:6:7: error: a reply needs exactly one of hold, delivered, retry, refuse",
        ),
        (
            'version: "004010"',
            'version: "4010"',
            (
                "config/partners/acme.yaml:4:16: error: x12.version: '4010' is not a release as GS08 has it: six"
                ' digits, perhaps with a suffix, as in "004010" or "004010VICS"'
            ),
        ),
        (
            'ids: [{qualifier: "01", id: "043645501"}]',
            'ids: [{qualifier: "01", id: "1"}, {qualifier: "01", id: "1"}]',
            (
                "config/partners/acme.yaml:2:35: error: the interchange id 01 1 of ACME is taken already, at"
                " config/partners/acme.yaml:2:7"
            ),
        ),
        (
            "broker: embedded",
            "broker: embeded",
            "config/hub.yaml:1:9: error: broker: should be 'embedded' or {amqp: ...}, found 'embeded'",
        ),
        ("broker: embedded", "amqp: http://x", "config/hub.yaml:1:7: error: should be an amqp:// or amqps:// URL"),
        (
            "broker: embedded",
            "console: {listen: 8025}",
            'config/hub.yaml:1:19: error: console.listen: should be a text, found 8025 (write it in quotes: "8025")',
        ),
        (
            "broker: embedded",
            "containment: {workers: 2, per_source: 3}",
            "config/hub.yaml:1:14: error: containment: per_source is 3, more than the 2 workers that there are",
        ),
        (
            "broker: embedded",
            "containment: {memory: 1 TB}",
            "config/hub.yaml:1:23: error: containment.memory: '1 TB' is no size; write it as 500KB, 10MB or 1GB",
        ),
        (
            "broker: embedded",
            "journl: x.db",
            "config/hub.yaml:1:1: error: unknown key 'journl' (did you mean journal?)",
        ),
        # yaml
        (
            "broker: embedded",
            "broker: embedded\nbroker: embedded",
            "config/hub.yaml:2:1: error: the key 'broker' stands twice, first in line 1",
        ),
    ],
)
def test_a_mistake(said: Said, old: str, new: str, finding: str) -> None:
    found = [line for line in said({}, (old, new)) if ": error: " in line]
    assert finding in found


@pytest.mark.parametrize(
    ("old", "new", "warnings"),
    [
        (
            SECOND_ROUTE,
            "    when: {document: order}\n    to: [erp, notices]\n",
            [
                "routes/acme.yaml:19:10: warning: routes acme-orders and acme-notices may both send one document to erp"
                " (acme-orders stands at routes/acme.yaml:11:9; it is sent once)"
            ],
        ),
        (
            SECOND_ROUTE,
            SECOND_ROUTE + "  - id: again\n" + SECOND_ROUTE.replace("[ship_notice, invoice]", "[invoice, ship_notice]"),
            ["routes/acme.yaml:20:9: warning: route again does the same as acme-notices at routes/acme.yaml:17:9"],
        ),
        (
            OLD_TO,
            "to: [approvals]",
            ["config/destinations.yaml:9:1: warning: destination notices is used by nothing"],
        ),
        (
            "holds:",
            "  idle: {delays: [1s], on: [busy]}\nholds:\n  other: {owner: me}",
            [
                "config/policies.yaml:3:3: warning: retry class idle is used by nothing",
                "config/policies.yaml:5:3: warning: hold other is used by nothing",
            ],
        ),
        (
            "erp: {rest: {base",
            "ftp: {ftp: {host: x}}\nerp: {rest: {base",
            ["config/endpoints.yaml:1:1: warning: endpoint ftp is used by nothing"],
        ),
        (
            "document: order, partner: ACME",
            "source: shop-orders, document: invoice, partner: ACME",
            [
                "routes/acme.yaml:12:43: warning: route acme-orders can never match: no source yields invoice"
                " (they yield order)"
            ],
        ),
        (
            OLD_TO,
            'to: [{send: notices, if: "true"}]',
            ["routes/acme.yaml:19:30: warning: if: this is always true: it always passes"],
        ),
        (
            OLD_TO,
            "to: [{send: notices, if: 'document == \"order\"'}]",
            ["routes/acme.yaml:19:30: warning: if: this is always false, as `when` fixes its facts: it never passes"],
        ),
        (
            OLD_TO,
            "to: [{send: notices, if: 'partner == \"X\"', unless: 'partner == \"X\"'}]",
            ["routes/acme.yaml:19:10: warning: notices can never be sent to: `if` and `unless` are the same"],
        ),
    ],
)
def test_what_looks_wrong_is_a_warning(said: Said, old: str, new: str, warnings: list[str]) -> None:
    assert said({}, (old, new)) == warnings


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("to: [{send: erp, if: 'total > 5'}]", "to: [{send: erp, unless: 'total > 5'}]"),
        ("to: [{send: erp, if: 'false'}]", "to: [erp]"),
    ],
)
def test_guards_that_exclude_each_other_do_not_overlap(said: Said, first: str, second: str) -> None:
    routes = (
        f"  - id: one\n    when: {{document: order}}\n    {first}\n  - id: two\n    when: {{document: order}}\n   "
        f" {second}\n"
    )
    text = f"format: 1\nowner: me\nroutes:\n{routes}"
    assert not any("may both send" in line and " one and two " in line for line in said({"routes/two.yaml": text}))


def test_names_are_global_across_files(said: Said) -> None:
    other = (
        "format: 1\nowner: me\nsources:\n  shop-orders: {exchange: {name: x}, read: {json: order@1}}\ndestinations:\n "
        " erp: {file: {folder: x}}\n"
    )
    assert said({"routes/b.yaml": other}) == [
        "routes/b.yaml:4:3: error: the source shop-orders is declared twice, first at routes/acme.yaml:7:3",
        "routes/b.yaml:6:3: error: the destination erp is declared twice, first at config/destinations.yaml:1:1",
    ]


def test_one_interchange_id_belongs_to_one_partner(said: Said) -> None:
    bolt = 'partner: BOLT\nids: [{qualifier: "01", id: "043645501"}]\n'
    assert said({"config/partners/bolt.yaml": bolt}) == [
        "config/partners/bolt.yaml:2:7: error: the interchange id 01 043645501 of BOLT is taken already,"
        " at config/partners/acme.yaml:2:7"
    ]


def test_all_errors_of_all_files_are_found_in_one_go(said: Said) -> None:
    found = said(
        {"routes/broken.yaml": "a: [", "config/hub.yaml": "brokr: embedded"},
        ("retry: patient", "retry: patent"),
        ("order.ship_to", "order.shp_to"),
        ("{send: erp", "{send: epr"),
        ("settle: 2s", "setle: 2s"),
    )
    assert [line.split(": error:")[0] for line in found] == [
        "config/destinations.yaml:4:10",
        "config/facts.yaml:1:23",
        "config/hub.yaml:1:1",
        "routes/acme.yaml:5:46",
        "routes/acme.yaml:16:16",
        "routes/broken.yaml:2:1",
    ]


def test_more_than_three_thousand_queues_are_warned_of(said: Said) -> None:
    routes = "".join(
        f"  - {{id: r{n}, when: {{document: invoice, number: '{n}'}}, to: [notices]}}\n" for n in range(700)
    )
    found = said({"routes/many.yaml": f"format: 1\nowner: me\nroutes:\n{routes}"})
    assert any("the site needs more than 3000 queues" in line for line in found)


def test_overlaps_of_many_routes_are_told_in_few_lines(said: Said) -> None:
    routes = "".join(
        f"  - {{id: r{n}, owner: o{n}, when: {{document: order}}, to: [notices, {{send: erp, if: 'total > {n}'}}]}}\n"
        for n in range(60)
    )
    found = [
        line for line in said({"routes/many.yaml": f"format: 1\nowner: me\nroutes:\n{routes}"}) if "may both" in line
    ]
    assert 0 < len(found) <= 60


def test_a_file_that_nobody_reads_is_not_passed_over(said: Said) -> None:
    found = said(
        {"config/destination.yaml": "", "routes/b.yml": "", "routes/sub/c.yaml": "", "routes/fixtures/d.yaml": ""}
    )
    assert found == [
        "config/destination.yaml:1:1: warning: this file is not read (did you mean config/destinations.yaml?)",
        "routes/b.yml:1:1: warning: this file is not read (its name should end in .yaml)",
        "routes/sub/c.yaml:1:1: warning: this file is not read (routes stand in routes/, partners in config/partners/)",
    ]


def test_a_folder_that_cant_be_listed_is_no_empty_one(tmp_path: Path) -> None:
    """As an empty one its routes would be taken away by a reload. Root may list what it likes, so the folder is none
    here."""
    (tmp_path / "config").mkdir()
    routes = tmp_path / "routes"
    routes.write_text("")
    with pytest.raises(ConfigError, match=r"^routes:1:1: error: the folder can't be read: Not a directory$"):
        SiteFolder(tmp_path).files()
    routes.unlink()
    routes.symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"^routes:1:1: error: is a link that leads nowhere$"):
        SiteFolder(tmp_path).files()
    routes.unlink()
    assert SiteFolder(tmp_path).files() == {}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "journal: mysql://db/hub",
            "1:10: error: journal: mysql:// is not supported (a path, sqlite:// or postgresql://)",
        ),
        ("amqp: ${NO_SUCH_BROKER}", "1:7: error: the environment variable NO_SUCH_BROKER is not set"),
        (
            "containment: {memory: 1MB}",
            "1:23: error: containment.memory: '1MB' leaves no room for a piece of work; write at least 16MB",
        ),
        (
            "containment: {in_process_up_to: 2MB}",
            (
                "1:33: error: containment.in_process_up_to: '2MB' would hold up the whole hub while a body of this size"
                " is read; write at most 1MB"
            ),
        ),
        ("containment: {memory: 5}", "1:23: error: containment.memory: 5 has no unit; write it as 500KB, 10MB or 1GB"),
    ],
)
def test_a_mistake_in_the_settings_of_the_hub(text: str, finding: str) -> None:
    checked = check_site({"config/hub.yaml": text.encode()}, Plugins.of(()), {}, lambda name: False)
    assert [str(each) for each in checked.findings] == [f"config/hub.yaml:{finding}"]


def test_a_folder_without_a_site(said: Said) -> None:
    nothing = dict.fromkeys(
        (
            "config/hub.yaml",
            "config/endpoints.yaml",
            "config/policies.yaml",
            "config/facts.yaml",
            "config/partners/acme.yaml",
            "config/destinations.yaml",
            "routes/acme.yaml",
        )
    )
    assert said(nothing) == [
        "config/hub.yaml:1:1: error: there is no site here (a site has config/ and routes/; see --site DIR)"
    ]


NOTHING = (b"", b"{}", b"null")
MUST_SAY = ("config/partners/acme.yaml", "routes/acme.yaml")


@pytest.mark.parametrize(
    "content",
    [
        *NOTHING,
        b"[]",
        b"7",
        b"text",
        b"- a\n- b",
        b"\xff\xfe",
        b"a: b",
        b"format: 1\nroutes: 7\nsources: [1]\n",
        b"x" * 100_000,
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "config/hub.yaml",
        "config/endpoints.yaml",
        "config/policies.yaml",
        "config/facts.yaml",
        "config/partners/acme.yaml",
        "config/destinations.yaml",
        "routes/acme.yaml",
    ],
)
def test_whatever_a_file_holds_is_a_finding_there_and_no_crash(said: Said, name: str, content: bytes) -> None:
    """Without content a file says nothing, where it has to say nothing."""
    found = any(line.startswith(f"{name}:") for line in said({name: content}))
    assert found or (content in NOTHING and name not in MUST_SAY)


@pytest.mark.parametrize(
    "entry", ["7", "[]", "text", "null", "{}", "{when: 7}", "{id: [], to: {}}", "{id: x, to: [7]}", "[[[]]]"]
)
def test_no_route_crashes_the_check(said: Said, entry: str) -> None:
    found = said({"routes/x.yaml": f"format: 1\nowner: me\nroutes:\n  - {entry}\n"})
    assert any(line.startswith("routes/x.yaml:4:") for line in found)

"""What templates can do with a value, and what they say when they can't."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub.core.errors import ConfigError, MappingError
from hub.mapping.site_template import SiteTemplate

UOM = "shop,edi,name\neach,EA,piece\nbox,BX,\n"


def rendered(expression: str, names: Mapping[str, Any] | None = None, table: str = UOM) -> str:
    files = {"t.j2": f"{{{{ {expression} }}}}", "uom.csv": table}
    return SiteTemplate("t.j2", lambda folder, name: files[name]).render(names or {})


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("'2026-03-02T08:15:00+0100' | parse_time", "2026-03-02 08:15:00+01:00"),
        ("'02.03.2026 08:15' | parse_time('%d.%m.%Y %H:%M', 'Europe/Berlin')", "2026-03-02 08:15:00+01:00"),
        ("'02.07.2026 08:15' | parse_time('%d.%m.%Y %H:%M', 'Europe/Berlin')", "2026-07-02 08:15:00+02:00"),
        ("'20260302 0815 +0000' | parse_time('%Y%m%d %H%M %z', 'Europe/Berlin')", "2026-03-02 08:15:00+00:00"),
        ("'2026-03-02' | format_date('%d.%m.%y')", "02.03.26"),
        ("'2026-03-02T23:30:00+00:00' | format_date('%d.%m.%Y %H:%M', 'Europe/Berlin')", "03.03.2026 00:30"),
        ("'02.03.2026' | parse_date('%d.%m.%Y') | format_date('%Y%m%d')", "20260302"),
        ("'A' | pad(3) ~ '|'", "A  |"),
        ("7 | pad(3, '0', 'left')", "007"),
        ("'abc' | pad(3)", "abc"),
        ("'Straße' | cut(5)", "Straß"),
        ("'ab' | cut(5)", "ab"),
        ("'4006381333931' | gtin", "4006381333931"),
        ("' 96385074 ' | gtin", "96385074"),
        ("'036000291452' | gtin", "036000291452"),
        ("'10614141000415' | gtin", "10614141000415"),
        ("400638133393 | check_digit", "1"),
        ("'0' | check_digit", "0"),
        ("'00614141123456789' | check_digit", "0"),
        ("'each' | table('uom')", "EA"),
        ("'each' | table('uom', column='name')", "piece"),
        ("'kilo' | table('uom', default='KG')", "KG"),
        ("'1.234.567,89' | decimal(',', '.')", "1234567.89"),
        ("'-1.234' | decimal(',', '.')", "-1234"),
        ("'9,50' | decimal(',', '.')", "9.50"),
        ("'12345,6' | decimal(',', '.')", "12345.6"),
        ('"1\'234.50" | decimal(".", "\'")', "1234.50"),
        ("'kilo' | table('uom', default=none) or '-'", "-"),
    ],
)
def test_what_they_make(expression: str, shown: str) -> None:
    assert rendered(expression) == shown


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("'2026-03-02 08:15' | parse_time", "found '2026-03-02 08:15', expected a time as %Y-%m-%dT%H:%M:%S%z"),
        ("'02.03.2026' | parse_time('%d.%m.%Y')", "'02.03.2026' says not in which time zone"),
        ("'02.03.2026' | parse_time('%d.%m.%Y', 'Europe/Berlon')", "Europe/Berlon"),
        ("'31.02.2026' | parse_date('%d.%m.%Y')", "found '31.02.2026', expected a date as %d.%m.%Y"),
        ("'soon' | format_date", "found 'soon', expected a date"),
        ("7 | format_date", "found 7, expected a date"),
        ("'2026-03-02' | format_date('%d', 'Europe/Berlin')", "is no moment with a time zone"),
        ("'abcd' | pad(3)", "found 'abcd' with 4 characters, expected at most 3"),
        ("'a' | pad(3, 'xy')", "pad takes a width up to 10000, one character"),
        ("'a' | pad(3, ' ', 'middle')", "left or right"),
        ("'a' | pad(100000000)", "pad takes a width up to 10000"),
        ("'4006381333932' | gtin", "found the GTIN 4006381333932 with the check digit 2, expected 1"),
        ("'400638133393' | gtin", "with the check digit 3"),
        ("'40063813339' | gtin", "expected a GTIN of 8, 12, 13 or 14 digits"),
        ("'４００６３８１３' | gtin", "expected a GTIN"),
        ("'12x' | check_digit", "found '12x', expected digits"),
        ("'' | check_digit", "found '', expected digits"),
        ("('1' * 18) | check_digit", "expected digits"),
        ("'eech' | table('uom')", "the table uom has no 'eech' (did you mean each?)"),
        ("'each' | table('uom', column='edj')", "the table uom has no column 'edj'; it has shop, edi, name"),
        ("'1,5' | decimal", "found '1,5', expected a number"),
        ("'1.5' | decimal(',')", "expected a number with ',' before its decimals"),
        ("'9.50' | decimal(',', '.')", "found '9.50', expected a number with '.' between groups of three digits"),
        ("'1.2.3,5' | decimal(',', '.')", "expected a number with '.' between groups of three digits"),
        ("'1234.567' | decimal(',', '.')", "expected a number with '.' between groups of three digits"),
        ("'1.2e5' | decimal(',', '.')", "expected a number with '.' between groups of three digits"),
        ("'.500' | decimal(',', '.')", "expected a number with '.' between groups of three digits"),
        ("'1.234,5.6' | decimal(',', '.')", "expected a number with ',' before its decimals"),
        ("'٣' | decimal", "found '٣', expected a number"),
        ("'1e300000000' | decimal", "found '1e300000000', expected a number"),
        ("'NaN' | decimal", "found 'NaN', expected a number"),
        ("gone | pad(3)", "'gone' is undefined"),
    ],
)
def test_what_is_wrong_is_said_with_the_template_s_line(expression: str, wrong: str) -> None:
    with pytest.raises(MappingError) as caught:
        rendered(expression)
    assert str(caught.value).startswith("t.j2: line 1: ")
    assert wrong in str(caught.value)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ("shop\neach\n", "config/tables/uom.csv: line 1 should name two columns or more, each once"),
        ("shop,shop\neach,EA\n", "line 1 should name two columns or more, each once"),
        ("shop,edi\neach\n", "line 2 has 1 values, expected 2"),
        ("shop,edi\neach,EA\neach,PC\n", "line 3: 'each' stands there twice"),
        ('shop,edi\n"each,EA\n', "line 2: unexpected end of data"),
        ("", "line 1 should name two columns"),
    ],
)
def test_a_table_that_is_none_is_found_when_the_template_is_loaded(table: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        rendered("'each' | table('uom')", table=table)


def test_the_name_of_a_table_is_written_out() -> None:
    with pytest.raises(ConfigError, match="`table` takes the name of a file of config/tables, written out"):
        rendered("'each' | table(name)")

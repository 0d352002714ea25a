"""One thing wrong in a file of each set: what is found, and where."""

from __future__ import annotations

import pytest

from tests.golden.x12_files import FIXTURES, read

# file: what is replaced by what, and the error: code, segment, element
WRONG: dict[str, tuple[str, str, tuple[str, str, str | None]]] = {
    "180-return": ("BLI*UK*10043841230125*12*CA", "BLI*UK*10043841230125**CA", ("2", "BLI[20]", "BLI03")),
    "204-load-tender": ("S5*2*CU*1980*L", "S5*2*CU*1980", ("2", "S5[30]", "S504")),
    "210-freight": ("*20260306*91830*", "*20260306**", ("1", "B3[2]", "B307")),
    "816-organizations": ("HL*3*1*36", "HL*2*1*36", ("7", "HL[22]", "HL01")),
    "830-forecast": ("FST*96*D*W*20260316", "FST*96*D*W*20260332", ("8", "FST[27]", "FST04")),
    "852-activity": ("ZA*QP*60*CA", "ZA*QP**CA", ("2", "ZA[17]", "ZA02")),
    "857-ship-bill": ("G05*180*CA*1980*LB", "G05*180*CA*1980", ("2", "G05[4]", "G0504")),
    "861-receiving-advice": ("DTM*050*20260311*1000~\n", "", ("7", "PRF[7]", None)),
    "862-shipping-schedule": ("UIT*CA~\nPKG", "PKG", ("7", "PKG[9]", None)),
    "867-transfer": ("PTD*SS~\n", "PTD*SS***IV~\n", ("2", "PTD[27]", "PTD05")),
    "870-status": ("HL*3*1*I", "HL*3*7*I", ("7", "HL[26]", "HL02")),
    "875-order": ("G68*24*CA", "G68*24*", ("1", "G68[16]", "G6802")),
    "880-invoice": ("G33*91560~\n", "", ("3", "G33[25]", None)),
    "943-stock-transfer": ("W27*M*CLHL*CASCADE HAUL", "W27*M**", ("2", "W27[13]", "W2702")),
    "944-stock-receipt": ("W17*F*20260304*RC-5120", "W17*F*20260304*", ("1", "W17[2]", "W1703")),
    "990-response": ("B1*CLHL*SH-88120*", "B1*CLHL**", ("1", "B1[2]", "B102")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_where_it_is(name: str) -> None:
    old, new, expected = WRONG[name]
    text = (FIXTURES / f"{name}.edi").read_text()
    assert text.count(old) == 1
    lines = text.replace(old, new).splitlines()
    start, end = (next(n for n, line in enumerate(lines) if line.startswith(each)) for each in ("ST*", "SE*"))
    lines[end] = f"SE*{end - start + 1}*0001~"
    (reading,) = read("\n".join(lines).encode())
    assert reading.error is not None
    assert (reading.error.x12_code, reading.error.segment, reading.error.element) == expected

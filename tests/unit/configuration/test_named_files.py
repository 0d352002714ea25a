"""Keys, certificates and authorities that options name: the check says which is not there, before a source fails over
it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder

HOST_KEY = '"SHA256:uNiVztksCsDhcc0u9e8BrYPjmYvZPvoFYvJbS0cYxCs"'
ENDPOINTS = {
    "web: {http: {tls: {certificate: $}}}": "config/none.pem",
    "web: {http: {tls: {certificate: config/there.pem, key: $}}}": "config/none.pem",
    "web: {http: {tls: {certificate: config/there.pem, client_ca: $}}}": "config/none.pem",
    "erp: {rest: {base: 'https://erp.example', tls: {ca: $}}}": "config/none.pem",
    "far: {amqp: {url: 'amqps://far.example/', ca: $}}": "config/none.pem",
    "post: {mail: {host: mail.example, ca: $}}": "config/none.pem",
    f"acme: {{sftp: {{host: h, user: u, host_key: {HOST_KEY}, key: $}}}}": "${KEY_FILE}",
}


@pytest.mark.parametrize(("endpoint", "name"), ENDPOINTS.items(), ids=lambda text: text.split(":")[0])
def test_a_file_that_is_not_there_is_a_warning_at_its_place(endpoint: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/there.pem").touch()
    environ = {"KEY_FILE": str(tmp_path / "secret-place")}

    def said(file: str) -> list[str]:
        (tmp_path / "config/endpoints.yaml").write_text(endpoint.replace("$", f'"{file}"', 1) + "\n")
        found = SiteFolder(tmp_path).check(discover(), environ).findings
        return [str(each) for each in found if "used by nothing" not in each.text]

    place = f"config/endpoints.yaml:1:{endpoint.index('$') + 1}"
    told = f"there is no file {name} on this host (a relative path begins at the site's folder)"
    assert said(name) == [f"{place}: warning: {told}"]
    assert said(str(tmp_path / "config/there.pem")) == []
    assert said("config/there.pem") == []

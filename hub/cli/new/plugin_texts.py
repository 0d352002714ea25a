"""The files of a distribution of one plug-in, as templates: `$name` is the plug-in's name, `$module` its module,
`$Noun` its class."""

from __future__ import annotations

from string import Template

from hub.cli.new.adapter_texts import DESTINATION, DESTINATION_TEST, SOURCE, SOURCE_TEST
from hub.cli.new.transformer_texts import READER, READER_TEST, WRITER, WRITER_TEST

PYPROJECT = Template("""\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "$distribution"
version = "0.1.0"
description = "The $kind `$name` of the mediation hub"
requires-python = ">=3.11"
classifiers = ["Private :: Do Not Upload"]
dependencies = []  # what the plug-in imports beside the hub, which is there already

[project.entry-points."$group"]
"$kind-$name" = "$module"

[tool.setuptools]
py-modules = ["$module"]

[tool.pytest.ini_options]
testpaths = ["tests"]
""")

README = Template("""\
# $distribution

The $kind `$name` of the mediation hub, a distribution of its own. `$module.py` is the plug-in, `tests/` its contract: what the hub
promises about every $kind, checked on this one.

In the environment in which the hub is installed (without a network: `pip install --no-build-isolation -e .`, with setuptools 77 or newer there):

    pip install -e .
    pytest
    hub check --site DIR

In a file of the site:

```yaml
$usage```

`hub schema --write config/schemas` tells editors of its options.
""")

USAGES = {
    "source": """\
# routes/NAME.yaml
format: 1
owner: order-desk
sources:
  my-inbox:
    $name: {folder: var/$name}
    read: {json: order@1}
""",
    "destination": """\
# config/destinations.yaml
my-outbox:
  $name: {folder: var/$name}
""",
    "reader": """\
# routes/NAME.yaml
format: 1
owner: order-desk
sources:
  my-inbox:
    file: {folder: var/drop}
    read: {$name: {partner: ACME}}
""",
    "writer": """\
# config/destinations.yaml
my-outbox:
  file: {folder: var/outbox, name: "{number}.txt"}
  write: {$name: {separator: ";"}}
""",
}

CODE = {
    "source": (SOURCE, SOURCE_TEST),
    "destination": (DESTINATION, DESTINATION_TEST),
    "reader": (READER, READER_TEST),
    "writer": (WRITER, WRITER_TEST),
}
"""The module and its contract test, by kind."""

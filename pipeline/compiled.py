"""What Python does not compile itself, compiled ahead: YAML, rules, templates, marts' SQL.

`make env` and the image run it after Python's own compiler (``python -m pipeline.compiled``); without it,
or after a file changed, everything works and takes 0.1 s longer in each process, a first
refresh some seconds.

Belongs here: that command. Does not belong here: how things are kept (``beside``, ``site.render``).
"""

from __future__ import annotations

from pipeline.classify.own_rules import keep_rules
from pipeline.marts.columns import keep_columns
from pipeline.site.render import compile_templates
from pipeline.yaml_text import keep_parsed


def main() -> None:
    """Keep all of it beside the compiled modules."""
    keep_parsed()
    keep_rules()
    compile_templates()
    keep_columns()


if __name__ == "__main__":
    main()

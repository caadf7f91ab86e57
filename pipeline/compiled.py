"""What Python does not compile itself, compiled ahead: YAML files parsed, templates of pages as code.

`make env` and the image run it after Python's own compiler (``python -m pipeline.compiled``); without it,
or after a file changed, everything works and takes 0.1 s longer in each process.

Belongs here: that command. Does not belong here: how either is kept (``yaml_text``, ``site.render``).
"""

from __future__ import annotations

from pipeline.site.render import compile_templates
from pipeline.yaml_text import keep_parsed


def main() -> None:
    """Keep both beside the compiled modules."""
    keep_parsed()
    compile_templates()


if __name__ == "__main__":
    main()

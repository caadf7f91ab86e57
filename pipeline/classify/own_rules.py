"""The rule book of this package: the one of its own files, kept beside its compiled modules.

The files are checked by Pydantic (``rule_files``). It takes 0.07 s of every process to load that library and
check all rules again, so ``make env`` keeps the book (``pipeline.compiled``). What is kept names the files
and the code it was made of: for others, or damaged, it is not taken, and the files are read and checked.

Belongs here: where the files lie, keeping and finding the book. Does not belong here: what stands in it
(``rulebook``) or reading the files (``rule_files``).
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline.beside import keep, kept
from pipeline.classify.rulebook import RuleBook, RuleFileError, rule_files, version_of

RULES_FOLDER = Path(__file__).parent / "rules"


def load_rules(folder: Path = RULES_FOLDER) -> RuleBook:
    """Read and check every rule file of a folder.

    Args:
        folder: where the `*.yaml` lie; files are read in the order of their names.

    Returns:
        The rule book.

    Raises:
        RuleFileError: a file is not valid, or an id is used twice. Whether the rules do what their
            examples say is for :func:`prove_rules`.
    """
    from pipeline.classify.rule_files import read_rules  # loads Pydantic

    return read_rules(folder)


def prove_rules(folder: Path = RULES_FOLDER) -> RuleBook:
    """Read the rule files of a folder, and try every rule on its own examples.

    Those of this package are taken as proved where they are kept.

    Raises:
        RuleFileError: as :func:`load_rules`, or a rule does not do what it is meant to.
    """
    book = kept(folder, _told()) if folder == RULES_FOLDER else None
    if isinstance(book, RuleBook):
        return book
    from pipeline.classify.proof import faults  # loads what classifies

    book = load_rules(folder)
    wrong = list(faults(book))
    if wrong:
        rule_id, what = wrong[0]
        more = f" (and {len(wrong) - 1} more such faults)" if len(wrong) > 1 else ""
        raise RuleFileError(f"{_file_of(rule_id, folder)}, rule {rule_id!r}: {what}{more}")
    return book


def _file_of(rule_id: str, folder: Path) -> str:
    """The name of the file that a rule stands in."""
    said = re.compile(rf"\bid['\"]?\s*:\s*['\"]?{re.escape(rule_id)}(?![\w.])")
    texts = ((path.name, path.read_text(encoding="utf-8")) for path in rule_files(folder))
    return next((name for name, text in texts if said.search(text)), "rules")


@cache
def default_rules() -> RuleBook:
    """The rule book of this package, found once per process."""
    book = kept(RULES_FOLDER, _told())
    return book if isinstance(book, RuleBook) else load_rules()


def keep_rules() -> None:
    """Keep the rule book of this package, checked and proved."""
    book = load_rules()
    prove_rules()
    keep(RULES_FOLDER, _told(), book)


def _told() -> str:
    """What the book depends on: the files, what checks them, and the library."""
    names = ("rulebook", "rule_files", "proof")
    code = [Path(__file__).with_name(f"{name}.py") for name in names]
    return f"{version_of(rule_files(RULES_FOLDER))} {version_of(code)} {version('pydantic')}"

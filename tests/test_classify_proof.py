"""A rule that does not do what its author meant is refused with its file and name, and moves no figure."""

import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.classify import RuleFileError, own_rules
from pipeline.classify.own_rules import RULES_FOLDER, load_rules, prove_rules
from pipeline.cli import app
from pipeline.yaml_text import YamlError, parse_yaml

MINE = "expense_type_9_mine.yaml"


SMALL = {
    "suppliers.yaml": """
title: Suppliers
suppliers:
- {id: supplier.softcat, name: Softcat, names: [SOFTCAT], kind: reseller, category: devices,
   example: Softcat plc, counter_example: Soft Toys Ltd}
""",
    "expense_type.yaml": """
title: Types
pass: expense_type
rules:
- {id: type.hosting, effect: "yes", category: hosting, pattern: 'DATA CENTRE', example: Data centre,
   counter_example: Health centre}
""",
    "rulings.yaml": """
title: Rulings
rulings:
- {id: digital, expense_type: ["yes"], digital: "yes", decided_by: expense_type, confidence: 0.9,
   example: {expense_type: Data centre}, counter_example: {expense_type: Rent}}
- {id: rest, digital: "no", decided_by: default, confidence: 0.9, example: {expense_type: Rent},
   counter_example: {expense_type: Data centre}}
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    for name, text in SMALL.items():
        (made / name).write_text(text)
    return made


def rule(**changes: object) -> dict[str, object]:
    plain = {"id": "type.zorb", "effect": "yes", "category": "hosting", "pattern": "ZORB"}
    return plain | {"example": "Zorb", "counter_example": "Other thing"} | changes


def write(folder: Path, *rules: dict[str, object], rule_pass: str = "expense_type") -> None:
    content = {"title": "Mine", "pass": rule_pass, "rules": list(rules)}
    (folder / MINE).write_text(yaml.safe_dump(content))


def supplier(**changes: object) -> dict[str, object]:
    plain = {"id": "supplier.zorb", "name": "Zorb", "names": ["ZORB"], "kind": "reseller"}
    return plain | {"example": "Zorb Ltd", "counter_example": "Xyz Ltd"} | changes


def refused(folder: Path) -> str:
    with pytest.raises(RuleFileError) as error:
        prove_rules(folder)
    return str(error.value)


def test_the_rules_of_the_package_prove_themselves(tmp_path):
    folder = tmp_path / "rules"
    shutil.copytree(RULES_FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert prove_rules(folder).version == load_rules(folder).version


def test_a_sound_rule_is_taken_with_windows_line_ends_and_a_mark_of_order(folder):
    write(folder, rule())
    text = (folder / MINE).read_text()
    (folder / MINE).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert "type.zorb" in {r.id for r in prove_rules(folder).text["expense_type"]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pattern": "QQQ"}, "does not match its example, which is searched as 'ZORB'"),
        ({"pattern": "zorb"}, "does not match its example"),
        ({"pattern": ".*"}, "matches its counter-example"),
        ({"pattern": ""}, "matches its counter-example"),
        ({"pattern": "(?=ZORB)Z"}, "none of Rust's"),
        ({"pattern": "(Z{1,1000}){1,1000}"}, "none of Rust's"),
        ({"pattern": "(Z+)+ORB"}, "may take hours"),
        ({"effect": None}, "needs 'effect'"),
        ({"nature": "capital"}, "use the pass 'nature'"),
        ({"example": "Zorb data centre"}, "stands before it and decides its example"),
    ],
)
def test_a_rule_that_does_not_do_what_it_says_is_refused(changes, says, folder):
    write(folder, rule(**changes))
    said = refused(folder)
    assert said.startswith(f"{MINE}, rule 'type.zorb': ")
    assert says in said


def test_a_rule_of_nature_that_tells_none_is_refused(folder):
    write(folder, rule(), rule_pass="nature")
    assert "needs 'nature'" in refused(folder)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"names": ["Zorb Ltd"]}, "never found; names are written like 'ZORB'"),
        ({"names": [""]}, "never found"),
        ({"names": ["ZORB"], "example": "Blorb Ltd"}, "its example is not found by it"),
        ({"names": ["ZORB"], "counter_example": "Zorb plc"}, "its counter-example is found by it"),
    ],
)
def test_a_supplier_that_is_never_found_is_refused(changes, says, folder):
    content = {"title": "Mine", "suppliers": [supplier(**changes)]}
    (folder / "suppliers_9_mine.yaml").write_text(yaml.safe_dump(content))
    said = refused(folder)
    assert said.startswith("suppliers_9_mine.yaml, rule 'supplier.zorb': ")
    assert says in said


def test_a_supplier_that_another_entry_has_is_refused(folder):
    content = {"title": "Mine", "suppliers": [supplier(names=["SOFTCAT"], example="Softcat plc")]}
    (folder / "suppliers_9_mine.yaml").write_text(yaml.safe_dump(content))
    assert "the name 'SOFTCAT' also stands in 'supplier.softcat'" in refused(folder)


def test_a_ruling_that_holds_for_everything_may_only_be_the_last(folder):
    text = yaml.safe_load((folder / "rulings.yaml").read_text())
    text["rulings"].insert(0, {**text["rulings"][-1], "id": "all"})
    (folder / "rulings.yaml").write_text(yaml.safe_dump(text))
    assert refused(folder).startswith("rulings.yaml, rule 'all': its counter-example is decided")


def test_a_ruling_that_asks_for_a_word_no_rule_says_is_refused(folder):
    text = yaml.safe_load((folder / "rulings.yaml").read_text())
    text["rulings"][0]["expense_type"] = ["balanse"]
    (folder / "rulings.yaml").write_text(yaml.safe_dump(text))
    assert "no rule has the effect 'balanse'" in refused(folder)


def test_without_rulings_nothing_is_classified(folder):
    (folder / "rulings.yaml").unlink()
    assert "the last ruling must hold for every line" in refused(folder)


@pytest.mark.parametrize("name", ["mine.yml", "mine.csv", "mine.xlsx", "Mine.YAML"])
def test_a_file_that_would_not_be_read_is_named(name, folder):
    (folder / name).write_text("id,pattern\n")
    assert refused(folder).startswith(f"{name} is no rule file")


@pytest.mark.parametrize("name", [".DS_Store", "nature.yaml~"])
def test_what_programs_leave_behind_is_no_rule_file(name, folder):
    (folder / name).write_text("x")
    assert prove_rules(folder)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_file_in_another_encoding_is_named(encoding, folder):
    (folder / MINE).write_bytes("title: Größe\n".encode(encoding))
    assert refused(folder).startswith(f"{MINE} is no UTF-8 YAML file")


@pytest.mark.parametrize(
    "content", ["title: T\nsuppliers: []\n", "title: T\npass: nature\nrules: []\n"]
)
def test_a_file_without_rules_is_named(content, folder):
    (folder / MINE).write_text(content)
    assert refused(folder).startswith(f"{MINE}: it holds no ")


def test_what_is_wrong_is_told_with_the_rule_it_is_in(folder):
    write(folder, rule(), rule(id="type.zorb2", pattern="ZZORB", kategory="x"))
    assert refused(folder).startswith(f"{MINE}, rule 'type.zorb2': rules.1.kategory: ")


def test_codes_of_trusts_in_small_letters_are_refused(folder):
    write(folder, rule(seen_in=["rj1"]))
    assert "seen_in" in refused(folder)


def test_a_key_given_twice_is_refused():
    with pytest.raises(YamlError, match="the key 'b' twice"):
        parse_yaml("a: 1\nc: {b: 1, b: 2}\n")
    assert parse_yaml("a: &x {b: 1}\nc: {<<: *x, b: 2}\n")["c"] == {"b": 2}


def test_a_refresh_ends_with_the_rule_and_no_traceback(folder, tmp_path, monkeypatch):
    write(folder, rule(pattern="QQQ"))
    monkeypatch.setattr(own_rules, "RULES_FOLDER", folder)
    monkeypatch.setattr(own_rules.prove_rules, "__defaults__", (folder,))
    raw = tmp_path / "raw" / "spend_over_25k" / "RZZ"
    raw.mkdir(parents=True)
    (raw / "April 2023.csv").write_text("Date,Supplier,Amount\n13/04/2023,Fern Ltd,26000.00\n")
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["refresh", "--raw", str(tmp_path / "raw"), "--out", str(out)])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert f"Failed: {MINE}, rule 'type.zorb': its pattern does not match" in done.stderr
    assert not (out / "current").exists()

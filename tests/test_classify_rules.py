"""Every rule proves itself: its example matches, its counter-example does not."""

from dataclasses import asdict

import polars as pl
import pytest
import yaml

from pipeline.classify import (
    RULES_VERSION,
    RuleFileError,
    classify,
    default_rules,
    evidence,
    load_rules,
)
from pipeline.classify.evidence import first_match, label_forms
from pipeline.classify.own_rules import RULES_FOLDER
from pipeline.classify.suppliers import supplier_evidence
from pipeline.classify.text import canonical_supplier, normal_label, trading_name

BOOK = default_rules()


def _form(text: str, rule_pass: str) -> str:
    if rule_pass == "supplier_words":
        return canonical_supplier(pl.Series([text])).item()
    return pl.DataFrame({"t": [text]}).select(normal_label(pl.col("t"))).item()


@pytest.mark.parametrize("rule_pass", sorted(BOOK.text))
def test_each_text_rule_matches_its_example_and_not_its_counter_example(rule_pass):
    wrong = []
    for rule in BOOK.text[rule_pass]:
        forms = pl.Series([_form(rule.example, rule_pass), _form(rule.counter_example, rule_pass)])
        if first_match(forms, [rule]).to_list() != [0, None]:
            wrong.append((rule.id, forms.to_list(), first_match(forms, [rule]).to_list()))
    assert not wrong


@pytest.mark.parametrize("rule_pass", sorted(BOOK.text))
def test_each_text_rule_decides_its_own_example_before_later_rules(rule_pass):
    rules = BOOK.text[rule_pass]
    forms = pl.Series([_form(rule.example, rule_pass) for rule in rules])
    decided = first_match(forms, rules).to_list()
    hidden = {
        rules[number].id: rules[found].id if found is not None else None
        for number, found in enumerate(decided)
        if found != number
    }
    assert not hidden


@pytest.mark.parametrize("rule_pass", sorted(BOOK.text))
def test_few_texts_and_many_are_answered_alike(rule_pass, monkeypatch):
    rules = BOOK.text[rule_pass]
    told = [text for r in rules for text in (r.example, r.counter_example)]
    forms = pl.Series(["", *(_form(text, rule_pass) for text in told)])
    found = []
    for few in (0, len(forms)):
        monkeypatch.setattr(evidence, "_FEW", few)
        found.append(first_match(forms, rules).to_list())
    assert found[0] == found[1]
    assert found[0][0] is None
    assert len(set(found[0])) > len(rules) / 2


def test_each_supplier_is_found_by_its_example_and_not_by_its_counter_example():
    examples = pl.Series([rule.example for rule in BOOK.suppliers])
    counters = pl.Series([rule.counter_example for rule in BOOK.suppliers])
    found = supplier_evidence(examples, BOOK.suppliers, ())["rule_id"].to_list()
    refused = supplier_evidence(counters, BOOK.suppliers, ())["rule_id"].to_list()
    wrong = [
        (rule.id, rule.example, got)
        for rule, got in zip(BOOK.suppliers, found, strict=True)
        if got != rule.id
    ]
    taken = [
        (rule.id, rule.counter_example)
        for rule, got in zip(BOOK.suppliers, refused, strict=True)
        if got == rule.id
    ]
    assert not wrong
    assert not taken


def test_the_last_line_of_a_label_is_found_where_there_is_one():
    values = pl.Series(["(83610) Drugs\nI.T. hardware", "Rates & gas ", None, "", "a\r\n", "I T"])
    last, whole = (
        values.to_frame("t").select(normal_label(pl.col("t"), last_line=wrapped)).to_series()
        for wrapped in (True, False)
    )
    found = label_forms(values)
    assert found["last"].to_list() == last.to_list()
    assert found["whole"].to_list() == whole.to_list()
    assert found["last"].to_list() == ["IT HARDWARE", "RATES AND GAS", "", "", "A", "IT"]


def test_a_trading_name_is_what_follows_the_words_for_it():
    values = [
        "Fern Ltd T/A Bright Care Ltd",
        "fern trading as moss",
        "Fern Ltd",
        None,
        "A\nB T/A C",
    ]
    assert trading_name(pl.Series(values)).to_list() == ["BRIGHT CARE", "MOSS", "", "", "C"]
    bare = ["Fern Ltd", "LTD", "(Fern)", "12345 : Fern", None, "A\nThe Fern Limited", "&"]
    expected = ["FERN", "LTD", "FERN", "FERN", "", "FERN", "AND"]
    assert canonical_supplier(pl.Series(bare)).to_list() == expected


def test_supplier_names_are_written_in_canonical_form_and_stand_once():
    names = pl.DataFrame({"name": [name for rule in BOOK.suppliers for name in rule.names]})
    canonical = canonical_supplier(names["name"])
    assert names.filter(pl.col("name") != canonical)["name"].to_list() == []
    assert names.filter(pl.col("name").is_duplicated())["name"].to_list() == []


def test_each_ruling_decides_its_example_and_not_its_counter_example():
    columns = ["expense_type", "expense_area", "supplier", "description"]

    def decided_by(kind: str) -> list[str]:
        lines = pl.DataFrame(
            [asdict(getattr(ruling, kind)) for ruling in BOOK.rulings],
            schema=dict.fromkeys(columns, pl.String),
        )
        return [rule_id.split(":")[0] for rule_id in classify(lines)["rule_id"]]

    pairs = zip(BOOK.rulings, decided_by("example"), decided_by("counter_example"), strict=True)
    wrong = [(r.id, yes, no) for r, yes, no in pairs if yes != r.id or no == r.id]
    assert not wrong


def test_the_last_ruling_holds_for_everything():
    last = BOOK.rulings[-1]
    assert last.digital == "no"
    assert (*last.expense_type, *last.expense_area, *last.supplier, *last.description) == ()


def test_a_rule_without_a_counter_example_does_not_load(tmp_path):
    rule = {"id": "a.b", "pattern": "X", "effect": "yes", "example": "XX"}
    content = {"title": "T", "pass": "expense_type", "rules": [rule]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(RuleFileError, match=r"(?s)a\.yaml.*counter_example"):
        load_rules(tmp_path)


def test_a_rule_with_an_unknown_key_does_not_load(tmp_path):
    rule = {"id": "a.b", "pattern": "X", "example": "XX", "counter_example": "YY", "effekt": "yes"}
    content = {"title": "T", "pass": "expense_type", "rules": [rule]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(RuleFileError, match="effekt"):
        load_rules(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Has Blanks"),
        ("confidence", 1.2),
        ("example", "X"),
        ("pattern", "(open"),
        ("effect", "perhaps"),
        ("seen_in", "RA1"),
    ],
)
def test_a_value_a_rule_may_not_have_is_told_with_its_field(field, value, tmp_path):
    rule = {"id": "a.b", "pattern": "X", "example": "XX", "counter_example": "YY", field: value}
    content = {"title": "T", "pass": "expense_type", "rules": [rule]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(
        RuleFileError, match=rf"(?s)a\.yaml.*rules\.0.*{'open' if field == 'pattern' else field}"
    ):
        load_rules(tmp_path)


def test_a_supplier_without_names_does_not_load(tmp_path):
    rule = {"id": "a.b", "names": [], "kind": "other", "example": "XX", "counter_example": "YY"}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"title": "T", "suppliers": [rule]}))
    with pytest.raises(RuleFileError, match="names"):
        load_rules(tmp_path)


def test_two_rules_with_one_id_do_not_load(tmp_path):
    rule = {"id": "a.b", "pattern": "X", "example": "XX", "counter_example": "YY"}
    content = {"title": "T", "pass": "nature", "rules": [rule, rule]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(RuleFileError, match="used twice"):
        load_rules(tmp_path)


def test_the_rules_version_changes_with_any_rule(tmp_path):
    for path in RULES_FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert load_rules(tmp_path).version == RULES_VERSION
    changed = tmp_path / "nature.yaml"
    changed.write_text(changed.read_text() + "# a remark\n")
    assert load_rules(tmp_path).version != RULES_VERSION


def test_leaving_a_trust_out_drops_exactly_the_rules_only_its_files_suggested():
    everything = [r for rules in BOOK.text.values() for r in rules] + list(BOOK.suppliers)
    code = next(r.seen_in[0] for r in everything if len(r.seen_in) == 1)
    left = BOOK.without(code)
    kept = {r.id for rules in left.text.values() for r in rules} | {r.id for r in left.suppliers}
    dropped = {r.id for r in everything} - kept
    assert dropped == {r.id for r in everything if set(r.seen_in) == {code}}
    assert dropped

-- Lines and pounds of the payments that count, added up once, so that no mart reads the lines again.
-- Grain: one trust, financial year, month, answer (yes, possible, no), category, nature and set of flags.
-- Each sum is of one trust and one year, so those of trusts whose payments did not change can be kept.
select
    organisation_code,
    financial_year,
    month,
    digital,
    category,
    nature,
    is_balance_sheet,
    is_duplicate,
    count(*) as lines,
    count(expense_type) as typed_lines,
    sum(amount_gbp) as amount_gbp
from facts.payment
where not is_superseded
group by organisation_code, financial_year, month, digital, category, nature, is_balance_sheet, is_duplicate

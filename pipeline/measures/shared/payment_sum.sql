-- What was published, per trust and financial year, without balance-sheet, duplicate and superseded lines.
select
    organisation_code,
    financial_year,
    sum(amount_gbp)::double as published_gbp,
    coalesce(sum(amount_gbp) filter (where counted_as = 'yes'), 0)::double as digital_gbp,
    coalesce(sum(amount_gbp) filter (where counted_as = 'possible'), 0)::double as possible_gbp,
    sum(typed_lines) > 0 as has_expense_type
from measures.payment_cell
where not is_balance_sheet and not is_duplicate
group by organisation_code, financial_year

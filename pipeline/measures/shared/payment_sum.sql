-- What was published, per trust and financial year, without balance-sheet, duplicate and superseded lines.
select
    organisation_code,
    financial_year,
    sum(amount_gbp)::double as published_gbp,
    coalesce(sum(amount_gbp) filter (where digital = 'yes' and category is distinct from 'print_records'), 0)::double as digital_gbp,
    coalesce(sum(amount_gbp) filter (where digital = 'possible' or (digital = 'yes' and category = 'print_records')), 0)::double as possible_gbp,
    count(*) filter (where expense_type is not null) > 0 as has_expense_type
from facts.payment
where not is_balance_sheet and not is_duplicate and not is_superseded
group by organisation_code, financial_year

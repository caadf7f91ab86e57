-- Published payments added up once, so that no mart reads the lines again.
-- Grain: one trust, month, answer (yes, possible, no), category, nature and set of flags.
-- counted_as is the answer that counts: categories for upper bounds only are never more than possible.
select
    p.organisation_code,
    p.financial_year,
    p.month,
    p.digital,
    case
        when p.digital = 'yes' and coalesce(c.upper_bound_only, false) then 'possible'
        else p.digital
    end as counted_as,
    p.category,
    p.nature,
    p.is_balance_sheet,
    p.is_duplicate,
    p.lines,
    p.typed_lines,
    p.amount_gbp
from (
    select
        organisation_code, financial_year, month, digital, category, nature, is_balance_sheet, is_duplicate,
        count(*) as lines,
        count(expense_type) as typed_lines,
        sum(amount_gbp) as amount_gbp
    from facts.payment
    where not is_superseded
    group by organisation_code, financial_year, month, digital, category, nature, is_balance_sheet, is_duplicate
) as p
left join dims.category as c using (category)

-- Published payments added up, with the answer that counts.
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
from measures.payment_by_answer as p
left join dims.category as c using (category)

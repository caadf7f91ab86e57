-- Digital payments by trust, financial year and supplier. years_paid counts the years, of the four that end
-- with the row's year, in which the trust paid the supplier more than it got back.
with paid as (
    select
        p.organisation_code,
        p.financial_year,
        left(p.financial_year, 4)::integer as year,
        coalesce(nullif(trim(p.supplier_canonical), ''), '(no supplier published)') as supplier,
        sum(p.amount_gbp) as amount_gbp,
        count(*) as lines,
        coalesce(sum(p.amount_gbp) filter (where p.category = 'epr'), 0) as epr_gbp
    from facts.payment as p
    left join dims.category as c using (category)
    where p.digital = 'yes' and not coalesce(c.upper_bound_only, false)
        and not p.is_balance_sheet and not p.is_duplicate and not p.is_superseded
    group by all
)
select
    *,
    count(*) filter (where amount_gbp > 0) over (
        partition by organisation_code, supplier order by year range between 3 preceding and current row
    ) as years_paid
from paid

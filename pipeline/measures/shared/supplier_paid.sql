-- Digital payments by trust, financial year and supplier. years_paid counts the years, of the four that end
-- with the row's year, in which the trust paid the supplier more than it got back.
with paid as (
    select
        n.organisation_code,
        n.financial_year,
        left(n.financial_year, 4)::integer as year,
        coalesce(nullif(trim(n.supplier_canonical), ''), '(no supplier published)') as supplier,
        sum(n.amount_gbp) as amount_gbp,
        sum(n.lines)::bigint as lines,
        coalesce(sum(n.amount_gbp) filter (where n.category = 'epr'), 0) as epr_gbp
    from measures.payment_by_supplier as n
    left join dims.category as c using (category)
    where not coalesce(c.upper_bound_only, false)
    group by all
)
select
    *,
    count(*) filter (where amount_gbp > 0) over (
        partition by organisation_code, supplier order by year range between 3 preceding and current row
    ) as years_paid
from paid

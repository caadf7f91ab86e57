-- marts.spend_mix
-- Grain: one trust, financial year, answer to "is it digital", category and nature.
-- Question: which kinds of digital spending, how much on the basics, how much capital?
-- Caveat: published payments only, without balance-sheet lines, exact repeats and replaced files.
with summed as (
    select
        organisation_code,
        financial_year,
        -- print and paper records count in upper bounds only, whatever the line says
        counted_as as digital,
        coalesce(category, 'software_unspecified') as category,
        nature,
        sum(amount_gbp) as amount_gbp,
        sum(lines)::bigint as lines
    from measures.payment_cell
    where counted_as in ('yes', 'possible') and not is_balance_sheet and not is_duplicate
    group by organisation_code, financial_year, counted_as, coalesce(category, 'software_unspecified'), nature
)
select
    s.organisation_code,
    o.name as organisation_name,
    s.financial_year,
    s.digital,
    s.category,
    s.nature,
    coalesce(c.is_basics, false) as is_basics,
    s.amount_gbp,
    s.lines,
    case when s.digital = 'yes' then
        s.amount_gbp / nullif(sum(s.amount_gbp) filter (where s.digital = 'yes')
            over (partition by s.organisation_code, s.financial_year), 0)
    end as share_of_digital,
    coalesce(o.is_demo, false) as is_demo
from summed as s
left join dims.category as c using (category)
left join dims.organisation as o using (organisation_code)

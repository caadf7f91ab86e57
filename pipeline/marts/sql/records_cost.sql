-- marts.records_cost
-- Grain: one published row of the estates return (usually one trust) and financial year.
-- Question: what does keeping records still cost each trust, and does it fall?
-- Caveat: self-reported in the estates return; a zero before a trust existed or reported is no saving, and it
--         is shown as missing here. One row can name several trusts. Records include electronic ones.
with reported as (
    select
        c.*,
        left(c.financial_year, 4)::integer as year,
        nullif(c.total_gbp, 0) as cost_gbp
    from facts.records_cost as c
),
priced as (
    select
        c.*,
        c.cost_gbp * r.to_real as cost_real_gbp,
        r.price_year
    from reported as c
    left join measures.price as r using (financial_year)
)
select
    c.organisation_code,
    coalesce(o.name, c.organisation_name) as organisation_name,
    o.sector,
    c.financial_year,
    c.on_site_gbp,
    c.off_site_gbp,
    c.cost_gbp,
    c.cost_real_gbp,
    c.price_year,
    c.cost_real_gbp - lag(c.cost_real_gbp) over trust_years as change_real_gbp,
    c.cost_real_gbp / nullif(first_value(c.cost_real_gbp ignore nulls) over (
        partition by c.organisation_code order by c.year rows between unbounded preceding and current row
    ), 0) as real_index,
    1e6 * c.cost_gbp / a.spent_gbp as per_million_spent,
    c.provision,
    c.records_type,
    e.supplier as epr_supplier,
    e.has_epr,
    case
        when c.cost_gbp is null then 'Nothing, or nought, was reported for the year.'
        when c.price_year is null then 'No deflator of the year is here, so there is no real cost.'
    end as reason,
    coalesce(o.is_demo, (select bool_or(is_demo) from dims.organisation), false) as is_demo
from priced as c
left join dims.organisation as o using (organisation_code)
left join measures.cost_split as a using (organisation_code, financial_year)
left join facts.epr as e using (organisation_code)
window trust_years as (partition by c.organisation_code order by c.year)

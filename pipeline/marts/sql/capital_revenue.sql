-- marts.capital_revenue
-- Grain: one trust and financial year with published digital payments or accounts.
-- Question: is capital used where revenue is needed, and how old is the equipment?
-- Caveat: the payments say capital or revenue for a part of the lines only; lower and upper put all others on
--         one side. Capital in the accounts (D0) stands beside the payments and is never added to them.
with paid as (
    select
        organisation_code,
        financial_year,
        coalesce(sum(amount_gbp) filter (where nature = 'capital'), 0) as capital_gbp,
        coalesce(sum(amount_gbp) filter (where nature = 'revenue'), 0) as revenue_gbp,
        coalesce(sum(amount_gbp) filter (where nature = 'unknown'), 0) as unknown_gbp
    from measures.payment_cell
    where counted_as = 'yes' and not is_balance_sheet and not is_duplicate
    group by organisation_code, financial_year
),
joined as (
    select
        coalesce(p.organisation_code, a.organisation_code) as organisation_code,
        coalesce(p.financial_year, a.financial_year) as financial_year,
        p.capital_gbp,
        p.revenue_gbp,
        p.unknown_gbp,
        p.capital_gbp + p.revenue_gbp + p.unknown_gbp as digital_gbp,
        a.digital_additions,
        a.it_gross_cost,
        a.it_accumulated_depreciation
    from paid as p
    full join measures.account_value as a using (organisation_code, financial_year)
)
select
    j.organisation_code,
    o.name as organisation_name,
    o.sector,
    j.financial_year,
    j.capital_gbp,
    j.revenue_gbp,
    j.unknown_gbp,
    case when j.capital_gbp >= 0 and j.revenue_gbp >= 0
        then j.capital_gbp / nullif(j.capital_gbp + j.revenue_gbp, 0) end as capital_share,
    case when j.capital_gbp >= 0 and j.revenue_gbp >= 0 and j.unknown_gbp >= 0
        then j.capital_gbp / nullif(j.digital_gbp, 0) end as capital_share_lower,
    case when j.capital_gbp >= 0 and j.revenue_gbp >= 0 and j.unknown_gbp >= 0
        then (j.capital_gbp + j.unknown_gbp) / nullif(j.digital_gbp, 0) end as capital_share_upper,
    p.capital_reference,
    j.digital_additions as accounts_capital_gbp,
    j.it_gross_cost as it_gross_cost_gbp,
    j.it_accumulated_depreciation as it_accumulated_depreciation_gbp,
    case when j.it_gross_cost > 0 then j.it_accumulated_depreciation / j.it_gross_cost end as it_asset_age,
    m.months_present,
    coalesce(s.badge, 'C') as badge,
    case when j.digital_gbp is null then 'No published payments of this trust and year are among the files here.' end as reason,
    coalesce(o.is_demo, false) as is_demo
from joined as j
left join measures.published_months as m using (organisation_code, financial_year)
left join marts.digital_share as s
    on s.organisation_code = j.organisation_code and s.financial_year = j.financial_year
    and s.definition = 'D1' and s.denominator = 'operating_expenditure_less_impairments'
left join dims.organisation as o on o.organisation_code = j.organisation_code
cross join measures.parameter_row as p

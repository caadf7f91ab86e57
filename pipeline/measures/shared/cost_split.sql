-- Pay and non-pay parts of what each trust spent, estimated where the year's accounts do not give them.
-- Grain: one trust and financial year with operating expenditure.
-- Spent is operating expenditure less impairments. Non-pay is what is left without staff, depreciation
-- and amortisation. A part that is missing is taken from the trust's own nearest year (the earlier of
-- two equally near), else from the median of its sector, else from parameters; the note says which.
with given as (
    select
        organisation_code,
        financial_year,
        left(financial_year, 4)::integer as year,
        sector,
        operating_expenditure - coalesce(impairments, 0) as spent,
        staff_costs,
        depreciation_amortisation,
        capital_additions
    from measures.account_value
    where operating_expenditure - coalesce(impairments, 0) > 0
),
-- Staff and depreciation are missing in different years, so each has its own nearest year.
own as (
    select
        n.organisation_code,
        n.financial_year,
        arg_min(o.staff_costs / o.spent, abs(o.year - n.year) * 10000 + o.year)
            filter (where o.staff_costs is not null) as staff_share,
        arg_min(o.financial_year, abs(o.year - n.year) * 10000 + o.year)
            filter (where o.staff_costs is not null) as staff_year,
        arg_min(o.depreciation_amortisation / o.spent, abs(o.year - n.year) * 10000 + o.year)
            filter (where o.depreciation_amortisation is not null) as depreciation_share
    from given as n
    join given as o using (organisation_code)
    group by n.organisation_code, n.financial_year
),
sector as (
    select
        sector,
        median(staff_costs / spent) as staff_share,
        median(depreciation_amortisation / spent) as depreciation_share
    from given
    where sector is not null
    group by sector
),
filled as (
    select
        g.*,
        coalesce(g.staff_costs, g.spent * coalesce(
            o.staff_share, s.staff_share, 1 - p.nonpay_share_england - p.depreciation_share_england
        )) as staff_gbp,
        coalesce(g.depreciation_amortisation, g.spent * coalesce(
            o.depreciation_share, s.depreciation_share, p.depreciation_share_england
        )) as depreciation_gbp,
        case
            when g.staff_costs is not null and g.depreciation_amortisation is not null then 'accounts'
            when o.staff_share is not null then 'own'
            when s.staff_share is not null then 'sector'
            else 'England'
        end as basis,
        o.staff_year
    from given as g
    left join own as o using (organisation_code, financial_year)
    left join sector as s using (sector)
    cross join measures.parameter_row as p
)
select
    f.organisation_code,
    f.financial_year,
    f.spent as spent_gbp,
    f.staff_gbp,
    f.staff_costs is not null as staff_is_from_accounts,
    greatest(0, f.spent - f.staff_gbp - f.depreciation_gbp) as nonpay_gbp,
    f.capital_additions as capital_additions_gbp,
    f.basis,
    case f.basis
        when 'accounts' then 0
        when 'own' then p.nonpay_error_own
        else p.nonpay_error_sector
    end as nonpay_error,
    case
        when f.basis = 'accounts' then null
        when f.staff_costs is not null
            then 'Depreciation is not in the accounts here and was estimated from other accounts.'
        when f.basis = 'own' then 'Non-pay spending estimated with the trust''s own shares of ' || f.staff_year || '.'
        when f.basis = 'sector' then 'Non-pay spending estimated with the median shares of its sector.'
        else 'Non-pay spending estimated with the non-pay share of England.'
    end as note
from filled as f
cross join measures.parameter_row as p

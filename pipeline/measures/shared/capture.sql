-- How much of what a trust spent outside pay and depreciation its published payments show.
-- Grain: one trust and financial year with payments and operating expenditure.
-- Where the year's accounts give no staff cost, the non-pay share of the trust's nearest year is used,
-- else that of its sector, else the parameter nonpay_share_england; the note says which.
with nonpay as (
    select
        organisation_code,
        financial_year,
        left(financial_year, 4)::integer as year,
        sector,
        operating_expenditure - coalesce(impairments, 0) as spent,
        operating_expenditure - coalesce(impairments, 0) - staff_costs - coalesce(depreciation_amortisation, 0) as nonpay_gbp,
        coalesce(capital_additions, 0) as additions_gbp
    from measures.account_value
    where operating_expenditure > 0
),
own_share as (
    select organisation_code, financial_year, year, nonpay_gbp / spent as nonpay_share
    from nonpay
    where nonpay_gbp is not null and spent > 0
),
sector_share as (
    select n.sector, median(o.nonpay_share) as nonpay_share
    from own_share as o
    join nonpay as n using (organisation_code, financial_year)
    where n.sector is not null
    group by n.sector
),
nearest as (
    select
        n.organisation_code,
        n.financial_year,
        arg_min(o.nonpay_share, abs(o.year - n.year) * 10000 + o.year) as nonpay_share,
        arg_min(o.financial_year, abs(o.year - n.year) * 10000 + o.year) as from_year
    from nonpay as n
    join own_share as o on o.organisation_code = n.organisation_code
    group by n.organisation_code, n.financial_year
),
estimated as (
    select
        n.organisation_code,
        n.financial_year,
        coalesce(
            n.nonpay_gbp,
            n.spent * coalesce(e.nonpay_share, s.nonpay_share, p.nonpay_share_england)
        ) + n.additions_gbp as nonpay_and_additions_gbp,
        case
            when n.nonpay_gbp is not null then null
            when e.nonpay_share is not null then 'Non-pay spending estimated with the trust''s own non-pay share of ' || e.from_year || '.'
            when s.nonpay_share is not null then 'Non-pay spending estimated with the median non-pay share of its sector.'
            else 'Non-pay spending estimated with the non-pay share of England.'
        end as note
    from nonpay as n
    left join nearest as e using (organisation_code, financial_year)
    left join sector_share as s on s.sector = n.sector
    cross join measures.parameter_row as p
)
select
    e.organisation_code,
    e.financial_year,
    e.nonpay_and_additions_gbp,
    p.published_gbp,
    p.published_gbp / nullif(e.nonpay_and_additions_gbp, 0) as capture_ratio,
    e.note
from estimated as e
join measures.payment_sum as p using (organisation_code, financial_year)

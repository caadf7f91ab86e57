-- marts.funding_pattern
-- Grain: one trust and financial year with published payments.
-- Question: is digital money short-term: spent at the year's end, up and down between years, or recurrent?
-- Caveat: an index needs all twelve months and a volatility three complete years; otherwise it is null and
--         the reason says why. Payments follow invoices, so March also shows bills settled before the accounts
--         close. Real pounds of one base year.
with years as (
    select
        c.organisation_code,
        c.financial_year,
        left(c.financial_year, 4)::integer as year,
        count(*) filter (where c.is_present)::integer as months_present,
        sum(c.digital_gbp) as digital_gbp,
        max(c.digital_gbp) filter (where month(c.month) = 3) as march_gbp
    from marts.coverage_month as c
    group by c.organisation_code, c.financial_year
),
real_years as (
    select
        y.*,
        y.digital_gbp * r.to_real as digital_real_gbp,
        r.price_year,
        y.months_present = 12 as is_complete
    from years as y
    left join measures.price as r using (financial_year)
),
complete as (
    select
        organisation_code,
        financial_year,
        year,
        digital_real_gbp,
        case when lag(year) over trust_years = year - 1
            then digital_real_gbp / nullif(lag(digital_real_gbp) over trust_years, 0) - 1 end as change_real
    from real_years
    where is_complete and digital_real_gbp is not null
    window trust_years as (partition by organisation_code order by year)
),
volatility as (
    select
        organisation_code,
        count(*) as real_years,
        case when count(*) >= 3 then stddev_samp(digital_real_gbp order by year) / nullif(avg(digital_real_gbp order by year), 0) end as cv_real,
        case when count(*) >= 3 then avg(abs(change_real) order by year) end as mean_absolute_change
    from complete
    group by organisation_code
),
counted as (
    select
        organisation_code,
        (count(*) filter (where is_complete))::integer as complete_years
    from real_years
    group by organisation_code
),
-- The usual year is the median of the trust's other complete years.
usual as (
    select
        a.organisation_code,
        a.financial_year,
        median(b.digital_real_gbp) as median_other_years,
        count(*) as other_years
    from complete as a
    join complete as b on b.organisation_code = a.organisation_code and b.financial_year <> a.financial_year
    group by a.organisation_code, a.financial_year
),
recurrent as (
    select
        organisation_code,
        financial_year,
        sum(amount_gbp) filter (where years_paid >= 3) / nullif(sum(amount_gbp), 0) as recurrent_share
    from measures.supplier_paid
    group by organisation_code, financial_year
),
history as (
    select
        organisation_code,
        financial_year,
        count(*) over (
            partition by organisation_code order by left(financial_year, 4)::integer range between 3 preceding and current row
        ) as years_published
    from measures.published_months
    where months_present > 0
)
select
    y.organisation_code,
    o.name as organisation_name,
    o.sector,
    y.financial_year,
    y.months_present,
    y.digital_gbp,
    y.digital_real_gbp,
    y.price_year,
    case when y.is_complete then y.march_gbp end as march_gbp,
    case when y.is_complete and y.digital_gbp > 0 then y.march_gbp / (y.digital_gbp / 12) end as year_end_index,
    case
        when not y.is_complete then 'Only ' || y.months_present || ' of 12 months are here.'
        when y.digital_gbp < 0 then 'Credits exceed the digital payments of the year.'
        when y.digital_gbp = 0 then 'No digital payments in the year.'
    end as year_end_reason,
    n.complete_years,
    c.change_real,
    v.cv_real,
    v.mean_absolute_change,
    case
        when n.complete_years < 3 then 'Fewer than three complete years of this trust are here.'
        when coalesce(v.real_years, 0) < 3 then 'The deflator has fewer than three of this trust''s complete years.'
    end as volatility_reason,
    case when u.other_years >= 2 then c.digital_real_gbp / nullif(u.median_other_years, 0) end as ratio_to_usual,
    case when u.other_years >= 2 then c.digital_real_gbp >= p.spike_ratio * u.median_other_years end as is_spike,
    case when h.years_published >= 3 then coalesce(r.recurrent_share, 0) end as recurrent_share,
    case
        when coalesce(h.years_published, 0) < 3 then 'Fewer than three of the last four years of this trust are here.'
    end as recurrent_reason,
    coalesce(o.is_demo, false) as is_demo
from real_years as y
left join complete as c using (organisation_code, financial_year)
left join counted as n using (organisation_code)
left join volatility as v using (organisation_code)
left join usual as u using (organisation_code, financial_year)
left join recurrent as r using (organisation_code, financial_year)
left join history as h using (organisation_code, financial_year)
left join dims.organisation as o using (organisation_code)
cross join measures.parameter_row as p

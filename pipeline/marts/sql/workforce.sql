-- marts.workforce
-- Grain: one trust, month and proxy for digital staff.
-- Question: how many people are in the groups that digital staff belong to, for the size of the trust?
-- Caveat: a PROXY: no public file counts digital staff by trust, and most people counted here are not digital
--         staff. Counts under 5 are suppressed. The interval is Wilson's for a part of a whole (95%); it shows
--         how small the group is, not what the proxy misses. 10,500 posts and their baseline of 46,009 are
--         modelled and broad: only their ratio (22.8% more) is used.
with counted as (
    select
        s.organisation_code,
        o.name as organisation_name,
        o.sector,
        s.month,
        s.proxy,
        s.all_fte,
        case when s.proxy_fte >= 5 then s.proxy_fte end as proxy_fte,
        s.proxy_fte < 5 as is_suppressed,
        year(s.month) - (month(s.month) < 4)::integer as year,
        coalesce(o.is_demo, false) as is_demo
    from measures.staff_proxy as s
    join dims.organisation as o using (organisation_code)
    where o.kind = 'trust'
),
-- Expenditure of the financial year nearest to the count.
spending as (
    select
        c.organisation_code,
        c.month,
        c.proxy,
        arg_min(a.financial_year, abs(left(a.financial_year, 4)::integer - c.year) * 10000
            + left(a.financial_year, 4)::integer) as financial_year,
        arg_min(a.spent_gbp, abs(left(a.financial_year, 4)::integer - c.year) * 10000
            + left(a.financial_year, 4)::integer) as spent_gbp
    from counted as c
    join measures.cost_split as a using (organisation_code)
    group by c.organisation_code, c.month, c.proxy
),
baseline as (
    select
        organisation_code,
        proxy,
        arg_min(proxy_fte, month) as proxy_fte,
        min(month) as month
    from counted
    where year(month) = 2020 and proxy_fte is not null
    group by organisation_code, proxy
),
placed as (
    select
        *,
        1000 * proxy_fte / all_fte as per_1000_fte,
        -- Wilson's interval at 95%
        (proxy_fte / all_fte + 1.96 ** 2 / (2 * all_fte)) / (1 + 1.96 ** 2 / all_fte) as centre,
        1.96 * sqrt(
            greatest(0, proxy_fte / all_fte * (1 - proxy_fte / all_fte)) / all_fte + 1.96 ** 2 / (4 * all_fte ** 2)
        ) / (1 + 1.96 ** 2 / all_fte) as half_width,
        sum(proxy_fte::decimal(18, 6)) over (partition by month, proxy) as all_trusts_fte,
        count(*) over (partition by month, proxy) as trusts_with_proxy,
        (select count(distinct organisation_code) from counted) as trusts_known
    from counted
)
select
    c.organisation_code,
    c.organisation_name,
    c.sector,
    c.month,
    c.proxy,
    c.all_fte,
    c.proxy_fte,
    c.is_suppressed,
    c.per_1000_fte,
    1000 * greatest(0, c.centre - c.half_width) as per_1000_fte_lower,
    1000 * least(1, c.centre + c.half_width) as per_1000_fte_upper,
    quantile_cont(c.per_1000_fte, 0.25) over sector_month as sector_p25,
    median(c.per_1000_fte) over sector_month as sector_median,
    quantile_cont(c.per_1000_fte, 0.75) over sector_month as sector_p75,
    c.proxy_fte / (s.spent_gbp / 1e8) as per_100m_gbp,
    s.financial_year as spending_year,
    -- A part of the whole needs the whole: none from a proxy that few trusts have.
    case when c.trusts_with_proxy >= p.pro_rata_part * c.trusts_known
        then p.digital_posts_needed * c.proxy_fte / c.all_trusts_fte
    end as posts_pro_rata,
    b.proxy_fte as baseline_fte,
    b.proxy_fte * (1 + p.digital_posts_needed / p.digital_posts_baseline) as target_fte,
    b.proxy_fte * (1 + p.digital_posts_needed / p.digital_posts_baseline) - c.proxy_fte as gap_fte,
    concat_ws(' ',
        'Proxy, not a count of digital staff.',
        case when c.is_suppressed then 'Fewer than 5: suppressed.' end,
        case when b.proxy_fte is null then 'No count of 2020 is here, so no gap to 22.8% more than in 2020.' end,
        case when left(s.financial_year, 4)::integer <> c.year then 'Expenditure of ' || s.financial_year || '.' end
    ) as note,
    c.is_demo
from placed as c
left join spending as s using (organisation_code, month, proxy)
left join baseline as b using (organisation_code, proxy)
cross join measures.parameter_row as p
window sector_month as (partition by c.sector, c.month, c.proxy)

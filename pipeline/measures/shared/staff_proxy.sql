-- Counts of staff among whom the digital staff are: central functions in the workforce returns, or
-- administration and estates in the accounts. Grain: one trust, month, proxy.
-- No public file counts digital staff by trust. Core 5 gives central functions by band.
with returns as (
    select
        organisation_code,
        month,
        publication,
        sum(fte::decimal(18, 6)) filter (where is_total and staff_group = 'All staff groups') as all_total,
        sum(fte::decimal(18, 6)) filter (where not is_total) as all_parts,
        sum(fte::decimal(18, 6)) filter (where publication <> 'core_5' and lower(staff_group) = 'central functions') as central_fte
    from facts.workforce
    group by organisation_code, month, publication
),
-- Several publications can count the same month: one of them is used, the one with a total first.
central as (
    select
        organisation_code,
        month,
        arg_min(central_fte, preference) as proxy_fte,
        arg_min(all_fte, preference) as all_fte
    from (
        select
            *,
            coalesce(all_total, all_parts) as all_fte,
            (case when all_total is null then 10 else 0 end)
                + (case publication when 'turnover' then 1 when 'staff_group' then 2 else 3 end) as preference
        from returns
        where central_fte is not null and coalesce(all_total, all_parts) > 0
    )
    group by organisation_code, month
),
banded as (
    select
        organisation_code,
        month,
        sum(fte::decimal(18, 6)) as proxy_fte
    from facts.workforce
    where publication = 'core_5' and not is_total
        and staff_group ilike '%/ central functions / %'
        and regexp_matches(coalesce(level, ''), '^band (5|6|7|8[a-d]|9)$', 'i')
    group by organisation_code, month
)
select
    organisation_code,
    month,
    'central functions' as proxy,
    proxy_fte::double as proxy_fte,
    all_fte::double as all_fte
from central
union all by name
select
    b.organisation_code,
    b.month,
    'central functions, band 5 and above' as proxy,
    b.proxy_fte::double as proxy_fte,
    c.all_fte::double as all_fte
from banded as b
join central as c using (organisation_code, month)
union all by name
select
    organisation_code,
    make_date(left(financial_year, 4)::integer + 1, 3, 1) as month,
    'administration and estates' as proxy,
    administration_wte as proxy_fte,
    total_wte as all_fte
from measures.account_value
where administration_wte is not null and total_wte > 0

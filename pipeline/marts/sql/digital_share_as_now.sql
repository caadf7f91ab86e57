-- marts.digital_share_as_now
-- Grain: one organisation of today, financial year, definition and denominator.
-- Question: what would the share have been had today's trusts existed then (pro forma)?
-- Caveat: numerators and denominators of predecessors are added, each with the weight that its successor
--         took over; sums over all trusts equal those as reported. Where a predecessor has accounts but no
--         share the badge is C, because the sum leaves a part of the organisation out. Weights of trusts
--         that were divided are estimates (dims.succession).
with recursive chain as (
    select distinct
        organisation_code as reported_code,
        organisation_code as code,
        1.0::double as weight,
        [organisation_code] as passed
    from measures.account_value
    union all
    select
        c.reported_code,
        s.new_code,
        c.weight * s.weight,
        list_append(c.passed, s.new_code)
    from chain as c
    join dims.succession as s on s.old_code = c.code
    where not list_contains(c.passed, s.new_code)
),
-- The end of each way: codes that nothing succeeds (or that only lead back to where they came from).
today as (
    select c.reported_code, c.code as organisation_code, sum(c.weight order by c.weight) as weight
    from chain as c
    where not exists (
        select 1 from dims.succession as s
        where s.old_code = c.code and not list_contains(c.passed, s.new_code)
    )
    group by c.reported_code, c.code
),
parts as (
    select
        t.organisation_code,
        s.organisation_code as reported_code,
        s.financial_year,
        s.definition,
        s.denominator,
        t.weight,
        s.numerator_gbp,
        s.denominator_gbp,
        s.share_lower * s.denominator_gbp as lower_gbp,
        s.share_upper * s.denominator_gbp as upper_gbp,
        s.badge,
        s.months_present,
        s.measure_version,
        s.benchmark
    from marts.digital_share as s
    join today as t on t.reported_code = s.organisation_code
),
-- Trusts of the year that belong to today's organisation, with or without a share.
expected as (
    select t.organisation_code, d.financial_year, d.denominator, count(*) as parts
    from measures.denominator as d
    join today as t on t.reported_code = d.organisation_code
    where d.denominator_gbp > 0
    group by t.organisation_code, d.financial_year, d.denominator
),
summed as (
    select
        organisation_code,
        financial_year,
        definition,
        denominator,
        sum((weight * numerator_gbp)::decimal(18, 2)) as numerator_gbp,
        sum((weight * denominator_gbp)::decimal(18, 2)) as denominator_gbp,
        sum(weight * lower_gbp order by reported_code) as lower_gbp,
        sum(weight * upper_gbp order by reported_code) as upper_gbp,
        count(*) as parts,
        string_agg(reported_code || case when weight < 1 then ' x ' || round(weight, 3) else '' end, ', '
            order by reported_code) as made_of,
        bool_or(reported_code <> organisation_code or weight < 1) as is_pro_forma,
        max(badge) as worst_badge,
        min(months_present) as months_present,
        max(measure_version) as measure_version,
        any_value(benchmark) as benchmark
    from parts
    group by organisation_code, financial_year, definition, denominator
)
select
    s.organisation_code,
    o.name as organisation_name,
    o.sector,
    o.icb_code,
    s.financial_year,
    s.definition,
    s.denominator,
    s.numerator_gbp,
    s.denominator_gbp,
    s.numerator_gbp / s.denominator_gbp as share,
    s.lower_gbp / s.denominator_gbp as share_lower,
    s.upper_gbp / s.denominator_gbp as share_upper,
    s.benchmark,
    100 * (s.benchmark - s.numerator_gbp / s.denominator_gbp) as gap_pp,
    s.benchmark * s.denominator_gbp - s.numerator_gbp as gap_gbp,
    s.months_present,
    s.parts,
    e.parts as parts_expected,
    s.made_of,
    s.is_pro_forma,
    case when s.parts < e.parts then 'C' else s.worst_badge end as badge,
    s.measure_version,
    coalesce(o.is_demo, false) as is_demo
from summed as s
left join expected as e using (organisation_code, financial_year, denominator)
left join dims.organisation as o using (organisation_code)

-- marts.digital_share
-- Grain: one trust, financial year, definition (numerator) and denominator.
-- Question: how far was each trust from the benchmark, what is the gap in pounds, how sure are we?
-- Caveat: a share means nothing without its definition. Badge C rows are incomplete and belong in no
--         average or ranking. Combinations that cannot be computed are in marts.coverage with the reason.
with months as (
    select organisation_code, financial_year, count(*) filter (where is_present)::integer as months_present
    from marts.coverage_month
    group by organisation_code, financial_year
),
combined as (
    select
        n.organisation_code,
        n.financial_year,
        n.definition,
        d.denominator,
        n.uses_payments,
        n.numerator_gbp,
        n.lower_gbp,
        n.upper_gbp,
        d.denominator_gbp,
        n.note as numerator_note,
        d.note as denominator_note
    from measures.numerator as n
    join measures.denominator as d using (organisation_code, financial_year)
    where d.denominator_gbp > 0
),
-- The board of the trust at the end of the financial year, by the register of the time.
board as (
    select
        c.organisation_code,
        c.financial_year,
        arg_max(m.icb_code, m.valid_from) as icb_code
    from (select distinct organisation_code, financial_year from combined) as c
    join dims.icb_membership as m using (organisation_code)
    where m.valid_from <= greatest(make_date(left(c.financial_year, 4)::integer + 1, 3, 31), date '2022-07-01')
    group by c.organisation_code, c.financial_year
),
badged as (
    select
        c.*,
        case when c.uses_payments then coalesce(m.months_present, 0) end as months_present,
        case when c.uses_payments then k.capture_ratio end as capture_ratio,
        case when c.uses_payments then k.note end as capture_note,
        case
            when not c.uses_payments then 'A'
            when not s.has_expense_type then 'C'
            when coalesce(m.months_present, 0) < p.months_for_b then 'C'
            when coalesce(m.months_present, 0) < p.months_for_a then 'B'
            when k.capture_ratio is null or k.capture_ratio not between p.capture_low and p.capture_high then 'B'
            else 'A'
        end as badge,
        case
            when not c.uses_payments then 'From the audited accounts; no payments needed.'
            when not s.has_expense_type then 'The published payments carry no expense type, so most digital spending cannot be seen.'
            when coalesce(m.months_present, 0) < p.months_for_b
                then coalesce(m.months_present, 0) || ' of 12 months of payments are here: incomplete, not annualised.'
            when coalesce(m.months_present, 0) < p.months_for_a
                then m.months_present || ' of 12 months of payments are here.'
            when k.capture_ratio is null then '12 months are here, but the accounts do not tell how much should have been published.'
            when k.capture_ratio < p.capture_low
                then '12 months are here, but they show only ' || round(100 * k.capture_ratio)::integer || '% of non-pay spending.'
            when k.capture_ratio > p.capture_high
                then '12 months are here, but they show ' || round(100 * k.capture_ratio)::integer || '% of non-pay spending, more than was spent.'
            else '12 of 12 months, and payments show ' || round(100 * k.capture_ratio)::integer || '% of non-pay spending.'
        end as badge_reason
    from combined as c
    left join months as m using (organisation_code, financial_year)
    left join measures.capture as k using (organisation_code, financial_year)
    left join measures.payment_sum as s using (organisation_code, financial_year)
    cross join measures.parameter_row as p
)
select
    b.organisation_code,
    b.financial_year,
    b.definition,
    b.denominator,
    b.numerator_gbp,
    b.denominator_gbp,
    b.numerator_gbp / b.denominator_gbp as share,
    least(b.lower_gbp, b.numerator_gbp) / b.denominator_gbp as share_lower,
    greatest(b.upper_gbp, b.numerator_gbp) / b.denominator_gbp as share_upper,
    p.benchmark,
    100 * (p.benchmark - b.numerator_gbp / b.denominator_gbp) as gap_pp,
    p.benchmark * b.denominator_gbp - b.numerator_gbp as gap_gbp,
    b.months_present,
    b.capture_ratio,
    b.badge,
    m.version as measure_version,
    coalesce(o.is_demo, false) as is_demo,
    o.name as organisation_name,
    o.sector,
    coalesce(i.icb_code, o.icb_code) as icb_code,
    b.badge_reason,
    nullif(concat_ws(' ', b.numerator_note, b.denominator_note, b.capture_note), '') as estimate_note
from badged as b
join dims.measure as m using (definition, denominator)
left join dims.organisation as o using (organisation_code)
left join board as i using (organisation_code, financial_year)
cross join measures.parameter_row as p

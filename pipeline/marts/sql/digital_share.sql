-- marts.digital_share
-- Grain: one trust, financial year, definition (numerator) and denominator.
-- Question: how far was each trust from the benchmark, what is the gap in pounds, how sure are we?
-- Caveat: a share means nothing without its definition. Badge C rows are incomplete and belong in no
--         average or ranking. Combinations that cannot be computed are in marts.coverage with the reason.
with combined as (
    select
        n.organisation_code,
        n.financial_year,
        n.definition,
        d.denominator,
        n.uses_payments,
        n.numerator_gbp::decimal(18, 2) as numerator_gbp,  -- to the penny, so that shares and sums agree
        n.lower_gbp,
        n.upper_gbp,
        d.denominator_gbp::decimal(18, 2) as denominator_gbp,
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
        c.definition not in ('D0', 'D1') as is_adjusted,
        case when c.uses_payments then coalesce(m.months_present, 0) end as months_present,
        case when c.uses_payments then k.capture_ratio end as capture_ratio,
        case when c.uses_payments then k.note end as capture_note,
        round(100 * k.capture_ratio)::bigint as captured,
        case
            when not c.uses_payments then 'A'
            when not s.has_expense_type then 'C'
            when coalesce(m.months_present, 0) < p.months_for_b then 'C'
            when coalesce(m.months_present, 0) < p.months_for_a then 'B'
            when k.capture_ratio is null or k.capture_ratio not between p.capture_low and p.capture_high then 'B'
            else 'A'
        end as badge,
        -- a trust that opened or closed in the year can have published all there was
        case when m.months_open < 12 then ' (the trust existed in ' || m.months_open || ')' else '' end as months_of_life,
        coalesce(m.months_present < m.months_open, true) as lacks_months,
        p.months_for_a,
        p.months_for_b,
        p.capture_low,
        p.capture_high,
        s.has_expense_type
    from combined as c
    left join measures.published_months as m using (organisation_code, financial_year)
    left join measures.capture as k using (organisation_code, financial_year)
    left join measures.payment_sum as s using (organisation_code, financial_year)
    cross join measures.parameter_row as p
),
explained as (
    select
        *,
        case
            when not uses_payments then 'From the audited accounts; no payments needed.'
            when not has_expense_type
                then 'The published payments carry no expense type: how much digital spending is not seen is not known.'
            when months_present < months_for_b
                then months_present || ' of 12 months of payments are here' || months_of_life || ': incomplete'
                    || case
                        when not lacks_months then '.'
                        when is_adjusted then ', annualised from too little.'
                        else ', not annualised.'
                    end
            when months_present < months_for_a
                then months_present || ' of 12 months of payments are here' || months_of_life
                    || case when is_adjusted and lacks_months then ', annualised.' else '.' end
            when capture_ratio is null
                then '12 months are here, but the accounts do not tell how much should have been published.'
            when capture_ratio < capture_low
                then '12 months are here, but they show only ' || captured || '% of non-pay spending.'
            when capture_ratio > capture_high
                then '12 months are here, but they show ' || captured || '% of non-pay spending, more than was spent.'
            else '12 of 12 months, and payments show ' || captured || '% of non-pay spending.'
        end as badge_reason
    from badged
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
    nullif(concat_ws(' ', b.numerator_note, b.denominator_note, b.capture_note,
        case when a.is_reconstructed
            then 'Accounts: published totals set into the published layout (RECONSTRUCTED file), not the full workbook.'
        end), '') as estimate_note,
    m.kind,
    b.numerator_gbp * r.to_real as numerator_real_gbp,
    (p.benchmark * b.denominator_gbp - b.numerator_gbp) * r.to_real as gap_real_gbp,
    r.price_year
from explained as b
join dims.measure as m using (definition, denominator)
left join measures.account_value as a using (organisation_code, financial_year)
left join dims.organisation as o using (organisation_code)
left join board as i using (organisation_code, financial_year)
left join measures.price as r using (financial_year)
cross join measures.parameter_row as p

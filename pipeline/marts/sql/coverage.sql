-- marts.coverage
-- Grain: one trust, financial year, definition and denominator, for every trust-year that appears in the
--        accounts or in the payments.
-- Question: can this share be computed, and if not, what is missing?
-- Caveat: nothing vanishes: available, incomplete and not available rows together are all combinations.
with trust_years as (
    select organisation_code, financial_year from measures.account_value
    union
    select organisation_code, financial_year from marts.coverage_month
),
months as (
    select organisation_code, financial_year, count(*) filter (where is_present)::integer as months_present
    from marts.coverage_month
    group by organisation_code, financial_year
)
select
    t.organisation_code,
    o.name as organisation_name,
    t.financial_year,
    k.definition,
    k.denominator,
    case
        when s.badge in ('A', 'B') then 'available'
        when s.badge = 'C' then 'incomplete'
        else 'not available'
    end as status,
    case
        when s.badge is not null then s.badge_reason
        when n.organisation_code is null and k.definition = 'D0' and a.organisation_code is null
            then 'The audited accounts of this trust and year are not among the files here.'
        when n.organisation_code is null and k.definition = 'D0'
            then 'The accounts here hold no lines for additions to information technology and software.'
        when n.organisation_code is null and coalesce(m.months_present, 0) = 0
            then 'No published payments of this trust and year are among the files here.'
        when n.organisation_code is null
            then 'Payments are here, but something this definition adds to them is not: see dims.measure.'
        when a.organisation_code is null
            then 'Payments are here, but the audited accounts of this trust and year are not.'
        else 'The accounts here do not hold the lines of this denominator: ' || k.denominator_formula
    end as reason,
    d.organisation_code is not null as has_accounts,
    coalesce(m.months_present, 0) > 0 as has_payments,
    coalesce(m.months_present, 0) as months_present,
    coalesce(o.is_demo, false) as is_demo
from trust_years as t
cross join dims.measure as k
left join marts.digital_share as s
    on s.organisation_code = t.organisation_code and s.financial_year = t.financial_year
    and s.definition = k.definition and s.denominator = k.denominator
left join measures.numerator as n
    on n.organisation_code = t.organisation_code and n.financial_year = t.financial_year
    and n.definition = k.definition
left join measures.denominator as d
    on d.organisation_code = t.organisation_code and d.financial_year = t.financial_year
    and d.denominator = k.denominator
left join measures.account_value as a
    on a.organisation_code = t.organisation_code and a.financial_year = t.financial_year
left join months as m on m.organisation_code = t.organisation_code and m.financial_year = t.financial_year
left join dims.organisation as o on o.organisation_code = t.organisation_code

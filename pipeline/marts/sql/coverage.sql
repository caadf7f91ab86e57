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
-- What each trust-year has of the things definitions need.
evidence as (
    select
        t.organisation_code,
        t.financial_year,
        a.organisation_code is not null as has_account_lines,
        coalesce(m.months_present, 0) as months_present,
        c.organisation_code is not null as has_costs,
        y.organisation_code is not null as has_staff_count
    from trust_years as t
    left join measures.account_value as a using (organisation_code, financial_year)
    left join measures.published_months as m using (organisation_code, financial_year)
    left join measures.cost_split as c using (organisation_code, financial_year)
    left join measures.digital_pay as y using (organisation_code, financial_year)
)
select
    e.organisation_code,
    o.name as organisation_name,
    e.financial_year,
    k.definition,
    k.denominator,
    case
        when s.badge in ('A', 'B') then 'available'
        when s.badge = 'C' then 'incomplete'
        else 'not available'
    end as status,
    case
        when s.badge is not null then s.badge_reason
        when n.organisation_code is not null and not e.has_account_lines
            then 'Payments are here, but the audited accounts of this trust and year are not.'
        when n.organisation_code is not null and d.organisation_code is not null
            then 'The denominator in the accounts is not above zero: ' || k.denominator_formula
        when n.organisation_code is not null
            then 'The accounts here do not hold the lines of this denominator: ' || k.denominator_formula
        when k.definition = 'D0' and not e.has_account_lines
            then 'The audited accounts of this trust and year are not among the files here.'
        when k.definition = 'D0'
            then 'The accounts here hold no lines for additions to information technology and software.'
        when e.months_present = 0
            then 'No published payments of this trust and year are among the files here.'
        when k.definition <> 'D1' and e.months_present < p.months_for_estimate
            then 'Only ' || e.months_present || ' of 12 months of payments are here: too few to estimate the year.'
        when k.definition in ('D3', 'D4') and not e.has_costs
            then 'The audited accounts of this trust and year are not here, so pay of digital staff cannot be estimated.'
        when k.definition in ('D3', 'D4') and not e.has_staff_count
            then 'No count of staff of this trust is here, so pay of digital staff cannot be estimated.'
        when k.definition = 'D4'
            then 'Nothing was published that can be apportioned to trusts: national spending is not allocated.'
        else 'Something this definition needs is not here: see dims.measure.'
    end as reason,
    d.organisation_code is not null as has_accounts,
    e.months_present > 0 as has_payments,
    e.months_present,
    coalesce(o.is_demo, false) as is_demo
from evidence as e
cross join dims.measure as k
cross join measures.parameter_row as p
left join marts.digital_share as s
    on s.organisation_code = e.organisation_code and s.financial_year = e.financial_year
    and s.definition = k.definition and s.denominator = k.denominator
left join measures.numerator as n
    on n.organisation_code = e.organisation_code and n.financial_year = e.financial_year
    and n.definition = k.definition
left join measures.denominator as d
    on d.organisation_code = e.organisation_code and d.financial_year = e.financial_year
    and d.denominator = k.denominator
left join dims.organisation as o on o.organisation_code = e.organisation_code

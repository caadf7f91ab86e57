-- National spending on digital that can be divided between trusts, from the ledger measures.national_spend.
-- Grain: one trust and financial year with an allocation. Never applied to fictional organisations.
with sizes as (
    select
        a.organisation_code,
        a.financial_year,
        a.operating_expenditure,
        sum(a.operating_expenditure) over (partition by a.financial_year) as all_trusts
    from measures.account_value as a
    join dims.organisation as o using (organisation_code)
    where a.operating_expenditure > 0 and not o.is_demo
),
allocated as (
    select organisation_code, financial_year, programme, amount_gbp
    from measures.national_spend
    where allocation = 'published by trust'
    union all by name
    select s.organisation_code, s.financial_year, n.programme, n.amount_gbp * s.operating_expenditure / s.all_trusts as amount_gbp
    from measures.national_spend as n
    join sizes as s using (financial_year)
    where n.allocation = 'by operating expenditure'
)
select
    organisation_code,
    financial_year,
    sum(amount_gbp)::double as allocated_gbp,
    'National spending apportioned: ' || string_agg(distinct programme, ', ' order by programme) || '.' as note
from allocated
group by organisation_code, financial_year

-- Months of each financial year in which the trust published. Grain: one trust and financial year.
select
    organisation_code,
    financial_year,
    count(*) filter (where is_present)::integer as months_present
from marts.coverage_month
group by organisation_code, financial_year

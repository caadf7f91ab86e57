-- Months of each financial year in which the trust published. Grain: one trust and financial year.
select
    organisation_code,
    financial_year,
    count(*) filter (where is_present)::integer as months_present,
    -- months in which the trust existed: the accounts of a year in which it opened or closed are of these
    count(*) filter (where is_open)::integer as months_open
from marts.coverage_month
group by organisation_code, financial_year

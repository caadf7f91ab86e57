-- What turns pounds of a financial year into pounds of the base year. Grain: one financial year.
-- The base year is the parameter price_year, or the latest year of the series when it is not in it.
with base as (
    select arg_max(index_value, preference) as index_value, arg_max(financial_year, preference) as financial_year
    from (
        select
            d.index_value,
            d.financial_year,
            case when left(d.financial_year, 4)::integer = p.price_year then 9999 else left(d.financial_year, 4)::integer end as preference
        from facts.deflator as d
        cross join measures.parameter_row as p
    )
)
select
    d.financial_year,
    b.index_value / d.index_value as to_real,
    b.financial_year as price_year,
    d.vintage as deflator_vintage
from facts.deflator as d
cross join base as b

-- What turns pounds of a financial year into pounds of the base year. Grain: one financial year.
-- The base year is the parameter price_year, or the year of the series that is nearest to it, the
-- earlier of two equally near ones: a series may end with forecasts of decades to come.
with base as (
    select arg_min(index_value, distance) as index_value, arg_min(financial_year, distance) as financial_year
    from (
        select
            d.index_value,
            d.financial_year,
            2 * abs(left(d.financial_year, 4)::integer - p.price_year)
            + (left(d.financial_year, 4)::integer > p.price_year)::integer as distance
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

-- marts.rank_stability
-- Grain: one financial year, combination of definition and denominator, and combination it is compared with.
-- Question: does the order of trusts depend on how digital spending is defined?
-- Caveat: only trusts with badge A or B under both; fewer than eight trusts give no correlation. A low figure
--         says that an order of trusts tells about the definition, not about the trusts. The interval says how
--         far other trusts like these could give another figure: Fisher's z with the variance of Bonett and
--         Wright (2000), (1 + r^2 / 2) / (n - 3). It cannot be told of a figure of 1 or -1.
with counted as (
    select
        organisation_code,
        financial_year,
        definition,
        denominator,
        share,
        is_demo,
        -- one number for year, definition and denominator, in their order: quicker to compare than three texts
        dense_rank() over (order by financial_year, definition, denominator) as number
    from marts.digital_share
    where badge in ('A', 'B')
),
pairs as (
    select
        organisation_code,
        a.financial_year,
        a.definition,
        a.denominator,
        b.definition as other_definition,
        b.denominator as other_denominator,
        a.share,
        b.share as other_share,
        a.is_demo,
        a.number,
        b.number as other_number
    from counted as a
    join counted as b using (organisation_code, financial_year)
    where a.number < b.number
),
-- Equal shares get the mean of their places.
places as (
    select
        *,
        rank() over (
            partition by number, other_number order by share
        ) + (count(*) over (
            partition by number, other_number order by share
            range between current row and current row
        ) - 1) / 2 as place,
        rank() over (
            partition by number, other_number order by other_share
        ) + (count(*) over (
            partition by number, other_number order by other_share
            range between current row and current row
        ) - 1) / 2 as other_place
    from pairs
),
related as (
    select
        financial_year,
        definition,
        denominator,
        other_definition,
        other_denominator,
        count(*) as trusts,
        -- of places that are all the same it would be no number, which is not null
        case
            when count(*) >= 8 and stddev_pop(place) > 0 and stddev_pop(other_place) > 0
                then corr(place, other_place order by organisation_code)
        end as spearman,
        avg(abs(place - other_place)) as mean_places_moved,
        bool_or(is_demo) as is_demo
    from places
    group by financial_year, definition, denominator, other_definition, other_denominator
),
reaching as (
    select
        *,
        -- from the same order, or exactly the reverse, nobody can tell how far others could be from it
        case when abs(spearman) < 1 - 1e-12 then atanh(spearman) end as z,
        1.96 * sqrt((1 + spearman * spearman / 2) / (trusts - 3)) as reach
    from related
)
select
    financial_year,
    definition,
    denominator,
    other_definition,
    other_denominator,
    trusts,
    spearman,
    tanh(z - reach) as spearman_lower,
    tanh(z + reach) as spearman_upper,
    mean_places_moved,
    case
        when trusts < 8 then 'Fewer than eight trusts have badge A or B under both.'
        when spearman is null then 'All shares under one of the two are equal.'
        when z is null then 'No interval: both put these trusts in the same order, or exactly the reverse.'
    end as reason,
    is_demo
from reaching

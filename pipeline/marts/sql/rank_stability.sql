-- marts.rank_stability
-- Grain: one financial year, combination of definition and denominator, and combination it is compared with.
-- Question: does the order of trusts depend on how digital spending is defined?
-- Caveat: only trusts with badge A or B under both; fewer than eight trusts give no correlation. A low figure
--         says that an order of trusts tells about the definition, not about the trusts.
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
)
select
    financial_year,
    definition,
    denominator,
    other_definition,
    other_denominator,
    count(*) as trusts,
    case when count(*) >= 8 then corr(place, other_place order by organisation_code) end as spearman,
    avg(abs(place - other_place)) as mean_places_moved,
    case when count(*) < 8 then 'Fewer than eight trusts have badge A or B under both.' end as reason,
    bool_or(is_demo) as is_demo
from places
group by financial_year, definition, denominator, other_definition, other_denominator

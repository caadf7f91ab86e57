-- marts.peer
-- Grain: one trust of today and one of its ten nearest neighbours.
-- Question: which trusts are alike in size, sector and teaching status, and whom would it help to call?
-- Caveat: nearness is about what trusts are, not about how well they do, and is no ranking. Worth a call means
--         the peer is in the same sector and has a maturity at least a quarter of a point higher at a similar
--         share (within half a percentage point, or with overlapping intervals); without a share of both
--         trusts it is unknown. Maturity is self-assessed.
with latest_costs as (
    select
        organisation_code,
        arg_max(spent_gbp, financial_year) as spent_gbp,
        max(financial_year) as financial_year
    from measures.cost_split
    group by organisation_code
),
latest_share as (
    select
        organisation_code,
        arg_max(share, financial_year) as share,
        arg_max(share_lower, financial_year) as share_lower,
        arg_max(share_upper, financial_year) as share_upper,
        max(financial_year) as share_year
    from marts.digital_share
    where definition = 'D1' and denominator = 'operating_expenditure_less_impairments' and badge in ('A', 'B')
    group by organisation_code
),
latest_maturity as (
    select organisation_code, arg_max(score, year) as maturity
    from (
        select organisation_code, year, avg(score order by organisation_name, care_setting) as score
        from marts.maturity
        where pillar = 'mean_of_pillars' and organisation_code is not null
        group by organisation_code, year
    )
    group by organisation_code
),
trusts as (
    select
        o.organisation_code,
        o.name,
        o.sector,
        coalesce(o.benchmark_group ilike '%teaching%', false) as is_teaching,
        c.spent_gbp,
        c.financial_year,
        s.share,
        s.share_lower,
        s.share_upper,
        m.maturity,
        o.is_demo
    from dims.organisation as o
    join latest_costs as c using (organisation_code)
    left join latest_share as s using (organisation_code)
    left join latest_maturity as m using (organisation_code)
    where o.kind = 'trust' and o.current_code = o.organisation_code and o.sector is not null
),
pairs as (
    select
        a.*,
        b.organisation_code as peer_code,
        b.name as peer_name,
        b.sector as peer_sector,
        b.is_teaching as peer_is_teaching,
        b.spent_gbp as peer_spent_gbp,
        b.share as peer_share,
        b.maturity as peer_maturity,
        abs(a.share - b.share) <= 0.005 or (a.share_lower <= b.share_upper and b.share_lower <= a.share_upper) as is_similar_share,
        -- a factor of two in size weighs as much as teaching status; another sector weighs three times that
        sqrt(
            (ln(a.spent_gbp / b.spent_gbp) / ln(2)) ** 2
            + case when a.is_teaching <> b.is_teaching then 1 else 0 end
            + case when a.sector <> b.sector then 9 else 0 end
        ) as distance
    from trusts as a
    join trusts as b on a.organisation_code <> b.organisation_code
),
nearest as (
    select *, row_number() over (partition by organisation_code order by distance, peer_code) as nearness
    from pairs
)
select
    organisation_code,
    name as organisation_name,
    peer_code,
    peer_name,
    nearness::integer as nearness,
    distance,
    sector,
    peer_sector,
    is_teaching,
    peer_is_teaching,
    spent_gbp,
    peer_spent_gbp,
    share,
    peer_share,
    maturity,
    peer_maturity,
    case
        when sector <> peer_sector then false
        when maturity is null or peer_maturity is null then null
        when peer_maturity < maturity + 0.25 then false
        when share is null or peer_share is null then null
        else is_similar_share
    end as is_worth_a_call,
    case
        when sector <> peer_sector then 'Another sector.'
        when maturity is null or peer_maturity is null then 'Maturity of one of the two is not known.'
        when peer_maturity < maturity + 0.25 then 'Maturity is not higher by a quarter of a point.'
        when share is null or peer_share is null
            then 'Alike and more mature; whether at a similar share is not known, because one of the two has no share of a year with badge A or B.'
        when is_similar_share then 'Alike, more mature, at a similar share.'
        else 'Alike and more mature, at another share.'
    end as reason,
    is_demo
from nearest
where nearness <= 10

-- marts.maturity
-- Grain: one organisation, year, care setting and pillar (plus mean_of_pillars and overall_comparable).
-- Question: how mature is each trust, where is it behind, and what changed on comparable domains?
-- Caveat: self-assessed, and no league table. overall_comparable compares years on comparable domains only
--         and is not the mean of the pillars; only it has a change.
with scores as (
    select organisation_code, organisation_name, organisation_kind, region, year, care_setting, pillar, score, source_file
    from facts.maturity
    where score is not null
    union all
    select
        organisation_code, organisation_name, organisation_kind, min(region), year, care_setting,
        'mean_of_pillars', avg(score order by pillar), null as source_file
    from facts.maturity
    where pillar <> 'overall_comparable' and score is not null
    group by organisation_code, organisation_name, organisation_kind, year, care_setting
),
placed as (
    select
        *,
        median(score) over setting as setting_median,
        quantile_cont(score, 0.25) over setting as setting_p25,
        count(*) over setting as setting_n
    from scores
    window setting as (partition by year, care_setting, pillar)
)
select
    p.organisation_code,
    p.organisation_name,
    p.organisation_kind,
    p.region,
    p.year,
    p.care_setting,
    p.pillar,
    p.score,
    p.setting_median,
    p.setting_p25,
    p.setting_n,
    greatest(0, p.setting_p25 - p.score) as gap_to_p25,
    p.score - earlier.score as change,
    p.pillar = 'Ensure Smart Foundations' as is_basics_pillar,
    coalesce(o.is_demo, (select bool_or(is_demo) from dims.organisation), false) as is_demo
from placed as p
left join scores as earlier
    on p.pillar = 'overall_comparable' and earlier.pillar = 'overall_comparable'
    and earlier.organisation_name = p.organisation_name and earlier.care_setting = p.care_setting
    and earlier.year = p.year - 1 and earlier.source_file = p.source_file
left join dims.organisation as o on o.organisation_code = p.organisation_code

-- marts.maturity_and_spend_trust
-- Grain: one organisation of today, definition, assessment year and maturity measure.
-- Question: what did each trust spend over three years, and how mature is it?
-- Caveat: association only. Trusts of low maturity receive central capital, so more money can go with less
--         maturity. Maturity is self-assessed; the mean over the trust's care settings is used. Money is the
--         mean share of the latest three years with badge A or B (fewer where fewer are here), default denominator.
with shares as (
    select
        organisation_code,
        financial_year,
        definition,
        denominator,
        share,
        left(financial_year, 4)::integer as year
    from marts.digital_share_as_now
    where badge in ('A', 'B') and denominator = 'operating_expenditure_less_impairments'
),
scores as (
    select
        coalesce(o.current_code, m.organisation_code) as organisation_code,
        m.year as maturity_year,
        m.pillar,
        avg(m.score order by m.organisation_name, m.care_setting) as score,
        count(*) as settings
    from marts.maturity as m
    left join dims.organisation as o using (organisation_code)
    where m.organisation_kind = 'trust' and m.organisation_code is not null
        and m.pillar in ('mean_of_pillars', 'Ensure Smart Foundations', 'overall_comparable')
    group by coalesce(o.current_code, m.organisation_code), m.year, m.pillar
),
-- Years that had begun when the assessment was made, the latest first.
recent as (
    select
        c.organisation_code,
        c.maturity_year,
        c.pillar,
        c.score,
        c.settings,
        s.definition,
        s.denominator,
        s.share,
        s.financial_year,
        row_number() over (
            partition by c.organisation_code, c.maturity_year, c.pillar, s.definition, s.denominator order by s.year desc
        ) as latest
    from scores as c
    join shares as s on s.organisation_code = c.organisation_code and s.year <= c.maturity_year
)
select
    r.organisation_code,
    any_value(o.name) as organisation_name,
    any_value(o.sector) as sector,
    r.definition,
    r.denominator,
    r.maturity_year,
    r.pillar,
    any_value(r.score) as score,
    any_value(r.settings) as care_settings,
    avg(r.share order by r.financial_year) as mean_share,
    count(*)::integer as years_used,
    min(r.financial_year) as first_year,
    max(r.financial_year) as last_year,
    coalesce(bool_or(o.is_demo), false) as is_demo
from recent as r
left join dims.organisation as o using (organisation_code)
where r.latest <= 3
group by r.organisation_code, r.definition, r.denominator, r.maturity_year, r.pillar

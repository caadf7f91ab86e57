-- marts.maturity_and_spend
-- Grain: one definition, assessment year, maturity measure and group of trusts (all, within sectors, one sector).
-- Question: does money go with maturity?
-- Caveat: association only, not cause: trusts of low maturity receive central capital. Spearman's correlation
--         with a bootstrap interval of 95%, computed in pipeline/marts/statistics.py because SQL has no
--         bootstrap, over marts.maturity_and_spend_trust. Fewer than eight trusts give no figure; a figure of
--         1 or -1 has no interval, because every resample of the same order has the same order.
select
    definition,
    denominator,
    maturity_year,
    pillar,
    sector,
    trusts,
    spearman,
    spearman_lower,
    spearman_upper,
    case
        when trusts < 8 then 'Fewer than eight trusts have both a share and a score.'
        when spearman is null then 'All shares or all scores are equal.'
        when spearman_lower is null then 'No interval: shares and scores have the same order, or exactly the reverse.'
    end as reason,
    'Association, not cause.' as caution,
    is_demo
from maturity_and_spend_statistic

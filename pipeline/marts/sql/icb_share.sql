-- marts.icb_share
-- Grain: one integrated care board, financial year, definition and denominator.
-- Question: how far is each board's group of trusts from the benchmark, and how much do its trusts differ?
-- Caveat: sums hold only trusts with badge A or B; the share is the ratio of the sums. Boards exist since
--         July 2022; earlier years show the same areas backwards.
with trusts as (
    select * from marts.digital_share where icb_code is not null
)
select
    t.icb_code,
    min(i.icb_name) as icb_name,
    t.financial_year,
    t.definition,
    t.denominator,
    count(*) as trusts,
    count(*) filter (where t.badge in ('A', 'B')) as trusts_counted,
    sum(t.numerator_gbp) filter (where t.badge in ('A', 'B')) as numerator_gbp,
    sum(t.denominator_gbp) filter (where t.badge in ('A', 'B')) as denominator_gbp,
    sum(t.numerator_gbp) filter (where t.badge in ('A', 'B'))
        / sum(t.denominator_gbp) filter (where t.badge in ('A', 'B')) as share,
    sum(t.share_lower * t.denominator_gbp order by t.organisation_code) filter (where t.badge in ('A', 'B'))
        / sum(t.denominator_gbp) filter (where t.badge in ('A', 'B')) as share_lower,
    sum(t.share_upper * t.denominator_gbp order by t.organisation_code) filter (where t.badge in ('A', 'B'))
        / sum(t.denominator_gbp) filter (where t.badge in ('A', 'B')) as share_upper,
    min(t.share) filter (where t.badge in ('A', 'B')) as lowest_share,
    max(t.share) filter (where t.badge in ('A', 'B')) as highest_share,
    quantile_cont(t.share, 0.1) filter (where t.badge in ('A', 'B')) as p10_share,
    quantile_cont(t.share, 0.9) filter (where t.badge in ('A', 'B')) as p90_share,
    stddev_samp(t.share order by t.organisation_code) filter (where t.badge in ('A', 'B')) as sd_share,
    any_value(t.benchmark) as benchmark,
    any_value(t.benchmark) * sum(t.denominator_gbp) filter (where t.badge in ('A', 'B'))
        - sum(t.numerator_gbp) filter (where t.badge in ('A', 'B')) as gap_gbp,
    bool_or(t.is_demo) as is_demo
from trusts as t
left join dims.icb as i using (icb_code)
group by t.icb_code, t.financial_year, t.definition, t.denominator

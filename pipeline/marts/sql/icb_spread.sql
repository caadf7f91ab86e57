-- marts.icb_spread
-- Grain: one financial year, definition and denominator.
-- Question: do trusts of one board resemble each other, and did boards grow more alike inside?
-- Caveat: icc is the part of the variance between trusts that lies between boards (one-way analysis of
--         variance for groups of different sizes; below zero means no likeness). Badge A and B only, boards
--         with two or more trusts; boards exist since July 2022 and are applied backwards before.
with counted as (
    select
        financial_year,
        definition,
        denominator,
        icb_code,
        organisation_code,
        share,
        is_demo,
        count(*) over (partition by financial_year, definition, denominator, icb_code) as board_size
    from marts.digital_share
    where badge in ('A', 'B') and icb_code is not null
),
boards as (
    select
        financial_year,
        definition,
        denominator,
        icb_code,
        count(*) as n,
        avg(share order by organisation_code) as mean_share,
        coalesce(var_samp(share order by organisation_code), 0) * (count(*) - 1) as squares_within,
        stddev_samp(share order by organisation_code) as sd_within,
        bool_or(is_demo) as is_demo
    from counted
    where board_size >= 2
    group by financial_year, definition, denominator, icb_code
),
overall as (
    select
        financial_year,
        definition,
        denominator,
        sum(n * mean_share order by icb_code) / sum(n) as grand_mean
    from boards
    group by financial_year, definition, denominator
),
sums as (
    select
        b.financial_year,
        b.definition,
        b.denominator,
        count(*) as boards,
        sum(b.n)::bigint as trusts,
        avg(b.sd_within order by b.icb_code) as mean_sd_within,
        sum(b.squares_within order by b.icb_code) as squares_within,
        sum(b.n * (b.mean_share - o.grand_mean) ** 2 order by b.icb_code) as squares_between,
        -- board size that stands for boards of different sizes
        (sum(b.n) - sum(b.n ** 2) / sum(b.n)) / nullif(count(*) - 1, 0) as typical_size,
        bool_or(b.is_demo) as is_demo
    from boards as b
    join overall as o using (financial_year, definition, denominator)
    group by b.financial_year, b.definition, b.denominator
),
variances as (
    select
        *,
        squares_between / nullif(boards - 1, 0) as mean_square_between,
        squares_within / nullif(trusts - boards, 0) as mean_square_within
    from sums
)
select
    financial_year,
    definition,
    denominator,
    boards,
    trusts,
    sqrt(greatest(0, mean_square_within)) as sd_within_boards,
    sqrt(greatest(0, (mean_square_between - mean_square_within) / typical_size)) as sd_between_boards,
    mean_sd_within,
    case when boards >= 3 then
        (mean_square_between - mean_square_within)
        / nullif(mean_square_between + (typical_size - 1) * mean_square_within, 0)
    end as icc,
    case when boards < 3 then 'Fewer than three boards have two or more trusts with badge A or B.' end as reason,
    is_demo
from variances

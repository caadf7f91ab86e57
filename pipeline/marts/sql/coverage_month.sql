-- marts.coverage_month
-- Grain: one trust and month of every financial year in which the trust published anything here.
-- Question: which months did each trust publish, and how much is in them?
-- Caveat: a month counts as published with five lines, or with a twentieth of the trust's usual month;
--         a few stray lines of a neighbouring month are not a publication, however many copies of a file there
--         are: a repeated line counts once. Missing is null, never zero.
with lines as (
    select
        organisation_code,
        financial_year,
        month,
        coalesce(sum(lines) filter (where not is_duplicate), 0)::bigint as lines,
        sum(amount_gbp) filter (where not is_balance_sheet and not is_duplicate) as amount_gbp,
        sum(amount_gbp) filter (where counted_as = 'yes' and not is_balance_sheet and not is_duplicate) as digital_gbp
    from measures.payment_cell
    group by organisation_code, financial_year, month
    having bool_or(not is_duplicate)
),
usual as (
    select organisation_code, median(lines) as median_lines
    from lines
    group by organisation_code
),
years as (
    select organisation_code, financial_year
    from lines
    join usual using (organisation_code)
    cross join measures.parameter_row as p
    group by organisation_code, financial_year
    having max(lines) >= least(any_value(p.month_lines), any_value(p.month_part * median_lines))
),
calendar as (
    select
        organisation_code,
        financial_year,
        (make_date(left(financial_year, 4)::integer, 4, 1) + to_months(n::integer))::date as month
    from years
    cross join range(12) as r (n)
)
select
    c.organisation_code,
    o.name as organisation_name,
    c.financial_year,
    c.month,
    coalesce(l.lines >= least(p.month_lines, p.month_part * u.median_lines), false) as is_present,
    coalesce(l.lines, 0) as lines,
    case when l.lines >= least(p.month_lines, p.month_part * u.median_lines) then coalesce(l.amount_gbp, 0) end as amount_gbp,
    case when l.lines >= least(p.month_lines, p.month_part * u.median_lines) then coalesce(l.digital_gbp, 0) end as digital_gbp,
    -- the trust existed by the register, or published all the same
    coalesce(o.opened <= last_day(c.month), true) and coalesce(o.closed > c.month, true)
        or coalesce(l.lines >= least(p.month_lines, p.month_part * u.median_lines), false) as is_open,
    coalesce(o.is_demo, false) as is_demo
from calendar as c
left join lines as l using (organisation_code, month)
left join usual as u using (organisation_code)
left join dims.organisation as o using (organisation_code)
cross join measures.parameter_row as p

-- Estimated pay of digital staff: staff costs x (proxy FTE / all FTE) x digital part of the proxy, which is
-- FTE x mean pay per FTE. Grain: one trust and financial year with staff costs and any count of staff.
-- The count nearest in time is used; of two equally near, the earlier year, then
-- central functions (the narrower one), then the earlier month.
with counts as (
    select
        organisation_code,
        proxy,
        month,
        -- a month of January to March belongs to the financial year that began the April before
        year(month) - (month(month) < 4)::integer as year,
        strftime(month, '%B %Y') as counted_in,
        proxy_fte / all_fte as fte_share
    from measures.staff_proxy
    where proxy in ('central functions', 'administration and estates')
),
nearest as (
    select
        c.organisation_code,
        c.financial_year,
        arg_min(s, abs(s.year - left(c.financial_year, 4)::integer) * 10000000
            + s.year * 1000 + (s.proxy <> 'central functions')::integer * 100 + (month(s.month) + 8) % 12) as chosen
    from measures.cost_split as c
    join counts as s using (organisation_code)
    group by c.organisation_code, c.financial_year
)
select
    c.organisation_code,
    c.financial_year,
    n.chosen.proxy as proxy,
    n.chosen.fte_share as fte_share,
    c.staff_gbp * n.chosen.fte_share
        * case n.chosen.proxy when 'central functions' then p.digital_part_of_central else p.digital_part_of_administration end
        as pay_gbp,
    c.staff_gbp * n.chosen.fte_share
        * case n.chosen.proxy when 'central functions' then p.digital_part_of_central_low else p.digital_part_of_administration_low end
        as pay_low_gbp,
    c.staff_gbp * n.chosen.fte_share
        * case n.chosen.proxy when 'central functions' then p.digital_part_of_central_high else p.digital_part_of_administration_high end
        as pay_high_gbp,
    'Digital staff estimated as a part of ' || n.chosen.proxy || ' counted in ' || n.chosen.counted_in
        || case when n.chosen.year <> left(c.financial_year, 4)::integer then ', another financial year' else '' end
        || case when c.staff_is_from_accounts then '.' else '; staff costs of the year estimated from other accounts.' end
        as note
from measures.cost_split as c
join nearest as n using (organisation_code, financial_year)
cross join measures.parameter_row as p

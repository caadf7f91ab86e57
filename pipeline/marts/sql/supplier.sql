-- marts.supplier
-- Grain: one supplier (canonical name) and financial year, over all trusts whose payments are here.
-- Question: whom does the digital money go to, how concentrated is it, and how much of it comes back each year?
-- Caveat: published digital payments of the trusts here (no national bodies, no boards), so totals grow with the number of trusts and months.
--         Resellers hide the makers behind them. A number instead of a name is a key or a redaction: it counts
--         in totals and not in concentration. Recurrent means paid by the same trust in three of four years.
with trust_years as (
    -- years that a trust published, of the four that end with this one
    select
        organisation_code,
        financial_year,
        count(*) over (
            partition by organisation_code order by left(financial_year, 4)::integer range between 3 preceding and current row
        ) as years_published
    from measures.published_months
    where months_present > 0
),
supplier_year as (
    select
        s.supplier,
        s.financial_year,
        not regexp_matches(s.supplier, '^[0-9 ]+$|^\(no supplier') as is_named,
        sum(s.amount_gbp) as amount_gbp,
        sum(s.lines)::bigint as lines,
        count(*) as trusts,
        count(*) filter (where t.years_published >= 3) as trusts_with_history,
        count(*) filter (where t.years_published >= 3 and s.years_paid >= 3) as trusts_recurrent,
        coalesce(sum(s.amount_gbp) filter (where t.years_published >= 3 and s.years_paid >= 3), 0) as recurrent_gbp,
        sum(s.epr_gbp) as epr_gbp
    from measures.supplier_paid as s
    left join trust_years as t using (organisation_code, financial_year)
    left join dims.organisation as o using (organisation_code)
    where coalesce(o.kind, 'trust') = 'trust'
    group by s.supplier, s.financial_year
),
market as (
    select
        financial_year,
        sum(amount_gbp) as amount_gbp,
        sum(amount_gbp) filter (where is_named and amount_gbp > 0) as named_gbp
    from supplier_year
    group by financial_year
),
concentration as (
    select
        s.financial_year,
        10000 * sum((s.amount_gbp / m.named_gbp) ** 2 order by s.amount_gbp desc, s.supplier) as hhi,
        list_sum(max(s.amount_gbp, 5)) / any_value(m.named_gbp) as cr5
    from supplier_year as s
    join market as m using (financial_year)
    where s.is_named and s.amount_gbp > 0
    group by s.financial_year
),
-- Names of the list of electronic patient records, matched from their first word on.
record_suppliers as (
    select distinct s.supplier
    from (
        select distinct supplier, lower(supplier) || ' ' as words
        from supplier_year
        where is_named and length(supplier) >= 3
    ) as s
    join (
        select distinct regexp_replace(lower(supplier), '^the ', '') || ' ' as words
        from facts.epr
        where supplier is not null
    ) as e on starts_with(e.words, s.words) or starts_with(s.words, e.words)
)
select
    s.supplier,
    s.financial_year,
    s.is_named,
    s.amount_gbp,
    s.lines,
    s.trusts,
    s.amount_gbp / nullif(m.amount_gbp, 0) as share_of_digital,
    r.supplier is not null or s.epr_gbp > 0 as is_epr_supplier,
    s.trusts_with_history,
    case when s.trusts_with_history > 0 then s.trusts_recurrent end as trusts_recurrent,
    case when s.trusts_with_history > 0 then s.recurrent_gbp end as recurrent_gbp,
    c.hhi as year_hhi,
    c.cr5 as year_cr5,
    (select coalesce(bool_or(is_demo), false) from dims.organisation) as is_demo
from supplier_year as s
join market as m using (financial_year)
left join concentration as c using (financial_year)
left join record_suppliers as r using (supplier)

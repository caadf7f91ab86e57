-- marts.trust_supplier
-- Grain: one trust, financial year and supplier: the ten largest named suppliers of the trust's digital money.
-- Question: whom does a trust pay for digital, and how much of it goes to one supplier?
-- Caveat: published digital payments only. Resellers hide the makers behind them. A number instead of a name is a
--         key or a redaction: it counts in the whole and is not listed. Suppliers with more credits than payments
--         are not listed either.
with wholes as (
    select organisation_code, financial_year, sum(amount_gbp) as all_gbp
    from measures.supplier_paid
    group by organisation_code, financial_year
),
named as (
    select *
    from measures.supplier_paid
    where amount_gbp > 0 and not regexp_matches(supplier, '^[0-9 ]+$|^\(no supplier')
),
-- The tenth largest of each trust and year: thousands of smaller ones need no place.
tenth as (
    select organisation_code, financial_year, list_min(max(amount_gbp, 10)) as tenth_gbp
    from named
    group by organisation_code, financial_year
),
placed as (
    select
        s.organisation_code,
        o.name as organisation_name,
        s.financial_year,
        s.supplier,
        s.amount_gbp,
        s.lines,
        w.all_gbp,
        coalesce(o.is_demo, false) as is_demo,
        row_number() over (
            partition by s.organisation_code, s.financial_year order by s.amount_gbp desc, s.supplier
        ) as place
    from named as s
    join tenth as t using (organisation_code, financial_year)
    join wholes as w using (organisation_code, financial_year)
    left join dims.organisation as o using (organisation_code)
    where coalesce(o.kind, 'trust') = 'trust' and s.amount_gbp >= t.tenth_gbp
)
select
    organisation_code,
    organisation_name,
    financial_year,
    place::integer as place,
    supplier,
    amount_gbp,
    lines,
    amount_gbp / nullif(all_gbp, 0) as share_of_digital,
    is_demo
from placed
where place <= 10

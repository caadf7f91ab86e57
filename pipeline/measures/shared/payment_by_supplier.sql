-- Lines and pounds of digital payments by supplier, its name as it stands in the facts.
-- Grain: one trust, financial year, supplier and category. Upper-bound categories are still in it.
-- Each sum is of one trust and one year, so those of trusts whose payments did not change can be kept.
select
    organisation_code,
    financial_year,
    supplier_canonical,
    category,
    sum(amount_gbp) as amount_gbp,
    count(*) as lines
from facts.payment
where digital = 'yes' and not is_balance_sheet and not is_duplicate and not is_superseded
group by organisation_code, financial_year, supplier_canonical, category

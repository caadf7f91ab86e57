-- How much of what a trust spent outside pay and depreciation its published payments show.
-- Grain: one trust and financial year with payments and operating expenditure.
-- capture_ratio is published payments of the months present over non-pay spending and capital additions
-- of the whole year, so a missing month lowers it. The low and high ends of the denominator span what is
-- estimated in it. Where additions are not in the accounts here they are left out of the ratio (which is
-- then too high) and the high end allows for them.
select
    p.organisation_code,
    p.financial_year,
    c.nonpay_gbp + coalesce(c.capital_additions_gbp, 0) as nonpay_and_additions_gbp,
    c.nonpay_gbp * (1 - c.nonpay_error) + coalesce(c.capital_additions_gbp, 0) as nonpay_and_additions_low_gbp,
    c.nonpay_gbp * (1 + c.nonpay_error)
        + coalesce(c.capital_additions_gbp, q.additions_share_high * c.spent_gbp) as nonpay_and_additions_high_gbp,
    p.published_gbp,
    p.published_gbp / nullif(c.nonpay_gbp + coalesce(c.capital_additions_gbp, 0), 0) as capture_ratio,
    nullif(concat_ws(' ',
        c.note,
        case when c.capital_additions_gbp is null
            then 'Capital additions are not in the accounts here, so the capture ratio leaves them out.' end
    ), '') as note
from measures.payment_sum as p
join measures.cost_split as c using (organisation_code, financial_year)
cross join measures.parameter_row as q

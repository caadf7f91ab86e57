-- One column per line of the accounts that the measures use, in pounds (WTE where named so).
-- Grain: one trust and financial year. Null means the line is not in the files here; zero is zero.
select
    organisation_code,
    financial_year,
    min(sector) as sector,
    -- Totals set into the published layout by hand, where the full workbook was not to be had.
    bool_or(source_file ilike '%reconstructed%') as is_reconstructed,
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A08CY01' and sub_code = 'EXP0390') as operating_expenditure,
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A08CY01' and sub_code = 'EXP0260') as impairments,
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A08CY01' and sub_code = 'EXP0130') as staff_costs,
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A08CY01' and sub_code in ('EXP0240', 'EXP0250')) as depreciation_amortisation,
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A02CY01' and sub_code in ('SCI0100A', 'SCI0110A')) as operating_income,
    -- Information technology in plant; software licences, IT, development and websites in intangibles:
    -- purchased, leased until 2021/22, donated.
    1000 * sum(value order by main_code, sub_code) filter (where (main_code = 'A14CY08' and sub_code in ('PPE0060', 'PPE0070', 'PPE0080', 'PPE0090'))
        or (main_code in ('A13CY02', 'A13CY05', 'A13CY06', 'A13CY08') and sub_code in ('INT0060', 'INT0080', 'INT0090'))) as digital_additions,
    1000 * sum(value order by main_code, sub_code) filter (where (main_code = 'A14CY01' and sub_code in ('PPE0060', 'PPE0070', 'PPE0080', 'PPE0090'))
        or (main_code = 'A13CY01' and sub_code in ('INT0060', 'INT0080', 'INT0090'))) as capital_additions,
    -- Information technology in plant at the end of the year: what it cost, and how much is written off.
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A14CY08' and sub_code = 'PPE0190') as it_gross_cost,
    1000 * sum(value order by main_code, sub_code) filter (where main_code = 'A14CY08' and sub_code = 'PPE0350') as it_accumulated_depreciation,
    sum(value order by main_code, sub_code) filter (where main_code = 'A09CY01' and sub_code = 'STA0490') as total_wte,
    sum(value order by main_code, sub_code) filter (where main_code = 'A09CY01' and sub_code = 'STA0390') as administration_wte
from facts.account_line
where organisation_code is not null
group by organisation_code, financial_year

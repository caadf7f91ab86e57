"""Suppliers of the demonstration: invented companies, by what they sell.

Belongs here: made-up company names in pools by trade. Does not belong here: what a line of a
ledger is called and whether it is digital (``ledger``). No name is taken from a real supplier; a
test compares them with the real files where these are at hand.
"""

from __future__ import annotations

# Invented word stems. They are put together with a trade below, never with each other's trade
# twice, so that one name stands for one company.
_STEMS = (
    "Quillmere", "Brindlecote", "Tarnbarrow", "Oakendale", "Sablewick", "Fernhythe",
    "Marlswick", "Copperlode", "Dunwether", "Elderquay", "Foxtarn", "Glimmerford", "Hathermoor",
    "Inglebarrow", "Jessamere", "Kettlesyke", "Lanternhowe", "Mossgarth", "Nightjarfen",
    "Otterlode", "Plovergate", "Quernholt", "Rushbarrow", "Silverhythe", "Teasewell",
    "Umberquay", "Vixenholt", "Wrenlode", "Yafflemere", "Zephyrcote", "Amberlathe",
    "Bitternsea", "Cobnutdale", "Dabchickfen", "Eyotbridge", "Furrowquay", "Gannetlode",
    "Hoopwether", "Islequill", "Juniperlathe",
)  # fmt: skip

_TRADES: dict[str, tuple[str, ...]] = {
    "epr": ("Patient Records Ltd", "Clinical Records UK Ltd", "Health Informatics Ltd"),
    "clinical_it": ("Diagnostics IT Ltd", "Clinical Systems Ltd", "Imaging Software Ltd"),
    "software": ("Software Ltd", "Applications Ltd", "Business Systems Ltd"),
    "reseller": ("Technology Supplies Ltd", "Computing Ltd", "Computer Products Ltd"),
    "network": ("Networks Ltd", "Telecom Ltd", "Connectivity Ltd"),
    "hosting": ("Cloud Hosting Ltd", "Data Centres Ltd"),
    "cyber": ("Cyber Security Ltd", "Information Assurance Ltd"),
    "data": ("Analytics Ltd", "Data Services Ltd"),
    "it_services": ("IT Services Ltd", "Digital Delivery Ltd", "Service Desk Ltd"),
    "it_people": ("Interim Resourcing Ltd", "Digital Talent Ltd"),
    "patient": ("Patient Messaging Ltd", "Patient Portals Ltd"),
    "print": ("Print Solutions Ltd", "Document Storage Ltd", "Records Scanning Ltd"),
    "consultancy": ("Advisory LLP", "Consulting LLP"),
    "shared": ("Business Shared Services", "Business Services Partnership"),
    "drugs": ("Pharmaceuticals Ltd", "Pharma Wholesale Ltd", "Medicines UK Ltd"),
    "medical": ("Medical Ltd", "Surgical UK Ltd", "Healthcare Products Ltd"),
    "laboratory": ("Laboratories Ltd", "Reagents Ltd"),
    "building": ("Construction Ltd", "Building Services Ltd", "Civil Works Ltd"),
    "facilities": ("Facilities Management Ltd", "Hospital Services Ltd", "Catering Ltd"),
    "energy": ("Energy Supply Ltd", "Gas & Power Ltd", "Water Ltd"),
    "agency": ("Locums Ltd", "Nursing Agency Ltd", "Staffing Ltd"),
    "care": ("Independent Hospitals Ltd", "Community Care CIC", "Diagnostic Centres Ltd"),
    "property": ("Property Partnership", "Estates LIFT Company Ltd"),
    "transport": ("Patient Transport Ltd", "Vehicle Leasing Ltd"),
    "hotel": ("Park Hotel Ltd", "Lodge Hotel Ltd"),
    "council": ("District Council", "Borough Council"),
    "insurer": ("Risk Pooling Scheme",),
    "university": ("University",),
    "tax": ("Demonstration Revenue & Customs",),
    "pension": ("Demonstration Pensions Agency",),
    "treasury": ("Demonstration Public Dividend Capital", "Demonstration Treasury Loans"),
    "supply_chain": ("Demonstration Supply Chain Coordination Ltd",),
}
_WHOLE = {"tax", "pension", "treasury", "supply_chain"}
POOL_SIZE = 12


def _pool(trade: str, number: int) -> tuple[str, ...]:
    endings = _TRADES[trade]
    if trade in _WHOLE:
        return endings
    return tuple(
        f"{_STEMS[(number * 7 + i) % len(_STEMS)]} {endings[i % len(endings)]}"
        for i in range(POOL_SIZE)
    )


SUPPLIERS: dict[str, tuple[str, ...]] = {
    trade: _pool(trade, number) for number, trade in enumerate(_TRADES)
}
"""Invented company names by trade; every pool holds at least one name."""

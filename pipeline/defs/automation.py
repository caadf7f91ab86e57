"""What follows by itself when an analyst materialises a part: everything after it, once.

Belongs here: the condition and the sensor that asks for it. A mart that was built again makes the
marts and charts behind it and the database go with it, so that nothing published is of two minds.
Facts never follow their raw files by themselves: reading is started by a person, a schedule or the
sensor on raw files.
"""

import dagster as dg

FOLLOW = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    # The first build is a person's decision; this only keeps up what exists.
    & ~dg.AutomationCondition.missing()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
    & ~dg.AutomationCondition.backfill_in_progress()
).with_label("follows what it is made of")

keep_up = dg.AutomationConditionSensorDefinition(
    "keep_up",
    target=dg.AssetSelection.groups("facts", "marts", "charts", "published"),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "When a table is materialised on its own, builds what is made of it: marts, charts and the "
        "publication, each once. Turn it off to work on parts without publishing."
    ),
)

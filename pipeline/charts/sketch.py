"""What a chart is drawn on: a Plotly figure in its plain form, of dictionaries and lists.

Plotly knows a figure in two forms: as objects, which look at each property when it is set, and as the
dictionaries that its library in the browser is given. The objects took as long as everything else
together while a site is drawn. So builders put the dictionaries together, under the names that the
methods of Plotly's figures have, and :meth:`Sketch.checked` makes the object, which refuses what Plotly
does not know. The tests hold both forms of every chart to each other.

Belongs here: collecting traces and layout. Does not belong here: any look (``theme``) or chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

Properties = dict[str, Any]


class Sketch:
    """Traces and layout of one figure.

    A property that is None is not set. A title may be given as text.

    Attributes:
        data: Traces, as Plotly takes them (https://plotly.com/python/reference/).
        layout: What surrounds them.
    """

    def __init__(self, **layout: Any) -> None:
        self.data: list[Properties] = []
        self.layout: Properties = _set(layout)

    def add_scatter(self, **properties: Any) -> None:
        """Add points, lines or texts."""
        self._add("scatter", properties)

    def add_bar(self, **properties: Any) -> None:
        """Add bars."""
        self._add("bar", properties)

    def add_heatmap(self, **properties: Any) -> None:
        """Add a grid of coloured cells."""
        self._add("heatmap", properties)

    def add_treemap(self, **properties: Any) -> None:
        """Add nested rectangles."""
        self._add("treemap", properties)

    def add_shape(self, **properties: Any) -> None:
        """Add a line or rectangle."""
        self.layout.setdefault("shapes", []).append(_set(properties))

    def add_annotation(self, **properties: Any) -> None:
        """Add a note."""
        self.layout.setdefault("annotations", []).append(_set(properties))

    def update_layout(self, **properties: Any) -> None:
        """Set properties of the layout; what is below one that is a dictionary is set one by one."""
        _update(self.layout, properties)

    def update_xaxes(self, **properties: Any) -> None:
        """Set properties of the horizontal axis."""
        _update(self.layout, {"xaxis": properties})

    def update_yaxes(self, **properties: Any) -> None:
        """Set properties of the vertical axis."""
        _update(self.layout, {"yaxis": properties})

    def checked(self) -> go.Figure:
        """The figure as Plotly's object, without a theme.

        Raises:
            ValueError: where a property is none of Plotly's or cannot have its value.
        """
        import plotly.graph_objects as go

        return go.Figure(data=self.data, layout={"template": "none", **self.layout})

    def _add(self, kind: str, properties: Properties) -> None:
        self.data.append({"type": kind, **_set(properties)})


def _set(properties: Properties) -> Properties:
    """The properties that are set, at every depth; a list is taken as it is, but for the dictionaries in it."""
    found = {}
    for name, value in properties.items():
        if value is None:
            continue
        if isinstance(value, dict):
            value = _set(value)
        elif name == "title" and isinstance(value, str):
            value = {"text": value}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            value = [_set(item) for item in value]
        found[name] = value
    return found


def _update(old: Properties, new: Properties) -> None:
    for name, value in _set(new).items():
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            _update(old[name], value)
        else:
            old[name] = value

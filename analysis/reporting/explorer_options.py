"""Widgets for the options of a method's call: sliders for numbers and bands, ticks for yes or no, fields for words."""

import ast
import contextlib

from analysis.methods import METHODS, calls

TIMES = 10  # a slider of counts goes to so many times the default
SMALL = 0.01  # a number below it has a slider of powers of ten
MOST_WRITTEN = 80  # characters in a field; a longer option (the prompts of SelectIT) is left to the call


class Options:
    """The options of the call in a text widget: moving one writes the call, and another call shows its own.

    Parameters
    ----------
    written : widget whose `value` is the call.
    how : keywords that all widgets take.

    Attributes
    ----------
    box : what to show.
    fields : the widget of each option, by its name.
    """

    def __init__(self, written, **how):
        import ipywidgets

        self.written, self.how = written, how
        self.box, self.fields = ipywidgets.VBox(), {}
        self._method, self._following = "", False
        self._follow()
        written.observe(self._follow, "value")

    def _follow(self, _=None) -> None:
        """Show what the call says; a text that is no call changes nothing here and is refused where it is carried out."""
        try:
            name, given = calls.parse(self.written.value)
        except ValueError:
            return
        if name != self._method:
            self._method, self.fields = name, self._made(name)
            self.box.children = tuple(self.fields.values())
        self._following = True  # a slider may end before the value: the call keeps it
        for option, value in (calls.default_options(name) | given).items():
            if option in self.fields:
                _show(self.fields[option], value)
        self._following = False

    def _made(self, name: str) -> dict:
        made = {}
        for option, default in calls.default_options(name).items():
            if len(repr(default)) <= MOST_WRITTEN:
                made[option] = self._field(name, option, default)
                made[option].observe(lambda change, option=option: self._write(option, change["new"]), "value")
        return made

    def _field(self, name: str, option: str, default):
        import ipywidgets as widgets

        how = self.how | {"description": option.replace("_", " "), "tooltip": f"{option} of {name}"}
        if option == METHODS[name].inner:
            return widgets.Combobox(options=[*METHODS[name].words, *METHODS], **how)
        if isinstance(default, bool):
            how.pop("continuous_update", None)
            return widgets.Checkbox(default, **how)
        if isinstance(default, int):
            return widgets.IntSlider(default, 1, TIMES * default, **how)
        if isinstance(default, float):
            if default < SMALL:
                return widgets.FloatLogSlider(default, min=-6, max=0, **how)
            return widgets.FloatSlider(default, min=0, max=1 if default <= 1 else TIMES * default, step=0.01, **how)
        if option == "band" and not isinstance(default, str):
            return widgets.FloatRangeSlider(min=0, max=100, step=1, readout_format="d", **how)
        return widgets.Text(placeholder="as the method decides" if default is None else "", **how)

    def _write(self, option: str, value) -> None:
        if not self._following:
            default = calls.default_options(self._method)[option]
            self.written.value = calls.call(self.written.value, **{option: _meant(value, default)})


def _show(field, value) -> None:
    from traitlets import TraitError

    if hasattr(field, "placeholder"):
        value = "" if value is None else str(value)
    elif value is None:  # a band that is not asked for
        value = (field.min, field.max)
    with contextlib.suppress(TraitError):  # a value of another kind stays in the call, which is refused as such
        field.value = value


def _meant(value, default):
    """A widget's value as the option takes it: text as what it stands for, whole percentiles without a point."""
    if isinstance(value, tuple):
        return tuple(int(one) if one == int(one) else one for one in value)
    if not isinstance(value, str) or isinstance(default, str):
        return value
    try:
        return ast.literal_eval(value) if value.strip() else default
    except (SyntaxError, ValueError):
        return value  # a word

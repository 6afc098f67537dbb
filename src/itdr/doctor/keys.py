"""Are the keys of paid endpoints there, and does the estimate stay below their caps?"""

from collections.abc import Iterator

from itdr.doctor.finding import Finding
from itdr.doctor.machine import Machine
from itdr.endpoints.keys import read_key
from itdr.errors import SettingsError
from itdr.planning.jobs import ANSWERING
from itdr.planning.needs import Needs
from itdr.settings.endpoint import EndpointSettings


def check_keys(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield a finding for each endpoint that is asked."""
    workflow = needs.sizes.workflow
    teacher = workflow.experiment.teacher
    if needs.of("annotate_examples") and teacher.kind == "endpoint":
        dollars = needs.cost("annotate_examples").dollars
        yield _finding(teacher.model, teacher, dollars, machine)
    for model in needs.values("model", *ANSWERING):
        endpoint = workflow.models[model].endpoint
        if endpoint:
            yield _finding(model, endpoint, needs.dollars_of(model), machine)


def _finding(name: str, endpoint: EndpointSettings, dollars: float, machine: Machine) -> Finding:
    check = f"key {name}"
    costs = f"about {dollars:,.2f} US$" if dollars else "a cost that is not known"
    cap = endpoint.spending_cap
    needed = f"{costs}, {'no cap' if cap is None else f'cap {cap:,.2f} US$'}"
    variable = endpoint.key_variable
    if variable is None:
        return Finding(check, "ok", f"{endpoint.base_url} asks for none", needed)
    try:
        read_key(endpoint, machine.variables)
    except SettingsError:
        filled = bool(machine.variables.get(variable, "").strip())
        empty = "set to nothing" if variable in machine.variables else "not set"
        found = "set, with a blank or a letter that no key has" if filled else empty
        return Finding(check, "missing", f"{variable} is {found}", needed,
                       f"export {variable}=..., the key for {endpoint.base_url}.")  # fmt: skip
    if cap is not None and dollars > cap:
        return Finding(check, "warning", f"{variable} is set", needed,
                       "it stops at the cap, what was answered is kept; raise 'spending_cap' to "
                       "let it go on.")  # fmt: skip
    return Finding(check, "ok", f"{variable} is set", needed)

"""Templates write what Jinja2 writes, or are stopped soon, with the line that is at fault."""

import time

import pytest

from itdr.rendering.template import Template, TemplateFaultError
from tests.unit.test_model_files import FAMILIES

GROWING = {
    "nested ranges": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
    "{% endfor %}",
    "repeated text": "{{ 'a' * 10 ** 11 }}",
    "repeated list": "{{ [1] * 10 ** 11 }}",
    "power": "{{ 10 ** 5000 }}",
    "powers": "{% set n = namespace(x=9) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}"
    "{% endfor %}",
    "doubled by +": "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x = n.x + n.x %}{% endfor %}",
    "doubled by ~": "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x = n.x ~ n.x %}{% endfor %}",
    "doubled by a block": "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "lists of lists": "{% set n = namespace(x=['a']) %}{% for i in range(60) %}"
    "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "macro": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "loop that calls itself": "{% for x in [[[]]] recursive %}{{ loop(range(99999) | list) }}"
    "{% endfor %}",
    "wide": "{{ 'a' | center(10000000000) }}",
    "wide method": "{{ 'a'.ljust(10000000000) }}",
    "wide format": "{{ '%99999999999d' | format(1) }}",
    "format method": "{{ '{:>99999999999}'.format(1) }}",
    "bytes of a number": "{{ (1).to_bytes(99999999999, 'big') }}",
    "replaced": "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}",
    "joined": "{{ range(99999) | map('string') | join('x' * 100000) }}",
    "nested": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long": "a" * 300_000,
}


@pytest.mark.parametrize("is_chat", [False, True], ids=["task", "chat"])
@pytest.mark.parametrize("name", GROWING)
def test_what_grows_without_end_is_stopped(name, is_chat):
    begun = time.process_time()
    with pytest.raises(TemplateFaultError):
        Template(GROWING[name], is_chat=is_chat).render({})
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\n{{ 1 / 0 }}", "line 3: division by zero"),
        ("\n{{ nobody }}", "line 2: 'nobody' is undefined"),
        ("\n\n\n{% if %}", "line 4: Expected an expression"),
        ("{{ [1, 2] | random }}", "line 1: the filter 'random' is not available"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ '\\ud800' }}", "surrogates not allowed"),
        ("{% set n = namespace(__class__=1) %}", "begins with an underscore"),
    ],
)
def test_a_fault_has_its_line(text, message):
    with pytest.raises(TemplateFaultError, match=message):
        Template(text).render({})


def test_a_chat_template_has_no_time_of_day():
    text = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}never{% endif %}"
    assert Template(text, is_chat=True).render({}) == "never"


@pytest.mark.parametrize("family", [name for name, one in FAMILIES.items() if one.template])
@pytest.mark.parametrize("asked", [True, False])
def test_chat_templates_write_what_transformers_writes(family, asked):
    from transformers.utils.chat_template_utils import render_jinja_template

    text = FAMILIES[family].template
    messages = [
        {"role": "system", "content": " Be brief. "},
        {"role": "user", "content": "naïve 北京\n\n{{ x }}"},
        {"role": "assistant", "content": "ok"},
    ]
    values = {"bos_token": "<s>", "date_string": "1 May", "add_generation_prompt": asked}
    theirs, _ = render_jinja_template(conversations=[messages], chat_template=text, **values)
    ours = Template(text, is_chat=True).render(
        {"messages": messages, "tools": None, "documents": None} | values
    )
    assert [ours] == theirs


def test_common_words_of_chat_templates_work():
    text = """\
{%- set n = namespace(seen=0) %}
{%- for message in messages if message.role != "system" %}
    {%- if loop.index0 > 5 %}{% break %}{% endif %}
    {%- set n.seen = n.seen + 1 %}
    {{- loop.index ~ "/" ~ n.seen ~ ":" ~ message["content"][::-1].strip().split("b")[0] }}
    {%- generation %}<{{ message.role | upper }}>{% endgeneration %}
    {{- message | tojson }}{{ "," if not loop.last }}
{%- endfor %}
{%- macro twice(x) %}{{ x * 2 }}{% endmacro %}
{{- twice("ab") }}"""
    messages = [{"role": "user", "content": "äb"}, {"role": "tool", "content": "1"}]
    assert Template(text, is_chat=True).render({"messages": messages}) == (
        '1/1:<USER>{"role": "user", "content": "äb"},'
        '2/2:1<TOOL>{"role": "tool", "content": "1"}abab'
    )

"""Texts that are put to the API: bodies, queries, ids, names, addresses, templates."""

BODIES = (
    # what it is, the bytes, the status, the code
    ("no JSON", b"name=Line", 400, "not_json"),
    ("JSON that is cut off", b'{"name": "N"', 400, "not_json"),
    ("NaN", b'{"name": NaN}', 400, "not_json"),
    ("Infinity", b'{"name": -Infinity}', 400, "not_json"),
    ("a name twice", b'{"name": "one", "name": "two"}', 400, "not_json"),
    ("a name twice inside", b'{"smtp": {"host": "a", "host": "b"}}', 400, "not_json"),
    ("100,000 brackets", b"[" * 100_000 + b"]" * 100_000, 400, "not_json"),
    ("50,000 braces", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "not_json"),
    ("no UTF-8", b'{"name": "\xff\xfe"}', 400, "not_json"),
    ("a number of 10,000 digits", b'{"name": ' + b"1" * 10_000 + b"}", 400, "not_json"),
    ("a million bytes", b'{"name": "' + b"a" * 1_000_000 + b'"}', 413, "too_large"),
    ("a list", b"[]", 422, "invalid"),
    ("null", b"null", 422, "invalid"),
    ("a text", b'"text"', 422, "invalid"),
    ("nothing", b"", 422, "invalid"),
    ("an empty object", b"{}", 422, "invalid"),
    ("half a surrogate pair", b'{"name": "\\ud800"}', 422, "invalid"),
    ("a field nobody knows", b'{"account_id": "x", "__proto__": {"admin": true}}', 422, "invalid"),
)

CONTENT_TYPES = (
    ("XML", "application/xml"),
    ("a form", "application/x-www-form-urlencoded"),
    ("text", "text/plain"),
    ("no type at all", ";"),
)

QUERIES = (
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=-1", "limit"),
    ("limit=1e3", "limit"),
    ("limit=many", "limit"),
    ("limit=99999999999999999999", "limit"),
    ("size=5", "size"),
    ("status=lost", "status"),
    ("status=sent%27%20OR%201=1", "status"),
    ("account_id=x", "account_id"),
)

CURSORS = ("%00", "e30", "W10", "WzEsMl0", "WyJhIiwgImIiLCAiYyJd", "!")

IDS = (
    "x",
    "x%2Fcontacts",
    "%00",
    "%F0%9F%92%A9",
    "%27%20OR%201=1",
    "$ne",
    "*",
)

LONG_ID = "a" * 1_500

KEYS = (
    f"pl_{'a' * 5_000}_x",
    f"pl_{'a' * 5_000}_{'0' * 64}",
    f"pl_{'0' * 12}_{'0' * 64}",
    "pl__",
)
INVITATIONS = (
    f"pi_a_{'€' * 480}_x",
    f"pi_{'€' * 240}_{'€' * 240}_x",
    f"pi_{'0' * 22}_{'0' * 22}_{'0' * 64}",
    "pi_a_b_\ud800",
    "x",
)
LINKS = (f"/d/{LONG_ID}/x", f"/d/x/{LONG_ID}", "/d/x/%00", "/d/x/%F0%9F%92%A9")

PATHS_OF_NO_ROUTE = ("..%2F..%2Fetc%2Fpasswd", "%0d%0aSet-Cookie:x", "x/y/z")
"""What the gateway refuses before anybody of ours sees it."""

SEVERAL_LINES = (
    "two\nlines",
    "two\r\nBcc: victim@example.com",
    "carriage\rreturn",
    "nul\x00",
    "vertical\x0btab",
    "next\x85line",
    "line\u2028separator",
    "paragraph\u2029separator",
    "right\u202eto left",
    "bell\x07",
    "delete\x7f",
)

ADDRESSES = (
    "nobody",
    "two@@example.com",
    "@example.com",
    "a@",
    "new\nline@example.com",
    "a@b.example\r\nBcc: c@d.example",
    "Name <a@b.example>",
    "a@b.example, c@d.example",
    "a@b.example;c@d.example",
    "<a@b.example>",
    "a b@example.com",
    "a@exam ple.com",
    "a@[127.0.0.1]",
    f"{'a' * 65}@example.com",
    f"a@{'b' * 300}.example",
    "a\x00@example.com",
    ".a@example.com",
    "a..b@example.com",
)

NAMES = (
    "O'Brien",
    "Zoë",
    "Anna-María",
    "李小龙",
    "=?utf-8?q?a=0D=0ABcc:_v@x.example?=",
    "[firstName]",
    "<b>x</b>",
)
"""Good names, and texts that look like syntax: they are data, and are sent as they are."""

TEMPLATES_REFUSED = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ firstName.__class__ }}",
    "{{ config }}{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ request|attr('application') }}",
    "{{ 'a' * 100000000 }}",
    "{{ ('%0' ~ '99999999' ~ 'd') % 1 }}",
    "{% for x in range(1000000000) %}a{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% set x = 1 %}{{ x }}",
    "{% macro m() %}{{ m() }}{% endmacro %}",
    "{{ lipsum() }}",
    "{{ firstName",
    "{% if firstName %}",
    "{{ 1 + }}",
    "{{ 7 / 0 }}",
    "{% if a %}" * 200 + "{% endif %}" * 200,
    "[firstName]" * 2_000,
)

TEMPLATES = (
    "Hello [firstName|friend]",
    '{{ firstName|default("friend") }}',
    "{% if param1 > 100 %}many{% else %}few{% endif %}",
    "<p>${7*7} #{7*7} <%= 7*7 %> [if mso] [constructor]</p>",
    "<script>alert(1)</script>",
)

"""Holds an HTML report against the JSON report of the same run.

The page must be well-formed XML, refer to nothing else, and show every layer, function and buffer with its numbers.

usage: check_page.py PAGE.html REPORT.json
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
source = open(sys.argv[1], encoding="utf-8").read()
page = ElementTree.fromstring(source)
report = json.load(open(sys.argv[2]))

for element in page.iter():
    assert element.tag not in (HTML + "script", HTML + "link", HTML + "img"), element.tag
    assert not {"src", "href", "onclick"} & set(element.attrib), element.attrib
assert "url(" not in source and "@import" not in source


def text(element):
    return "".join(element.itertext())


def number(value):
    return "known at run time" if value is None else f"{value:,}"


def rows(table):
    """The texts of the cells, without the row of titles."""
    found = [e for e in page.iter(HTML + "table") if e.get("id") == table]
    cells = [[text(cell) for cell in row.findall(HTML + "td")] for e in found for row in e.findall(HTML + "tr")]
    return [row for row in cells if row]


layers = report["layers"]
assert len(rows("layers")) == len(layers)
for index, (row, layer) in enumerate(zip(rows("layers"), layers)):
    keys = ("multiply_adds", "read_bytes", "written_bytes", "weight_bytes")
    assert row[0] == str(index) and row[4:8] == [number(layer[key]) for key in keys], (row, layer)
    assert row[1] == f"{layer['node']} ({layer['op']})" if layer["op"] else row[1].endswith("added by the compiler"), row
    assert row[2].startswith(layer["kernel"]) and row[2].endswith(layer["function"] or ""), row
    assert row[3].startswith(layer["provider"] or ""), row
    assert row[8] == ("\u2013" if layer["code_bytes"] is None else number(layer["code_bytes"])), (row, layer)

functions = [[f["name"], number(f["text_bytes"]), number(f["stack_bytes"])] for f in report["functions"] or []]
assert rows("functions") == functions, functions

titles = [text(title) for title in page.iter(SVG + "title")]
drawn = [b for b in report["memory"]["buffers"] if b["first"] is not None]
assert len(titles) == len(drawn), (titles, drawn)
for buffer in drawn:
    start = f"{buffer['bytes']:,} byte{'s' if buffer['bytes'] != 1 else ''} at {buffer['offset']:,}, from layer {buffer['first']}, "
    assert any(t.startswith(start) and f", to layer {buffer['last']}, " in t for t in titles), (start, titles)

# Boxes must lie as the plan says: x and width in layers, y and height in bytes, by one scale each.
for chart in page.iter(SVG + "svg"):
    title = chart.get("aria-label")
    places = [b for b in report["memory"]["buffers"] if title == (f"Output {b['output']}" if b["output"] else "Arena")]
    scale = max(b["offset"] + b["bytes"] for b in places)
    column = (float(chart.get("width")) - 80) / len(layers)
    boxes = [{k: float(r.get(k)) for k in ("x", "y", "width", "height")} for r in chart.iter(SVG + "rect")]
    shown = [b for b in places if b["first"] is not None]
    assert len(boxes) == len(shown)
    for box, b in zip(boxes, shown):
        assert abs(box["x"] - 70 - column * b["first"]) < 0.1, (box, b)
        assert abs(box["width"] - column * (b["last"] + 1 - b["first"])) < 0.1, (box, b)
        assert abs(box["height"] - 340 * b["bytes"] / scale) < 0.1, (box, b)
        assert abs(box["y"] + box["height"] - (350 - 340 * b["offset"] / scale)) < 0.1, (box, b)

bars = [int(row[2].replace(",", "")) for row in rows("flash")]
of_layers = [layer["weight_bytes"] + (layer["code_bytes"] or 0) for layer in layers]
names = {layer["function"] for layer in layers}
others = [f["text_bytes"] for f in report["functions"] or [] if f["name"] not in names]
assert bars == sorted((size for size in of_layers + others if size), reverse=True)[:12], (bars, of_layers, others)

summary = {row[0]: row[1:] for row in rows("summary")}
assert summary["Multiply-adds of a run"][0] == number(report["multiply_adds"]), summary
if report["flash"]:
    assert summary["Flash"][0] == f"{report['flash']['bytes']:,} bytes", summary
    assert summary["RAM"][0].startswith(number(report["ram"]["bytes"])), summary
    assert f"stack {number(report['ram']['stack_bytes'])}," in summary["RAM"][1], summary

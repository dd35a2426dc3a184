"""reference.py LIST.json FOLDER: every operator of the list has a heading in one of the folder's Markdown files."""
import json
import pathlib
import re
import sys

listed = json.loads(pathlib.Path(sys.argv[1]).read_text())
documented = set()
for chapter in pathlib.Path(sys.argv[2]).glob("*.md"):
    documented |= {name.rsplit(".", 1)[-1] for name in re.findall(r"^### `onnx\.(\S+)`", chapter.read_text(), re.M)}
missing = [operator["name"] for operator in listed if operator["name"] not in documented]
if missing or len(listed) < 200:
    sys.exit(f"{len(listed)} operators; without a chapter: {missing}")

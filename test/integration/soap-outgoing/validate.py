"""Validates messages: JSON with schemas (files to load, one imports the others) and XML texts."""
import json
import sys

from lxml import etree

task = json.load(sys.stdin)
schema = etree.XMLSchema(etree.parse(task["schema"]))
for text in task["messages"]:
    document = etree.fromstring(text.encode())
    schema.validate(document)
    print(json.dumps([str(error) for error in schema.error_log]))

"""Calls a SOAP channel with zeep: calls as JSON on stdin, one JSON line for each outcome."""
import base64
import datetime
import json
import sys

from zeep import Client
from zeep.exceptions import Fault
from zeep.helpers import serialize_object

NATIVE = {
    "day": datetime.date.fromisoformat,
    "at": datetime.datetime.fromisoformat,
    "bytes": base64.b64decode,
}


def native(value):
    """Dates and bytes as users of Python have them."""
    if isinstance(value, list):
        return [native(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: NATIVE.get(key, native)(one) for key, one in value.items()}


def plain(value):
    return value.decode() if isinstance(value, bytes) else value.isoformat()


def leaves(detail):
    if detail is None:
        return {}
    found = {}
    for child in detail.iter():
        if len(child) == 0:
            found.setdefault(child.tag.split("}")[-1], child.text)
    return found


client = Client(sys.argv[1])
for call in json.load(sys.stdin):
    try:
        answer = getattr(client.service, call["operation"])(**native(call["input"]))
        outcome = {"answer": serialize_object(answer, dict)}
    except Fault as fault:
        outcome = {"code": fault.code, "message": fault.message, "detail": leaves(fault.detail)}
    print(json.dumps(outcome, default=plain))

"""Calls one operation after the other, from a WSDL in a file: calls as JSON on stdin."""
import json
import sys

from zeep import Client
from zeep.exceptions import Fault
from zeep.helpers import serialize_object

task = json.load(sys.stdin)
wsse = None
if task.get("username"):
    from zeep.wsse.username import UsernameToken

    login = task["username"]
    wsse = UsernameToken(login["name"], login["password"], use_digest=login["digest"])
elif task.get("signature"):
    import xmlsec
    from lxml import etree
    from zeep import ns
    from zeep.wsse.signature import BinarySignature
    from zeep.wsse import utils
    from datetime import datetime, timezone

    class Sign(BinarySignature):
        """Signs the body, and a Timestamp that it adds."""

        def apply(self, envelope, headers):
            if task["signature"].get("timestamp", True):
                security = utils.get_security_header(envelope)
                stamp = utils.WSU("Timestamp")
                now = datetime.now(timezone.utc)
                stamp.append(utils.WSU("Created", now.strftime("%Y-%m-%dT%H:%M:%SZ")))
                security.append(stamp)
            return super().apply(envelope, headers)

        def verify(self, envelope):
            return envelope

    files = task["signature"]
    methods = {}
    if files.get("sha256", True):
        methods = {
            "signature_method": xmlsec.Transform.RSA_SHA256,
            "digest_method": xmlsec.Transform.SHA256,
        }
    wsse = Sign(files["key"], files["certificate"], **methods)

client = Client(task["wsdl"], wsse=wsse)
service = client.service
if task.get("address"):
    service = client.create_service(task["binding"], task["address"])
for call in task["calls"]:
    try:
        answer = service[call["operation"]](**call["input"])
        outcome = {"answer": serialize_object(answer, dict)}
    except Fault as fault:
        outcome = {"code": fault.code, "message": fault.message}
    print(json.dumps(outcome, default=lambda value: value.decode() if isinstance(value, bytes)
                     else value.isoformat() if hasattr(value, "isoformat") else float(value)))

# A SOAP toolkit that knows nothing but a WSDL: python3 client.py WSDL [USERNAME PASSWORD]
import sys

from zeep import Client
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

login = UsernameToken(*sys.argv[2:], use_digest=True) if sys.argv[2:] else None
service = Client(sys.argv[1], wsse=login).service
answer = service.Convert(Amount=10, From="EUR", To="PLN")
print(answer.Amount, answer.Rate)
print(service.ListCurrencies())
try:
    service.Convert(Amount=10, From="EUR", To="ABC")
except Fault as fault:
    print(fault.code, fault.message)

<?php
// Calls a SOAP channel with SoapClient: calls as JSON on stdin, one JSON line for each outcome.
[, $wsdl, $version, $style] = $argv;
ini_set("soap.wsdl_cache_enabled", "0");
$client = new SoapClient($wsdl, ["soap_version" => $version === "1.2" ? SOAP_1_2 : SOAP_1_1]);
foreach (json_decode(stream_get_contents(STDIN)) as $call) {
  // In rpc, each part of the message is an argument.
  $arguments = $style === "rpc" ? array_values((array) $call->input) : [$call->input];
  try {
    $outcome = ["answer" => $client->__soapCall($call->operation, $arguments)];
  } catch (SoapFault $fault) {
    $detail = (array) ($fault->detail->Problem ?? []);
    $outcome = ["code" => $fault->faultcode, "message" => $fault->faultstring, "detail" => $detail];
  }
  echo json_encode($outcome), "\n";
}

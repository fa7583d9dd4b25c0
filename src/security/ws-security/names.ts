const oasis = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";

/** `wsse:Security` and what is in it. */
export const wsseNamespace: string = `${oasis}wssecurity-secext-1.0.xsd`;
/** `wsu:Id`, `wsu:Timestamp`. */
export const wsuNamespace: string = `${oasis}wssecurity-utility-1.0.xsd`;
/** Signatures. */
export const dsNamespace = "http://www.w3.org/2000/09/xmldsig#";

/** The types of a password, as a token says them. */
export const passwordText: string = `${oasis}username-token-profile-1.0#PasswordText`;
export const passwordDigest: string = `${oasis}username-token-profile-1.0#PasswordDigest`;

/** How binary values are written. */
export const base64Encoding: string = `${oasis}soap-message-security-1.0#Base64Binary`;
/** A certificate in a token. */
export const x509Token: string = `${oasis}x509-token-profile-1.0#X509v3`;

export const exclusiveC14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
export const rsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
export const sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";

import Basics

extension PrivateKey {
    /// A signed token in the compact form: the header's and the claims' JSON texts and the signature over both, in
    /// base64url. The header must name the algorithm of this key. RFC 7515 §7.1. Throws as ``sign(_:)``.
    package func compactJWS(header: some Sequence<UInt8>, claims: some Sequence<UInt8>) throws(CryptographyError)
        -> String
    {
        let input = Base64URL.encode(header) + "." + Base64URL.encode(claims)
        return input + "." + Base64URL.encode(try sign(input.utf8))
    }
}

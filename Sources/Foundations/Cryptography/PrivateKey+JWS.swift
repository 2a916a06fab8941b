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

    /// A signed token of type JWT of the claims' JSON text, whose header names the algorithm of this key, and the key where
    /// it has a name. RFC 7519 §7.1; RFC 7518 §3.1. Throws as ``sign(_:)``.
    package func compactJWT(claims: some Sequence<UInt8>, keyID: String?) throws(CryptographyError) -> String {
        let algorithm =
            switch publicKey.kind {
            case .ec(.p256): "ES256"
            case .ec(.p384): "ES384"
            case .ed25519: "EdDSA"
            case .rsa: (rsaPadding == .pss ? "PS" : "RS") + String(rsaHash.bits)
            }
        var header = Array(#"{"alg":"\#(algorithm)","typ":"JWT""#.utf8)
        if let keyID {
            header += #","kid":"#.utf8
            JSONQuoting.append(keyID, to: &header)
        }
        return try compactJWS(header: header + "}".utf8, claims: claims)
    }
}

/// What a certificate is to say, beside its key and who signs it. RFC 5280 §4.1, §4.2.
package struct CertificateTemplate: Sendable {
    package enum NameAttribute: Sendable, Hashable {
        case commonName(String)
        case organization(String)
    }

    package enum KeyUsage: String, Sendable, Hashable {
        case digitalSignature, keyCertSign, cRLSign
    }

    package enum ExtendedKeyUsage: String, Sendable, Hashable {
        case serverAuth, clientAuth
    }

    package enum Extension: Sendable, Hashable {
        /// Critical: an authority, with the certificates that may stand between it and the last one.
        case authority(pathLengthMax: Int)
        /// Critical: no authority.
        case noAuthority
        /// Critical.
        case keyUsage([KeyUsage])
        case extendedKeyUsage([ExtendedKeyUsage])
        /// DNS names in ASCII, and addresses of 4 or 16 bytes.
        case subjectAlternativeNames(dns: [String], addresses: [[UInt8]])
        /// SHA-1 of the key, a name and no proof. RFC 5280 §4.2.1.2 (1).
        case subjectKeyIdentifier
    }

    /// From the outermost.
    package var subject: [NameAttribute]
    /// Seconds since 1970 UTC.
    package var validity: ClosedRange<Int64>
    package var extensions: [Extension]

    package init(subject: [NameAttribute], validity: ClosedRange<Int64>, extensions: [Extension]) {
        self.subject = subject
        self.validity = validity
        self.extensions = extensions
    }
}
